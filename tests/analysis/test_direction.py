import dataclasses

import numpy as np
import pytest
from helpers.crops import ellipse
from helpers.micrographs import Stack, true_maps
from scipy import stats

from srd_jax.analysis import direction
from srd_jax.analysis.granum import Value
from srd_jax.analysis.instances import instances
from srd_jax.imaging.crop import Crop

LONG = Stack(250.0, 200.0, 400.0, 50.0, 25.0, 12.0)


def waves(degrees, period, noise, seed=0, shape=(130, 160)):
    """A crop of stripes of one direction, in noise."""
    rows, columns = np.indices(shape)
    turn = np.deg2rad(degrees)
    across = columns * np.sin(turn) + rows * np.cos(turn)
    grain = np.random.default_rng(seed).normal(0, noise, shape)
    image = np.clip(0.5 + 0.1 * np.sin(2 * np.pi * across / period) + grain, 0, 1)
    mask = ellipse(shape)
    return Crop(np.where(mask, image, 0).astype(np.float32), mask, None, "")


def off(one, other):
    return (one - other + 90) % 180 - 90


def test_the_direction_is_that_of_the_maps():
    maps = true_maps([LONG])
    found = instances(maps)
    clear = direction.of_maps(maps, found, 1)
    assert abs(off(clear.value, 25)) < 0.1
    random = np.random.default_rng(1)
    noisy = dataclasses.replace(
        maps,
        cosine=maps.cosine + random.normal(0, 2.0, maps.cosine.shape),
        sine=maps.sine + random.normal(0, 2.0, maps.sine.shape),
    )
    wide = direction.of_maps(noisy, found, 1)
    assert abs(off(wide.value, 25)) < 3 * wide.sd
    assert wide.sd > clear.sd
    nothing = dataclasses.replace(
        maps, cosine=np.zeros_like(maps.cosine), sine=np.zeros_like(maps.sine)
    )
    assert direction.of_maps(nothing, found, 1) is None
    assert direction.period_of_maps(maps, found, 1) == pytest.approx(12, rel=1e-3)


@pytest.mark.parametrize("period", [5.5, 12.0, 30.0])
@pytest.mark.parametrize("degrees", [0.0, 20.0, 90.0, 150.0])
def test_stripes_have_their_direction(period, degrees):
    for about in (period, 1.25 * period):
        found = direction.of_pixels(waves(degrees, period, 0.02), about)
        assert abs(off(found.value, degrees)) < 1
        assert found.sd < 1.5


def test_the_sd_is_that_of_the_errors():
    found = [direction.of_pixels(waves(35.0, 8.0, 0.15, seed), 8.0) for seed in range(60)]
    errors = np.array([off(one.value, 35) for one in found])
    sds = np.array([one.sd for one in found])
    # The ratio of the variances lies between the quantiles of chi squared, and as much again for
    # what the sds themselves err.
    low, high = np.sqrt(stats.chi2.ppf([0.005, 0.995], 60) / 60)
    assert 0.7 * low < np.sqrt(np.mean((errors / sds) ** 2)) < 1.4 * high


def test_without_a_period_the_most_coherent_direction_counts():
    found = direction.of_pixels(waves(110.0, 16.0, 0.1))
    assert abs(off(found.value, 110)) < 3 * found.sd
    assert direction.of_pixels(waves(0.0, 16.0, 0.0)).value < 0.5


def test_lamellae_that_run_in_another_direction_are_told():
    one, other = waves(20.0, 12.0, 0.05), waves(75.0, 12.0, 0.05, seed=1)
    assert direction.astray(one, 12.0, 20.0) < 0.02
    assert direction.astray(one, 12.0, 75.0) > 0.98
    assert direction.astray(one, None, 20.0) < 0.02
    both = np.where(np.arange(160) < 110, one.image, other.image)
    assert 0.2 < direction.astray(dataclasses.replace(one, image=both), 12.0, 20.0) < 0.45
    # 25 degrees to either side of the middle are a bent granum.
    rows, columns = np.indices(one.mask.shape) - np.array([[[65]], [[80]]])
    bent = 0.5 + 0.1 * np.sin(2 * np.pi * (rows + columns**2 * np.tan(0.44) / 160) / 12)
    bent = np.where(one.mask, bent, 0).astype(np.float32)
    assert direction.astray(dataclasses.replace(one, image=bent), 12.0, 0.0) < 0.02


def test_noise_has_no_direction():
    shape = (130, 160)
    noise = np.random.default_rng(0).normal(0.5, 0.1, shape).clip(0, 1).astype(np.float32)
    for image in (noise, np.full(shape, 0.4, np.float32)):
        crop = Crop(image, np.ones(shape, bool), None, "")
        for period in (None, 6.0, 15.0):
            assert direction.of_pixels(crop, period) is None


def test_directions_that_agree_are_averaged_and_others_are_unsure():
    assert direction.combined(None, None) is None
    one, other = Value(178.0, 2.0), Value(2.0, 1.0)
    assert direction.combined(one, None) == one
    assert direction.combined(None, other) == other
    both = direction.combined(one, other)
    assert both.value == pytest.approx((178 + 4 * 0.8) % 180)
    assert both.sd == pytest.approx(1 / np.sqrt(1 / 4 + 1))
    apart = direction.combined(one, Value(88.0, 1.0))
    assert apart.value == 178 and apart.sd > 40
