"""Measures a granum's period by local autocorrelation along its lamellae.

docs/methods.md, "Autocorrelation along the lamellae", explains the steps.
"""

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import signal

from srd_jax.measuring.classical import (
    NOTHING,
    SHORTEST_PX,
    Period,
    granum,
    nothing_repeats,
    summit,
)
from srd_jax.measuring.strips import correlation, strips

# The period's peak has at least this share of the greatest prominence, which may be a multiple's.
_OCTAVE_PROMINENCE = 0.6
_LAGS = 4  # multiples of the period that are fitted


def autocorrelation(image: ArrayLike, mask: ArrayLike) -> Period:
    """Measures the period by local autocorrelation on strips that follow the lamellae.

    The measurement is made twice, the second time at the scale of the period found first.

    Args:
      image: (rows, columns) grey values of the crop, its lamellae about horizontal.
      mask: (rows, columns), True inside of the granum.

    Returns:
      The period, px of the crop. Its quality is the normalised autocorrelation at a shift of one
      period, which is 1 for stripes that repeat exactly.

    Raises:
      InputError: the granum is blank, too low or narrow, or its autocorrelation has no peak at a
        shift between 6 px and half of the height of its tallest column.
    """
    grey, inside = granum(image, mask)
    height = int(inside.sum(axis=0).max())
    # The period isn't known yet: the background's scale follows from the granum's height.
    coarse, _, _ = _followed(grey, inside, height, 2 * SHORTEST_PX, height / 8)
    period, quality, cosine = _followed(grey, inside, height, coarse, coarse / 3)
    return Period(period * cosine, quality)


def _followed(
    grey: np.ndarray, inside: np.ndarray, height: int, scale: float, background: float
) -> tuple[float, float, float]:
    """Returns vertical period (px), quality and cosine of the inclination, at a scale (px)."""
    profiles, valid, cosine = strips(grey, inside, scale, background)
    found = correlation(profiles, valid)
    peak = _first_peak(found, height)
    quality = np.clip(found[peak], 0, 1)
    return _over_lags(found, peak), float(quality), cosine


def _first_peak(correlation: np.ndarray, height: int) -> int:
    """Returns the shift of the first peak that is nearly as prominent as the most prominent one.

    It is one period where every second lamella differs a little, and where the profile has a second
    harmonic.

    Raises:
      InputError: there is no peak.
    """
    shifts, prominence = _peaks(correlation, height)
    if not len(shifts):
        raise nothing_repeats(height)
    return int(shifts[prominence >= _OCTAVE_PROMINENCE * prominence.max()][0])


def _peaks(correlation: np.ndarray, height: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the shifts (px) and prominences of the peaks from 6 px to half of the height."""
    shifts, found = signal.find_peaks(correlation[: height // 2 + 2], prominence=NOTHING)
    band = shifts >= SHORTEST_PX
    return shifts[band], found["prominences"][band]


def _over_lags(correlation: np.ndarray, peak: int) -> float:
    """Returns the period that fits the peaks at its first multiples, px.

    The fit is by least squares through the origin, weighted by the peaks' heights. It ends at a
    multiple with a peak lower than a quarter of the first, or with none within a quarter of a
    period.
    """
    first = correlation[peak]
    period, products, squares = summit(correlation, peak), 0.0, 0.0
    for number in range(1, _LAGS + 1):
        top = _top(correlation, number * period, 0.25 * period)
        if top is None or correlation[top] <= 0.25 * first:
            break
        products += correlation[top] * number * summit(correlation, top)
        squares += correlation[top] * number**2
        period = products / squares
    return period


def _top(correlation: np.ndarray, around: float, reach: float) -> int | None:
    """Returns the shift of the highest value near a shift, px; None where it is at either end."""
    low, high = math.floor(around - reach), math.ceil(around + reach)
    if high + 1 >= len(correlation):
        return None
    top = low + int(correlation[low : high + 1].argmax())
    return None if top in (low, high) else top
