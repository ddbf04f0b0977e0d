import jax
import jax.numpy as jnp
import numpy as np
import pytest

from srd_jax.tasks.surfaces import spectrum

RADII, DIRECTIONS, WAVELENGTHS = 17, 12, (4.0, 64.0)
LENGTHS = np.geomspace(64, 4, RADII)

POLAR = jax.jit(spectrum.polar, static_argnums=(2, 3, 4))


def polar(image, mask=None):
    image = jnp.asarray(image, jnp.float32)
    mask = jnp.ones(image.shape, bool) if mask is None else jnp.asarray(mask)
    return np.asarray(POLAR(image, mask, WAVELENGTHS, RADII, DIRECTIONS))


def wave(length, direction, shape=(64, 48), phase=0.0):
    """A wave that runs counter-clockwise from the right by an angle in degrees; y points down."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    turn = np.radians(direction)
    return np.cos(2 * np.pi / length * (x * np.cos(turn) - y * np.sin(turn)) + phase)


@pytest.mark.parametrize(("radius", "direction"), [(9, 0), (9, 7), (12, 3), (12, 10)])
def test_a_wave_is_a_peak_at_its_length_and_direction(radius, direction):
    image = wave(LENGTHS[radius], direction * 180 / DIRECTIONS)[None]
    power = polar(image)[0]
    assert np.unravel_index(power.argmax(), power.shape) == (radius, direction)


def test_powers_are_those_of_the_fourier_transform():
    random = np.random.default_rng(0)
    image, mask = random.normal(size=(1, 20, 16)), random.random((1, 20, 16)) < 0.8
    y, x = np.mgrid[:20, :16]
    window = np.sin(np.pi * (y + 0.5) / 20) * np.sin(np.pi * (x + 0.5) / 16) * mask[0]
    planes = np.stack([np.ones_like(x), x, y], -1).reshape(-1, 3).astype(float)
    root = np.sqrt(window).reshape(-1, 1)
    fit = np.linalg.lstsq(root * planes, root[:, 0] * image[0].ravel(), rcond=None)[0]
    flat = window * (image[0] - (planes @ fit).reshape(20, 16))
    found = polar(image, mask)[0]
    for radius, direction in ((3, 2), (10, 0), (16, 11)):
        turn = direction * np.pi / DIRECTIONS
        phase = 2 * np.pi / LENGTHS[radius] * (x * np.cos(turn) - y * np.sin(turn))
        expected = abs((flat * np.exp(-1j * phase)).sum()) ** 2 / (flat**2).sum()
        assert found[radius, direction] == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_place_slope_and_contrast_change_nothing():
    one = wave(10.0, 40.0)
    y, x = np.mgrid[:64, :48]
    others = np.stack([one, 3 * one, one + 0.05 * x - 0.02 * y + 7])
    power = polar(others)
    np.testing.assert_allclose(power[1], power[0], rtol=1e-3, atol=0.05)
    np.testing.assert_allclose(power[2], power[0], rtol=1e-3, atol=0.05)
    moved = polar(wave(10.0, 40.0, phase=1.0)[None])[0]
    assert np.corrcoef(moved.ravel(), power[0].ravel())[0, 1] > 0.999


def test_noise_has_1_on_average():
    noise = jax.random.normal(jax.random.key(0), (30, 48, 48))
    assert polar(noise)[:, 5:].mean() == pytest.approx(1, abs=0.05)


def test_an_empty_mask_gives_finite_numbers():
    power = polar(np.ones((1, 16, 16)), np.zeros((1, 16, 16), bool))
    features = np.asarray(spectrum.features(jnp.asarray(power)))
    assert np.isfinite(features).all() and features.shape == (1, RADII, DIRECTIONS, 2)
