import dataclasses
import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from helpers.training_runs import one_line, task_of, tiny

from srd_jax.support.errors import InputError
from srd_jax.support.fields import from_dict
from srd_jax.tasks.period import model
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.training import checkpoint
from srd_jax.training.steps import TrainState

# val_mae of the steps 1, 2, …; the best is neither the first nor among the last.
ERRORS = [5.0, 1.5, 4.0, 3.0, 2.0, 6.0]


def state_of(step, config=None, seed=0):
    """A state whose arrays tell its step and which of its parts they belong to."""
    rng = np.random.default_rng([seed, step])
    shapes = model.parameter_shapes((config or tiny()).model)

    def draw():
        return {
            name: jnp.asarray(rng.normal(size=shape), jnp.float32) for name, shape in shapes.items()
        }

    return TrainState(jnp.int32(step), draw(), draw(), {"mu": draw(), "count": jnp.int32(step)})


def save_all(workdir, keep=2, errors=ERRORS):
    with checkpoint.manager(workdir, keep) as checkpoints:
        rows = []
        for step, error in enumerate(errors, start=1):
            rows.append(
                {"step": step, "train_loss": 0.1 * step} | ({"val_mae": error} if error else {})
            )
            checkpoint.save(checkpoints, state_of(step), tiny(), task_of(tiny()), rows)


def steps_of(workdir):
    return sorted(int(path.name) for path in (workdir / "checkpoints").iterdir())


def assert_same(found, expected):
    jax.tree.map(np.testing.assert_array_equal, dict(found), dict(expected))


@pytest.mark.parametrize(("keep", "kept"), [(1, [2, 6]), (2, [2, 5, 6]), (3, [2, 4, 5, 6])])
def test_the_last_ones_and_the_best_are_kept(tmp_path, keep, kept):
    save_all(tmp_path, keep)
    assert steps_of(tmp_path) == kept


def test_a_checkpoint_without_a_validation_is_kept_as_the_last_but_never_the_best(tmp_path):
    save_all(tmp_path, keep=1, errors=[5.0, None])
    assert steps_of(tmp_path) == [1, 2]
    assert checkpoint.load_parameters(tmp_path).step == 1
    save_all(tmp_path / "other", keep=1, errors=[None, None])
    assert steps_of(tmp_path / "other") == [2]
    assert checkpoint.load_parameters(tmp_path / "other").step == 2


def test_of_equal_ones_the_kept_best_can_be_loaded(tmp_path):
    save_all(tmp_path, keep=1, errors=[3.0, 2.0, 2.0, 4.0])
    loaded = checkpoint.load_parameters(tmp_path)
    assert steps_of(tmp_path) == [loaded.step, 4]
    assert_same(loaded.parameters, state_of(loaded.step).average)


@pytest.mark.parametrize(("kind", "item"), [("averaged", "average"), ("last", "parameters")])
def test_load_parameters_takes_those_of_the_best(tmp_path, kind, item):
    save_all(tmp_path)
    loaded = checkpoint.load_parameters(tmp_path, kind)
    assert loaded.step == 2
    assert repr(from_dict(PeriodConfig, loaded.metadata["config"])) == repr(tiny())
    assert_same(loaded.parameters, getattr(state_of(2), item))


def test_restore_returns_what_was_saved_bit_by_bit(tmp_path):
    rows = [{"step": 1, "train_loss": 0.1 + 0.2, "learning_rate": 1e-3 / 3, "val_mae": 2**-1074}]
    state = state_of(1)
    with checkpoint.manager(tmp_path) as checkpoints:
        checkpoint.save(checkpoints, state, tiny(), task_of(tiny()), rows)
    with checkpoint.manager(tmp_path) as checkpoints:
        found, found_rows = checkpoint.restore(checkpoints, 1, jax.tree.map(jnp.zeros_like, state))
    assert found_rows == rows
    assert jax.tree.structure(found) == jax.tree.structure(state)
    for leaf, expected in zip(jax.tree.leaves(found), jax.tree.leaves(state), strict=True):
        assert leaf.dtype == expected.dtype
        np.testing.assert_array_equal(leaf, expected)


