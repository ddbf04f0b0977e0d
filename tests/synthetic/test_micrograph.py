import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from srd_jax.synthetic import granum
from srd_jax.synthetic.config import QualityConfig
from srd_jax.synthetic.micrograph import develop

pytestmark = pytest.mark.hurry

ROWS, COLUMNS = jnp.arange(160.0), jnp.arange(240.0)
SIZE = jnp.float32(160), jnp.float32(240)
# Everything off but for the exposure.
PLAIN = QualityConfig(
    bright=0.0, dark_mean=(128.0, 128.0), dark_contrast=(20.0, 20.0), fade=(0, 0),
    layer_spread=(0, 0), shading_sd=(0, 0), noise_sd=(0, 0), coarse_share=(0, 0),
    white_share=(0, 0), shot=(0, 0), blobs=(0, 0), scratches=0.0, scan_lines=0.0, jpeg=0.0,
    stretched=0.0,
)  # fmt: skip
WAVES = np.sqrt(2) * np.sin(2 * np.pi * np.arange(160) / 16)[:, None] * np.ones(240)


@functools.cache
def developer(changes):
    config = dataclasses.replace(PLAIN, **dict(changes))
    return jax.jit(
        lambda key, lamellae: develop(key, lamellae, (ROWS, COLUMNS), SIZE, jnp.float32(16), config)
    )


def developed(seed=0, lamellae=None, **changes):
    flat = jnp.zeros((160, 240)) if lamellae is None else jnp.asarray(lamellae, jnp.float32)
    draw = developer(tuple(sorted(changes.items())))
    return np.asarray(draw(jax.random.key(seed), flat), np.float64)


def correlation(image, lag, axis):
    values = image - image.mean()
    length = image.shape[axis] - lag
    near = np.take(values, np.arange(length), axis)
    far = np.take(values, np.arange(lag, length + lag), axis)
    return np.mean(near * far) / np.mean(values**2)


def test_without_anything_else_lamellae_have_the_drawn_mean_and_contrast():
    image = developed(lamellae=WAVES)
    np.testing.assert_allclose(image, np.round(128 + 20 * WAVES), atol=1)
    assert image.mean() == pytest.approx(128, abs=0.1)
    assert image.std() == pytest.approx(20, rel=0.01)


def test_bright_crops_have_their_own_mean_and_contrast():
    bright = {"bright": 1.0, "bright_mean": (180.0, 180.0), "bright_contrast": (6.0, 6.0)}
    image = developed(lamellae=WAVES, **bright)
    assert image.mean() == pytest.approx(180, abs=0.1)
    assert image.std() == pytest.approx(6, rel=0.02)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 1.5])
def test_grain_is_noise_under_a_blur(sigma):
    image = developed(noise=(0.75, 0.75), noise_sd=(0, 100), grain=(sigma, sigma))
    assert image.std() == pytest.approx(15, rel=0.06)
    # Of a Gaussian blur of sd s, the autocorrelation is exp(-(lag / 2 s)^2).
    for axis in (0, 1):
        for lag in (1, 2):
            expected = np.exp(-((lag / (2 * sigma)) ** 2))
            assert correlation(image, lag, axis) == pytest.approx(expected, abs=0.05)


def test_white_and_coarse_noise_take_their_shares_of_the_variance():
    noisy = {"noise": (0.75, 0.75), "noise_sd": (0, 100), "grain": (1.0, 1.0)}
    blurred = correlation(developed(**noisy), 1, 1)
    white = developed(**noisy, white_share=(0.4, 0.4))
    assert white.std() == pytest.approx(15, rel=0.06)
    assert correlation(white, 1, 1) == pytest.approx(0.6 * blurred, abs=0.04)
    coarse = developed(**noisy, coarse_share=(0.5, 0.5), coarse=(8.0, 8.0))
    assert coarse.std() == pytest.approx(15, rel=0.15)
    # At 6 px little is left of the grain; bumps of sd 5.6 px: exp(-(6 / 11.2)^2).
    assert correlation(coarse, 6, 1) == pytest.approx(0.5 * np.exp(-((6 / 11.2) ** 2)), abs=0.1)


def test_noise_has_its_limits():
    low = developed(noise=(0.01, 0.01), noise_sd=(5.0, 30.0))
    assert low.std() == pytest.approx(5, rel=0.1)


def test_shot_noise_grows_with_the_root_of_the_grey_level():
    ramp = np.linspace(-4, 4, 240)[None, :] * np.ones((160, 1))
    image = developed(lamellae=ramp, noise=(0.4, 0.4), noise_sd=(0, 100), shot=(1.0, 1.0))
    noise = image - (128 + 20 * ramp)
    dark, light = noise[:, 20:80].std(), noise[:, 160:220].std()
    expected = np.sqrt((128 + 20 * 4 * 0.59) / (128 - 20 * 4 * 0.59))
    assert light / dark == pytest.approx(expected, rel=0.07)


def test_shading_is_slow_and_has_its_sd():
    images = [developed(seed, shading_sd=(10.0, 10.0)) for seed in range(40)]
    assert np.std(images) == pytest.approx(10, rel=0.2)
    assert all(correlation(image, 8, 1) > 0.9 for image in images if image.std() > 3)


def test_contrast_fades_in_patches():
    image = developed(seed=2, lamellae=WAVES, fade=(0.9, 0.9)) - 128
    local = np.sqrt(ndimage.uniform_filter(image**2, 32))
    assert local.max() < 21
    assert local.min() < 0.6 * local.max()


def test_grey_levels_are_stretched_and_clipped():
    image = developed(lamellae=2 * WAVES, stretched=1.0, black=(80.0, 80.0), white=(180.0, 180.0))
    expected = np.clip(np.round((128 + 40 * WAVES - 80) * 2.55), 0, 255)
    np.testing.assert_allclose(image, expected, atol=2)
    assert {0, 255} <= set(image.ravel())


def test_every_level_is_whole():
    image = developed(1, lamellae=WAVES, noise=(2.0, 2.0), noise_sd=(0, 100), jpeg=1.0)
    np.testing.assert_array_equal(image, np.round(image))
    assert image.min() >= 0
    assert image.max() <= 255


def test_crops_of_few_grey_levels_are_those_of_the_others_rounded():
    noisy = {"noise": (0.5, 0.5), "noise_sd": (0, 100)}
    counts, plain = set(), 0
    for seed in range(24):
        image = developed(seed, WAVES, **noisy, few_levels=0.7, levels=(2, 8))
        before = developed(seed, WAVES, **noisy)
        if np.array_equal(image, before):
            plain += 1
            continue
        found = np.unique(image)
        counts.add(len(found))
        assert (found[0], found[-1]) == (0, 255)
        assert np.ptp(np.diff(found)) <= 1  # evenly spaced but for rounding
        # Levels are in order, and the ends of the range hold what lies beyond two sds.
        low, high = (before.mean() + side * 2 * before.std() for side in (-1, 1))
        share = np.clip((before - low) / (high - low), 0, 1)
        assert np.abs(image / 255 - share).max() <= 0.5 / (len(found) - 1) + 0.003
    assert min(counts) >= 2
    assert max(counts) <= 8
    assert len(counts) >= 4
    assert 2 <= plain <= 14


def test_the_interior_is_an_erosion():
    wide = np.random.default_rng(0).random((30, 40)) < 0.9
    eroded = ndimage.binary_erosion(wide)[1:-1, 1:-1]
    np.testing.assert_array_equal(granum._interior(jnp.asarray(wide)), eroded)
