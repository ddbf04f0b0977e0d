import jax.numpy as jnp
import numpy as np
from scipy import ndimage

from srd_jax.analysis.surfaces.matching import band, filtered, ncc, transfer


def _by_scipy(picture, mask, low, high):
    def mean(values, sd):
        sums = [
            ndimage.gaussian_filter(one * mask, sd, mode="constant", truncate=12)
            for one in (values, np.ones(mask.shape))
        ]
        return sums[0] / np.maximum(sums[1], 1e-12)

    smooth = mean(picture.astype(float), low)
    away = smooth - mean(smooth, high)
    away = np.where(mask, away - away[mask].mean(), 0)
    return away / np.sqrt((away**2).sum())


def test_the_masked_ncc_is_that_of_numpy():
    rng = np.random.default_rng(0)
    one, noise = rng.normal(size=(2, 40, 52)).astype(np.float32)
    mask = np.ones(one.shape, bool)
    mask[:9, 30:] = False
    other = one + noise
    expected = [_by_scipy(picture, mask, 1.1, 6.0) for picture in (one, other)]
    by = band(mask, 1.1, 6.0)
    # Outside of the mask, anything may stand.
    found = [filtered(jnp.where(mask, picture, 1e3), by) for picture in (one, other)]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
    np.testing.assert_allclose(ncc(*found), (expected[0] * expected[1]).sum(), atol=1e-5)


def test_the_ncc_ignores_brightness_contrast_and_slow_changes():
    rng = np.random.default_rng(1)
    picture = rng.normal(size=(64, 64))
    slow = 10 * np.linspace(-1, 1, 64)[:, None] ** 2 * np.ones(64)
    by = band(np.ones((64, 64), bool), 1.0, 4.0)
    found = [filtered(jnp.asarray(one), by) for one in (picture, 7 * picture + 90 + slow)]
    assert ncc(*found) > 0.97
    assert ncc(found[0], filtered(jnp.asarray(-picture), by)) < -0.999


def test_the_transfer_is_that_of_a_wave():
    at = np.arange(128)
    wave = np.cos(2 * np.pi * at / 8)[:, None] * np.ones(128)
    by = band(np.ones((128, 128), bool), 1.3, 5.0)
    noise = np.cos(2 * np.pi * at / 32)[:, None] * np.ones(128)
    found = np.asarray(filtered(jnp.asarray(wave + noise), by))[40:-40, 40:-40]
    amplitudes = [
        np.abs((found[:32, 0] * np.exp(-2j * np.pi * at[:32] / p)).sum()) for p in (8, 32)
    ]
    expected = transfer(1.3, 5.0, np.array([1 / 8, 1 / 32]))
    np.testing.assert_allclose(amplitudes[0] / amplitudes[1], expected[0] / expected[1], rtol=0.03)
