import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from srd_jax.synthetic import profile
from srd_jax.synthetic.config import ProfileConfig

pytestmark = pytest.mark.hurry

KEYS = jax.random.split(jax.random.key(0), 400)
DRAWN = np.asarray(jax.jit(jax.vmap(lambda k: profile.draw_profile(k, ProfileConfig())))(KEYS))


def samples(harmonics, count=512):
    spectrum = np.zeros(count // 2 + 1, complex)
    spectrum[1 : profile.HARMONICS + 1] = harmonics
    return np.fft.irfft(spectrum, count) * count


def test_the_profile_is_the_sum_of_its_harmonics():
    turns = np.arange(512) / 512
    for harmonics in DRAWN[:5]:
        found = profile.light(jnp.asarray(harmonics), jnp.asarray(turns, jnp.float32))
        np.testing.assert_allclose(found, samples(harmonics), atol=2e-5)
        later = profile.light(jnp.asarray(harmonics), jnp.asarray(turns + 7, jnp.float32))
        np.testing.assert_allclose(later, found, atol=2e-4)


def test_every_profile_has_unit_variance_and_a_leading_period():
    for harmonics in DRAWN:
        values = samples(harmonics)
        assert values.std() == pytest.approx(1, abs=1e-4)
        assert np.abs(harmonics[1:]).max() <= 0.6 * abs(harmonics[0]) * (1 + 1e-5)


def test_both_polarities_occur_in_their_shares():
    def draw(inverted):
        config = ProfileConfig(inverted=inverted)
        return np.asarray(jax.vmap(lambda key: profile.draw_profile(key, config))(KEYS))

    light, dark = draw(1.0), draw(0.0)
    np.testing.assert_allclose(light, -dark, atol=1e-6)
    share = np.mean(np.isclose(DRAWN, light, atol=1e-6).all(axis=1))
    assert share == pytest.approx(0.15, abs=0.06)


def test_membranes_are_dark_lines_around_the_lumen():
    config = ProfileConfig(
        lumen_width=(0.4, 0.4),
        membrane_width=(0.07, 0.07),
        gap_light=(0, 0),
        lumen_light=(0, 0),
        overtone=(1.0, 1.0),
        inverted=0.0,
    )
    values = samples(profile.draw_profile(KEYS[0], config))
    assert values[round(0.2 * 512)] < -1
    assert values[round(0.8 * 512)] < -1
    assert values[0] > values[round(0.2 * 512)] + 1
    assert values[256] > values[0]


@pytest.mark.parametrize("width", [0.15, 0.37, 0.5])
def test_a_bar_has_the_harmonics_of_a_rectangle(width):
    turns = (np.arange(4096) + 0.5) / 4096
    rectangle = np.abs(turns - np.round(turns)) < width / 2
    expected = np.fft.rfft(rectangle)[1 : profile.HARMONICS + 1] / 4096
    # Samples lie half a step after their index.
    expected = expected * np.exp(-1j * np.pi * np.arange(1, profile.HARMONICS + 1) / 4096)
    np.testing.assert_allclose(profile.bar_harmonics(width), expected, atol=2e-4)


def test_bars_take_their_share_and_leave_the_others_as_they_were():
    config = ProfileConfig(bars=0.3, bar_width=(0.2, 0.2))
    drawn = np.asarray(jax.vmap(lambda key: profile.draw_profile(key, config))(KEYS))
    bar = np.asarray(profile.bar_harmonics(0.2))
    bars = np.isclose(drawn, bar / np.sqrt(2 * np.sum(np.abs(bar) ** 2)), atol=1e-6).all(axis=1)
    assert bars.mean() == pytest.approx(0.3, abs=0.07)
    np.testing.assert_allclose(drawn[~bars], DRAWN[~bars], atol=1e-5)


@pytest.mark.parametrize("sigma", [0.5, 1.5, 3.0])
def test_blur_is_that_of_a_gaussian(sigma):
    period, repeats = 16.0, 8
    scale = 32  # samples a px
    harmonics = DRAWN[3]
    sharp = np.tile(samples(harmonics, int(period) * scale), repeats)
    expected = ndimage.gaussian_filter1d(sharp, sigma * scale, mode="wrap")[: int(period) * scale]
    found = samples(profile.blurred(jnp.asarray(harmonics), sigma, period), int(period) * scale)
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_membranes_apart_take_their_share_and_leave_the_others_as_they_were():
    config = ProfileConfig(apart=0.4, apart_width=(0.3, 0.3), apart_membrane=(0.06, 0.06))
    drawn = np.asarray(jax.vmap(lambda key: profile.draw_profile(key, config))(KEYS))
    turns = np.arange(4096) / 4096 - 0.5

    def line(at):
        return np.fft.rfft(np.exp(-(((turns - at) / 0.06) ** 2) / 2))[1 : profile.HARMONICS + 1]

    # Each is -(first line + strength * second line), of unit variance: two real unknowns.
    first, second = (line(side * 0.15) * (-1) ** np.arange(1, 7) for side in (-1, 1))
    pair = np.stack([first, second], axis=1)
    matrix = np.concatenate([pair.real, pair.imag])
    values = np.concatenate([drawn.real, drawn.imag], axis=1).T
    factors, *_ = np.linalg.lstsq(matrix, values)
    apart = np.abs(matrix @ factors - values).max(axis=0) < 1e-3
    assert apart.mean() == pytest.approx(0.4, abs=0.08)
    np.testing.assert_allclose(drawn[~apart], DRAWN[~apart], atol=1e-5)
    # The lines are dark, and one has 0.6 to 1 of the other's strength.
    assert np.all(factors[:, apart] < 0)
    strength = factors[0, apart] / factors[1, apart]
    strength = strength if strength.max() <= 1.001 else 1 / strength
    assert strength.min() >= 0.599
    assert strength.max() <= 1.001
    assert strength.std() > 0.05
    for harmonics in drawn[apart][:20]:
        assert samples(harmonics).std() == pytest.approx(1, abs=1e-4)
