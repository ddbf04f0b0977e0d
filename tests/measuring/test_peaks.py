import math

import numpy as np
import pytest
from helpers.crops import ellipse, stripes
from helpers.lamellae import everywhere, lamellae, membranes

from srd_jax.imaging.crop import Crop
from srd_jax.measuring.autocorrelation import autocorrelation
from srd_jax.measuring.peaks import doubts, peaks


def at(found, period):
    """The index of the peak nearest to a period."""
    return int(np.abs(np.log(found.period_px / period)).argmin())


@pytest.mark.parametrize("distance", [0, 0.2, 0.3, 0.41])
@pytest.mark.parametrize("period", [6.0, 9.5, 14.0, 26.0, 45.0, 80.0, 150.0, 300.0])
def test_the_period_is_among_the_peaks_at_every_scale(period, distance):
    image = membranes(period, distance, columns=round(min(8 * period, 300)))
    for likely in ([1.1 * period], [period / 4, period / 2]):
        found = peaks(image, everywhere(image), likely)
        own = at(found, period)
        assert found.period_px[own] == pytest.approx(period, rel=0.01)
        # Fine lines that a whole shift misses by half a pixel are less alike.
        assert found.height[own] > 0.7
        assert found.layers[own] == pytest.approx(8, rel=0.01)
        assert found.uneven[own] < 0.1
        # Where a peak stands at a fraction, only a part of what repeats at the period does.
        for fraction in (1 / 2, 1 / 3):
            part = at(found, fraction * period)
            if found.period_px[part] == pytest.approx(fraction * period, rel=0.05):
                assert found.partial[part] > 0.2
                assert found.height[part] + found.partial[part] > 0.7


def test_no_peak_lies_beyond_three_quarters_of_the_height():
    image = lamellae(20.0, noise=0.5)
    found = peaks(image, everywhere(image), [20.0, 500.0])
    assert np.all(np.diff(found.period_px) > 0)
    assert found.period_px.min() >= 4
    assert found.period_px.max() <= 0.75 * 220 * 1.02


def test_what_repeats_at_another_distance_in_a_half_is_uneven():
    one, other = (
        lamellae(period, noise=0.05, seed=seed) for seed, period in ((0, 16.0), (1, 24.0))
    )
    for axis in (0, 1):
        image = np.concatenate([one, other], axis)
        found = peaks(image, everywhere(image), [16.0])
        near = at(found, 17.0)
        assert found.uneven[near] > 0.4
        # It is the other one's period, or a common multiple of both.
        times = found.other_px[near] / 24
        assert times == pytest.approx(max(round(times), 1), rel=0.05)
    for image in (one, lamellae(16.0, slope=0.1, bend=0.15), lamellae(16.0, shape=(440, 300))):
        found = peaks(image, everywhere(image), [16.0])
        assert found.uneven[at(found, 16.0)] == 0


def test_a_blank_half_is_no_other_granum():
    image = membranes(16.0, 0, layers=12)
    image[:, : len(image) // 2] = 0.5
    found = peaks(image, everywhere(image), [16.0])
    assert found.uneven[at(found, 16.0)] < 0.1


def crop(period, shape=(120, 150)):
    return Crop(stripes(0, shape, period) / np.float32(255), ellipse(shape), None, "")


def test_the_first_peak_is_the_autocorrelations_own():
    one = crop(16.5)
    expected = autocorrelation(one.image, one.mask)
    found = peaks(one.image, one.mask, [16.5])
    assert found.period_px[0] == pytest.approx(expected.period_px, rel=0.01)
    assert found.height[0] == pytest.approx(expected.quality, abs=0.05)
    assert found.period_px[1] == pytest.approx(2 * found.period_px[0], rel=0.05)


def test_the_spread_tells_whether_the_parts_of_a_granum_agree():
    shape = (120, 240)
    alike = peaks(stripes(0, shape, 15.0) / np.float32(255), np.ones(shape, bool), [15.0])
    # Stripes of 14 px beside stripes of 16 px.
    halves = [stripes(0, (120, 120), period) for period in (14.0, 16.0)]
    apart = peaks(np.concatenate(halves, axis=1) / np.float32(255), np.ones(shape, bool), [15.0])
    assert alike.spread[0] < 0.01
    # The sd of the logarithms of two periods in equal numbers.
    assert apart.spread[0] == pytest.approx(math.log(16 / 14) / 2, rel=0.25)
    assert apart.period_px[0] == pytest.approx(15, rel=0.02)
    assert apart.mean_px[0] == pytest.approx(2 / (1 / 14 + 1 / 16), rel=0.01)


def test_layers_are_counted_on_the_average_of_the_columns():
    # A tall part, a part of half of its height, and an empty part.
    mask = np.zeros((160, 300), bool)
    mask[:, :100], mask[40:120, 100:200] = True, True
    found = peaks(stripes(0, mask.shape, 16.0) / np.float32(255), mask, [16.0])
    assert found.layers[0] * found.period_px[0] == pytest.approx(120, abs=1)
    assert found.width[0] * found.period_px[0] == pytest.approx(200)


def test_a_fault_does_not_shorten_the_period():
    # The whole stack is one layer lower behind a slope of a fifth of its width.
    rows, columns = np.mgrid[:320, :300]
    shifted = rows - 16 * np.clip((columns - 120) / 60, 0, 1)
    image = (0.5 + np.sin(2 * np.pi * shifted / 16) / 3).astype(np.float32)
    found = peaks(image, np.ones(image.shape, bool), [16.0])
    assert found.period_px[0] == pytest.approx(16, rel=0.002)


def test_tilted_lamellae_are_measured_across_them():
    rows, columns = np.mgrid[:240, :300]
    image = (0.5 + np.sin(2 * np.pi * (rows - 0.2 * columns) / 16) / 3).astype(np.float32)
    found = peaks(image, np.ones(image.shape, bool), [16.0])
    cosine = 1 / math.hypot(1, 0.2)
    assert found.shortening[0] == pytest.approx(1 - cosine, rel=0.1)
    assert found.mean_px[0] == pytest.approx(16 * cosine, rel=0.005)


@pytest.mark.parametrize("layers", [1.4, 1.8])
def test_few_layers_that_hardly_repeat_may_show_a_fraction_of_the_period(layers):
    image = membranes(60.0, 0.41, layers)
    found = peaks(image, everywhere(image), [25.0])
    assert doubts(25.0, found)
    # As few layers that repeat as a whole aren't doubted.
    image = membranes(25.0, 0.0, 2 * layers)
    assert not doubts(25.0, peaks(image, everywhere(image), [25.0]))


@pytest.mark.parametrize("width", [3.0, 3.5])
def test_a_thin_steep_granum_has_no_peaks_but_breaks_nothing(width):
    # Nowhere is a strip of it valid for more than a few rows.
    rows, columns = np.indices((37, 22))
    mask = abs((columns - 11) * math.cos(0.5) + (rows - 18) * math.sin(0.5)) < width
    image = np.random.default_rng(0).random(mask.shape)
    found = peaks(image, mask, [12.0])
    assert np.isfinite(found.period_px).all()
    assert doubts(12.0, found)