def test_the_metadata_suffices_to_know_the_run(tmp_path):
    save_all(tmp_path, errors=[5.0])
    found = json.loads((tmp_path / "checkpoints" / "1" / "metadata" / "metadata").read_text())
    assert found["config"]["model"]["grey_mean"] == tiny().model.grey_mean
    assert found["about"]["task"] == "period"
    assert found["about"]["geometry"] == {"receptive_field": [10, 8], "stride": [4, 2]}
    assert found["versions"]["jax"] == jax.__version__
    assert set(found["versions"]) >= {"srd-jax", "jaxlib", "flax", "optax", "orbax-checkpoint"}


@pytest.mark.parametrize("item", ["average", "parameters", "optimizer"])
def test_a_flipped_bit_in_a_large_array_is_found(tmp_path, item):
    # Arrays above about a kilobyte lie in files of their own, which orbax doesn't check.
    config = tiny()
    config.model.encoder.channels = 16
    state = state_of(1, config)
    with checkpoint.manager(tmp_path) as checkpoints:
        checkpoint.save(checkpoints, state, config, task_of(config), [{"step": 1, "val_mae": 1.0}])
    folder = tmp_path / "checkpoints" / "1"
    largest = max((folder / item).rglob("*"), key=lambda path: path.stat().st_size)
    data = bytearray(largest.read_bytes())
    assert len(data) > 5000
    data[len(data) // 2] ^= 1
    largest.write_bytes(bytes(data))
    with (
        checkpoint.manager(tmp_path) as checkpoints,
        pytest.raises(InputError, match=f"{item} isn't what was saved") as error,
    ):
        checkpoint.restore(checkpoints, 1, state)
    assert one_line(error.value).startswith(f"{folder}: ")


def test_load_parameters_names_a_damaged_best(tmp_path):
    save_all(tmp_path)
    shutil.rmtree(tmp_path / "checkpoints" / "2" / "average")
    with pytest.raises(InputError) as error:
        checkpoint.load_parameters(tmp_path)
    assert one_line(error.value).startswith(f"{tmp_path}/checkpoints/2: cannot be restored")
    checkpoint.load_parameters(tmp_path, "last")


def test_broken_metrics_are_named(tmp_path):
    save_all(tmp_path)
    (tmp_path / "checkpoints" / "5" / "metrics" / "metrics").write_text('{"val_')
    with pytest.raises(InputError) as error:
        checkpoint.load_parameters(tmp_path)
    assert one_line(error.value).startswith(f"{tmp_path}/checkpoints/5: ")


def test_a_folder_without_checkpoints_is_one_line(tmp_path):
    with pytest.raises(InputError, match="holds no checkpoints; accepted: the workdir of a run"):
        checkpoint.load_parameters(tmp_path)
    (tmp_path / "checkpoints" / "3.orbax-checkpoint-tmp").mkdir(parents=True)
    with pytest.raises(InputError, match="holds no whole checkpoint"):
        checkpoint.load_parameters(tmp_path)


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), ValueError("OUT_OF_RANGE: Failed to\nwrite")]
)
def test_a_full_disk_is_one_line(tmp_path, monkeypatch, error):
    def full(*arguments, **keywords):
        raise error

    with checkpoint.manager(tmp_path) as checkpoints:
        monkeypatch.setattr(ocp.CheckpointManager, "save", full)
        with pytest.raises(InputError) as caught:
            checkpoint.save(checkpoints, state_of(7), tiny(), task_of(tiny()), [])
    message = one_line(caught.value)
    assert message.startswith(f"{tmp_path}/checkpoints/7: cannot be written (")


def test_a_network_with_confidence_is_ranked_by_its_validation_loss(tmp_path):
    config = tiny(model=dataclasses.replace(tiny().model, confidence=True))
    with checkpoint.manager(tmp_path, keep=1) as checkpoints:
        for step, (error, loss) in enumerate([(2.0, 1.0), (3.0, -1.0), (1.0, 0.5)], start=1):
            rows = [{"step": step, "val_mae": error, "val_loss": loss}]
            checkpoint.save(checkpoints, state_of(step, config), config, task_of(config), rows)
    found = checkpoint.load_parameters(tmp_path, "last")
    assert found.step == 2
    assert_same(found.parameters, state_of(2, config).parameters)
    found = checkpoint.load_parameters(tmp_path, "averaged", "last")
    assert found.step == 3
    assert_same(found.parameters, state_of(3, config).average)
