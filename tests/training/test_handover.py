import functools

import jax
import numpy as np
import pytest
from helpers.training_runs import one_line

from srd_jax.support.errors import InputError
from srd_jax.tasks.period import model
from srd_jax.tasks.period.config import CONFIDENCE_CLONES, ModelConfig
from srd_jax.training.config import CloneConfig, StartConfig
from srd_jax.training.handover import hand_over

PERIOD, BOTH = ModelConfig(), ModelConfig(confidence=True)
START = StartConfig(stage="stage4", clones=CONFIDENCE_CLONES)


@functools.cache
def parameters(confidence, seed):
    config = BOTH if confidence else PERIOD
    return jax.device_get(model.random_parameters(config, jax.random.key(seed)))


def handed(start=START, found=None):
    found = parameters(False, 1) if found is None else found
    return hand_over(found, model.parameter_shapes(BOTH), parameters(True, 2), start, "runs/stage4")


def test_the_confidence_branch_is_cloned_and_all_else_copied():
    found, made = parameters(False, 1), handed()
    assert set(made.copied) == set(found)
    for name, value in found.items():
        np.testing.assert_array_equal(made.parameters[name], value)
        clone = name.replace("period_", "sd_")
        if clone != name:
            scale = np.float32(0.1) if "output" in name else np.float32(1)
            np.testing.assert_array_equal(made.parameters[clone], value * scale)
    assert sum(value.size for value in made.parameters.values()) == 84_738
    assert made.new == ()
    assert made.lines == [
        "copied: 25 parameters (84,145 numbers)",
        "cloned: sd_pool from period_pool: 1 parameters (64 numbers)",
        "cloned: sd_regressor.hidden from period_regressor.hidden: 2 parameters (520 numbers)",
        "cloned: sd_regressor.output from period_regressor.output, times 0.1: "
        "2 parameters (9 numbers)",
    ]


def test_after_cloning_the_period_is_the_same_to_the_bit_and_the_sd_follows_from_it():
    image = np.asarray(jax.random.uniform(jax.random.key(3), (2, 476, 62)))
    before = jax.jit(model.as_function(PERIOD))(parameters(False, 1), image)
    after = jax.jit(model.as_function(BOTH))(handed().parameters, image)
    assert np.asarray(before.period).tobytes() == np.asarray(after.period).tobytes()
    # v is the period's own output over 10, period = 220 / output, sd = exp(v).
    assert after.sd is not None
    np.testing.assert_allclose(after.sd, np.exp(22.0 / np.asarray(after.period)), rtol=1e-5)


def test_new_parts_are_drawn():
    made = handed(StartConfig(stage="stage4", new=("sd_pool", "sd_regressor")))
    assert len(made.new) == 5
    for name in made.new:
        np.testing.assert_array_equal(made.parameters[name], parameters(True, 2)[name])
    assert made.lines[-1].endswith("5 parameters (593 numbers)")


@pytest.mark.parametrize(
    ("start", "found", "message"),
    [
        (StartConfig(stage="a"), parameters(False, 1), "runs/stage4: missing sd_pool.queries; mis"),
        (START, parameters(True, 1), "config.start makes sd_pool anew, but the run to start from"),
        (
            StartConfig(stage="a", new=("sd_pol", "sd_regressor")),
            parameters(False, 1),
            "accepted: a part among sd_pool.queries, sd_regressor.hidden.bias, sd_regressor",
        ),
        (
            StartConfig(
                stage="a", clones=(*CONFIDENCE_CLONES[:2], CloneConfig("sd_regressor", "x"))
            ),
            parameters(False, 1),
            "missing x.hidden.bias; missing x.hidden.kernel",
        ),
        (
            StartConfig(stage="a", clones=(CloneConfig("sd_pool", "encoder.convolutions.0"),)),
            parameters(False, 1),
            "missing encoder.convolutions.0.queries",
        ),
        (START, {**parameters(False, 1), "third_pool.queries": np.zeros(3)}, "extra third_pool.q"),
        (
            START,
            {**parameters(False, 1), "period_pool.queries": np.zeros((4, 32))},
            "period_pool.queries has shape (4, 32), accepted: (2, 32)",
        ),
    ],
)
def test_anything_unexpected_stops_the_run(start, found, message):
    with pytest.raises(InputError) as error:
        handed(start, found)
    assert message in one_line(error.value)
