import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers.stacks import stack

from srd_jax.measuring.lamellae.counting import count_layers
from srd_jax.synthetic import granum, layers
from srd_jax.synthetic.config import GranaConfig, LayersConfig, QualityConfig


@pytest.mark.parametrize(("number", "period"), [(3, 25.0), (5, 14.0), (12, 15.5), (30, 11.0)])
def test_clean_stacks_have_as_many_layers_as_were_drawn(number, period):
    grey, mask, _ = stack(number, period, 250, noise=0.05)
    # A little wrong period doesn't change the number.
    for factor in (0.97, 1.03):
        found, sd = count_layers(grey, mask, factor * period, 0.02 * period)
        assert found == pytest.approx(number, abs=0.12)
        assert 0.3 < sd < 0.8


def test_numbers_and_sds_of_noisy_stacks_outlined_by_hand():
    random = np.random.default_rng(5)
    errors = []
    for seed in range(40):
        number, period = int(random.integers(3, 31)), random.uniform(9, 24)
        grey, mask, _ = stack(
            number,
            period,
            int(random.uniform(8, 25) * period),
            noise=random.uniform(0.1, 0.4),
            margin=0.3,
            seed=seed,
            tilt=random.uniform(-0.08, 0.08),
            bend=random.uniform(0, 8),
            stretch=random.uniform(-0.08, 0.08),
        )
        measured = period * random.normal(1, 0.015)
        found, sd = count_layers(grey, mask, measured, 0.015 * measured)
        errors.append(((found - number), (found - number) / sd))
    error, relative = np.abs(errors).T
    assert np.mean(error <= 1) >= 0.9
    assert 0.53 <= np.mean(relative <= 1) <= 0.83


def test_the_number_is_that_of_the_height_the_upper_quantile_of_the_columns():
    grey, mask, drawn = stack(12, 15.0, 300, noise=0.05)
    mask[(drawn > 5) & (np.arange(300) < 210)] = False
    found, _ = count_layers(grey, mask, 15.0, 0.2)
    assert found == pytest.approx(12, abs=0.2)
    mask[(drawn > 5) & (np.arange(300) < 270)] = False
    found, _ = count_layers(grey, mask, 15.0, 0.2)
    assert found == pytest.approx(5, abs=0.2)


def test_a_doubtful_period_makes_a_doubtful_number():
    grey, mask, _ = stack(10, 15.0, 200, noise=0.1)
    _, sure = count_layers(grey, mask, 15.0, 0.1)
    _, unknown = count_layers(grey, mask, 15.0, None)
    number, doubtful = count_layers(grey, mask, 15.0, 5.0)
    assert sure < unknown < doubtful
    assert doubtful >= number / 3


@functools.cache
def _draw():
    """Returns a function of a key: grey levels, mask, phase and mean period of a drawn granum."""
    config = GranaConfig(
        frame_period=(20.0, 150.0),
        rows=(100, 300),
        columns=(200, 400),
        layers=LayersConfig(endings=(0, 1)),
        quality=QualityConfig(noise=(0.25, 1.2), fade=(0.0, 0.5)),
    )
    rows, columns = jnp.arange(304.0), jnp.arange(400.0)

    def draw(key):
        one = granum.draw(key, config)
        grey, mask = granum.paint(one, rows, columns, config)
        phase = layers.phase(one.layers, rows - one.size[0] / 2, columns - one.size[1] / 2)
        return grey / 255, mask, phase, granum.mean_period(one, mask, rows, columns)

    return jax.jit(draw)


def test_numbers_of_the_generators_grana_are_those_of_the_drawn_phase():
    errors = []
    for number in range(20):
        key = jax.random.fold_in(jax.random.key(11), number)
        grey, mask, phase, period = jax.device_get(_draw()(key))
        columns = np.flatnonzero(mask.any(axis=0))
        spans = []
        for column in columns:
            inside = phase[mask[:, column], column]
            spans.append((inside[-1] - inside[0]) * len(inside) / max(len(inside) - 1, 1))
        found, sd = count_layers(grey, mask, float(period), 0.01 * float(period))
        errors.append((found - np.quantile(spans, 0.8)) / max(sd, 0.01))
        assert abs(found - np.quantile(spans, 0.8)) <= 1.5
    assert np.mean(np.abs(errors) <= 1) >= 0.68
