import numpy as np
import pytest
from scipy import signal

from srd_jax.local_period import local_period


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
    assert found.unevenness < 0.15


def test_every_layer_counts_once_whatever_its_height_and_contrast():
    # The upper half has layers of 14 px, twice as strong as those of 18 px below it.
    rows = np.arange(504.0)[:, None]
    upper = rows < 252
    turns = np.where(upper, rows / 14, 18 + (rows - 252) / 18) + np.zeros(12)
    strips = wave(turns, np.where(upper, 2.0, 1.0))
    found = local_period(strips, everywhere(strips), 15.0)
    assert found.mean_px == pytest.approx(504 / (18 + 14), rel=0.005)
    # The sd of the logarithms of as much area of either.
    assert found.spread == pytest.approx(np.log(18 / 14) / 2, rel=0.1)
    assert found.unevenness == pytest.approx(1 / 3, rel=0.1)


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
    assert (one.mean_px, one.unevenness) == pytest.approx((other.mean_px, other.unevenness))
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
