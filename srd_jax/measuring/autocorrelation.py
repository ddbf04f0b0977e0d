"""Measures a granum's period by local autocorrelation along its lamellae.

docs/methods.md, "Autocorrelation along the lamellae", explains the steps.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from srd_jax.measuring.classical import (
    SHORTEST_PX,
    Period,
    granum,
    nothing_repeats,
    summit,
)
from srd_jax.measuring.peaks import Peaks, at_scale, lack, often_seen, peaks
from srd_jax.measuring.strips import correlation, strips

# The period's peak counts at least so much relative to the one that counts most, which may be a
# multiple's; a peak that lacks so much of a later one's height counts little.
_OCTAVE_SHARE, _LACK = 0.5, 0.3
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
    first = _first_whole(peaks(grey, inside, ()), height)
    small, part, factor = at_scale(grey, inside, first)
    profiles, valid, cosine = strips(small, part, first / factor, first / factor / 3)
    found = correlation(profiles, valid)
    peak = _top(found, first / factor / cosine, 0.25 * first / factor)
    if peak is None:
        raise nothing_repeats(height)
    quality = float(np.clip(found[peak], 0, 1))
    return Period(_over_lags(found, peak) * cosine * factor, quality)


def _first_whole(found: Peaks, height: int) -> float:
    """Returns the first period at which nearly everything repeats, px.

    It is one period where every second lamella differs a little, and where the profile has a second
    harmonic.

    Raises:
      InputError: there is no peak.
    """
    share = found.prominence * np.exp(-((lack(found) / _LACK) ** 2)) * often_seen(found)
    share[(found.period_px < SHORTEST_PX) | (found.period_px > height / 2)] = 0.0
    if not share.any():
        raise nothing_repeats(height)
    return float(found.period_px[share >= _OCTAVE_SHARE * share.max()][0])


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
