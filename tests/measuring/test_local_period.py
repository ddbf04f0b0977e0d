import numpy as np
import pytest
from scipy import signal

from srd_jax.measuring.local_period import local_period


def wave(turns, amplitude=1.0):
    """A wave along the rows whose phase is given in turns, (rows, strips)."""
    return amplitude * np.sin(2 * np.pi * turns)


def everywhere(strips):
    return np.ones(strips.shape, bool)


@pytest.mark.parametrize("about", [16.0, 18.0, 20.0])
def test_the_period_of_a_pure_wave_wherever_it_is_sought(about):
    strips = wave(np.arange(400.0)[:, None] / 18.0 + np.linspace(0, 1, 9))
    found = local_period(strips, everywhere(strips), about)
    assert found.mean_px == pytest.approx(18, rel=0.003)
    assert found.spread < 0.01
    assert found.change < 0.003
    assert found.dislocations == 0
    # Only at its ends is it faint.
    assert found.faint < 0.05


def test_every_layer_counts_once_whatever_its_height_and_contrast():
    # The upper half has layers of 14 px, twice as strong as the layers of 18 px below it.
    rows = np.arange(504.0)[:, None]
    upper = rows < 252
    turns = np.where(upper, rows / 14, 18 + (rows - 252) / 18) + np.zeros(12)
    strips = wave(turns, np.where(upper, 2.0, 1.0))
    found = local_period(strips, everywhere(strips), 15.0)
    assert found.mean_px == pytest.approx(504 / (18 + 14), rel=0.005)
    # The sd of the logarithms of two periods with equal areas.
    assert found.spread == pytest.approx(np.log(18 / 14) / 2, rel=0.1)


def test_a_chirp_has_the_frequency_of_its_analytic_signal():
    rows = np.arange(600.0)
    turns = rows / 20 + 2e-5 * rows**2 + 0.3 * np.sin(2 * np.pi * rows / 300)
    phase = np.unwrap(np.angle(signal.hilbert(wave(turns))))
    inner = slice(60, -60)
    strips = np.repeat(wave(turns)[:, None], 3, axis=1)
    valid = everywhere(strips)
    valid[:60] = valid[-60:] = False
    expected = 2 * np.pi / np.gradient(phase)[inner].mean()
    found = local_period(strips, valid, 17.0)
    assert found.mean_px == pytest.approx(expected, rel=0.003)
    assert found.mean_px == pytest.approx(1 / np.gradient(turns)[inner].mean(), rel=0.003)


def test_what_is_not_valid_does_not_count():
    rows = np.arange(300.0)[:, None] + np.zeros(10)
    valid = np.ones(rows.shape, bool)
    valid[:, 5:] = False
    strips = np.where(valid, wave(rows / 15), 0.0)
    one = local_period(strips, valid, 16.0)
    other = local_period(strips[:, :5], valid[:, :5], 16.0)
    assert one.mean_px == pytest.approx(other.mean_px)
    # Blocks are others where more strips are cut into them.
    assert one.spread == pytest.approx(other.spread, rel=0.01)
    assert one._replace(mean_px=0, spread=0) == other._replace(mean_px=0, spread=0)
    assert one.mean_px == pytest.approx(15, rel=0.003)


def test_far_frequencies_are_taken_for_noise():
    # Half of the strips repeat at a third of the period that is asked for.
    strips = np.concatenate([wave(np.arange(300.0) / p)[:, None] for p in (15, 5)], axis=1)
    found = local_period(strips, everywhere(strips), 15.0)
    # They count as 0.7 to 1.4 times the frequency of the others.
    assert found.mean_px * 1.003 >= 2 * 15 / 2.4
    assert found.mean_px <= 1.003 * 2 * 15 / 1.7


def test_a_single_block_has_the_usual_spread():
    strips = wave(np.arange(30.0)[:, None] / 12)
    valid = everywhere(strips)
    valid[15:] = False
    assert local_period(strips, valid, 12.0).spread == 0.05


@pytest.mark.parametrize(("share", "amplitude"), [(0.3, 0.2), (0.3, 0.0), (0.3, 0.7), (0.0, 0.2)])
def test_where_waves_are_weak_they_are_faint(share, amplitude):
    rows = np.arange(400.0)[:, None] + np.zeros(20)
    strips = wave(rows / 16, np.where(np.arange(20) < 20 * share, amplitude, 1.0))
    expected = share if amplitude < 0.5 else 0.0
    # The ends are in half of a window.
    assert local_period(strips, everywhere(strips), 16.0).faint == pytest.approx(expected, abs=0.04)


def test_layers_that_end_are_dislocations():
    # A plane wave and vortices of the phase, as far from each other as waves are long.
    rows, strips = np.mgrid[:400, :40].astype(float)
    turns = rows / 16
    for at, sign in ((100.3, 1), (203.4, -1), (301.7, 1)):
        turns += sign * np.arctan2(rows - at, 8 * (strips - 20.5)) / (2 * np.pi)
    found = local_period(wave(turns), everywhere(turns), 16.0)
    assert found.dislocations == 3


def test_noise_has_many_dislocations_and_is_faint_in_places():
    noise = np.random.default_rng(5).normal(size=(400, 30))
    found = local_period(noise, everywhere(noise), 16.0)
    assert found.dislocations > 30
    assert found.faint > 0.1


def gabor_mean(values, period, window):
    """The mean period of values about one, by a Gabor filter in space and the unwrapped phase."""
    at = np.arange(-100.0, 101)
    kernel = np.exp(-((at / (window * period)) ** 2) / 2 + 2j * np.pi * at / period)
    phase = np.unwrap(np.angle(np.convolve(values, kernel, "same")))
    return 1 / np.clip(np.gradient(phase) / (2 * np.pi), 0.7 / 16, 1.4 / 16).mean()


@pytest.mark.parametrize("seed", [2, 4, 6])
def test_the_change_is_that_of_the_mean_in_a_wider_window(seed):
    values = wave(np.arange(400.0) / 16) + np.random.default_rng(seed).normal(0, 1.5, 400)
    strips = np.repeat(values[:, None], 3, axis=1)
    found = local_period(strips, everywhere(strips), 16.0)
    narrow, wide = (gabor_mean(values, found.mean_px, window) for window in (0.8, 1.2))
    assert found.mean_px == pytest.approx(narrow, rel=1e-4)
    assert found.change == pytest.approx(abs(np.log(wide / narrow)), rel=0.02)


def test_a_pure_wave_is_the_same_in_every_window():
    strips = wave(np.arange(400.0)[:, None] / 16 + np.zeros(5))
    assert local_period(strips, everywhere(strips), 16.0).change < 0.002
