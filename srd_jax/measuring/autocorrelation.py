"""Measures a granum's period by local autocorrelation along its lamellae.

docs/methods.md, "Autocorrelation along the lamellae", explains the steps.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage, signal

from srd_jax.measuring.classical import (
    NOTHING,
    SHORTEST_PX,
    Period,
    granum,
    nothing_repeats,
    summit,
)
from srd_jax.measuring.local_period import local_period

# The period's peak has at least this share of the greatest prominence, which may be a multiple's.
_OCTAVE_PROMINENCE = 0.6
_LAGS = 4  # multiples of the period that are fitted


class Peaks(NamedTuple):
    """Shifts at which a granum repeats; each of them could be its period.

    Attributes:
      period_px: (N,) px of the crop.
      mean_px: (N,) mean over the granum of the local period near this period, px of the crop.
      height: (N,) normalised autocorrelation, up to 1.
      prominence: (N,) fall of the autocorrelation beside the peak before it rises higher.
      layers: (N,) height of the granum in such periods, mean of its columns.
      width: (N,) width of the granum in such periods.
      spread: (N,) sd of the local period's logarithm over the granum.
      change: (N,) relative change of mean_px with a wider filter.
      faint: (N,) share of the granum where waves near this period are faint.
      dislocations: (N,) number of points at which such lamellae end.
      shortening: (N,) relative difference between the vertical period and the period.
    """

    period_px: np.ndarray
    mean_px: np.ndarray
    height: np.ndarray
    prominence: np.ndarray
    layers: np.ndarray
    width: np.ndarray
    spread: np.ndarray
    change: np.ndarray
    faint: np.ndarray
    dislocations: np.ndarray
    shortening: np.ndarray


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


def peaks(image: ArrayLike, mask: ArrayLike, scale_px: float) -> Peaks:
    """Returns all candidates for the period, found as by `autocorrelation` at a known scale.

    Each is the place of its own peak and not fitted to multiples, because this is nearer to the
    mean over the granum where the distance of the lamellae varies.

    Args:
      image: (rows, columns) grey values of the crop, its lamellae about horizontal.
      mask: (rows, columns), True inside of the granum.
      scale_px: about one period, px of the crop.

    Returns:
      All peaks of the autocorrelation at a shift between 6 px and half of the height of the tallest
      column; there may be none.

    Raises:
      InputError: the granum is blank, or too low or narrow.
    """
    grey, inside = granum(image, mask)
    height = int(inside.sum(axis=0).max())
    strips, valid, cosine = _strips(grey, inside, scale_px, scale_px / 3)
    whole = _correlation(strips, valid)
    shifts, prominence = _peaks(whole, height)
    vertical = np.array([summit(whole, shift) for shift in shifts])
    about = [local_period(strips, valid, period) for period in vertical]
    mean, spread, change, faint, dislocations = np.array(about).reshape(-1, 5).T
    periods, width = vertical * cosine, inside.any(axis=0).sum()
    return Peaks(
        period_px=periods,
        mean_px=mean * cosine,
        height=whole[shifts],
        prominence=prominence,
        layers=inside.sum() / width / periods,
        width=width / periods,
        spread=spread,
        change=change,
        faint=faint,
        dislocations=dislocations,
        shortening=np.full(len(periods), 1 - cosine),
    )


def _followed(
    grey: np.ndarray, inside: np.ndarray, height: int, scale: float, background: float
) -> tuple[float, float, float]:
    """Returns vertical period (px), quality and cosine of the inclination, at a scale (px)."""
    strips, valid, cosine = _strips(grey, inside, scale, background)
    correlation = _correlation(strips, valid)
    peak = _first_peak(correlation, height)
    quality = np.clip(correlation[peak], 0, 1)
    return _over_lags(correlation, peak), float(quality), cosine


def _strips(
    grey: np.ndarray, inside: np.ndarray, scale: float, background: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Returns profiles of strips, where they are valid, and the cosine of the inclination.

    The inclination is the median one. Faults and noise make some slopes steep without moving the
    lamellae apart; for tilted or wavy lamellae, the median of the squared slope is also its mean.
    """
    waves = _even(grey, inside, background)
    slope, trust = _inclination(waves, inside, scale)
    some = np.s_[::2, ::2]  # slopes are smooth
    weights = trust[some].ravel()
    usual = np.quantile(abs(slope[some]).ravel(), 0.5, weights=weights, method="inverted_cdf")
    return *_along(waves, inside, slope, scale), 1 / math.hypot(1, usual)


def _even(grey: np.ndarray, inside: np.ndarray, background: float) -> np.ndarray:
    """Subtracts the background and divides by the local contrast; 0 outside of the mask.

    The background is a Gaussian mean with a standard deviation of `background` px.
    """

    def mean(values, sd):
        blurred, share = (
            ndimage.gaussian_filter(part, sd, mode="constant")
            for part in (np.where(inside, values, 0.0), inside.astype(float))
        )
        return blurred / np.maximum(share, 1e-9)

    waves = np.where(inside, grey - mean(grey, background), 0.0)
    contrast = np.sqrt(mean(waves**2, 2 * background))
    # Flat parts stay flat.
    return waves / np.maximum(contrast, 0.1 * waves.std())


def _inclination(
    waves: np.ndarray, inside: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the slope of the lamellae by the structure tensor, and its weight.

    Args:
      waves: (rows, columns) as `_even` gives them.
      inside: (rows, columns) bool.
      scale: about one period, px.

    Returns:
      slope: (rows, columns) rows per column, at most 0.6 up or down.
      trust: (rows, columns) squared coherence of the tensor inside of the mask, above 0 there.
    """
    # The mask's border looks like the edge of a lamella.
    deep = ndimage.binary_erosion(inside, iterations=4)
    down, right = np.gradient(ndimage.gaussian_filter(waves, scale / 6)) * deep
    across, along, mixed = (
        ndimage.gaussian_filter(product, 1.5 * scale, mode="constant")
        for product in (down**2, right**2, down * right)
    )
    slope = -np.tan(np.arctan2(2 * mixed, across - along) / 2)
    coherence = np.hypot(2 * mixed, across - along) / np.maximum(across + along, 1e-9)
    return np.clip(slope, -0.6, 0.6), np.where(inside, coherence**2 + 1e-6, 0.0)


def _along(
    waves: np.ndarray, inside: np.ndarray, slope: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the vertical profiles of strips, means along the lamellae, and where they are valid.

    Args:
      waves: (rows, columns) as `_even` gives them.
      inside: (rows, columns) bool.
      slope: (rows, columns) of the lamellae, rows per column.
      scale: about one period, px; a strip is 1.5 times as wide, and overlaps half of the next.

    Returns:
      profiles: (rows, strips), each of mean 0 where it is valid and 0 elsewhere.
      valid: (rows, strips) bool, True where most of a strip is inside of the mask.
    """
    half = min(math.ceil(0.75 * scale), waves.shape[1] // 2)
    columns = np.arange(half, max(waves.shape[1] - half, half + 1), half)
    rows = np.arange(len(waves))[:, None]
    total, count = np.zeros((2, len(waves), len(columns)))
    for offset in range(-half, half + 1):
        at = np.broadcast_arrays(rows + offset * slope[:, columns], columns + offset)
        total += ndimage.map_coordinates(waves, at, order=1)
        count += ndimage.map_coordinates(inside.astype(float), at, order=1)
    valid = (count > half) & inside[:, columns]
    profiles = np.where(valid, total / np.maximum(count, 1), 0.0)
    means = profiles.sum(axis=0) / np.maximum(valid.sum(axis=0), 1)
    return np.where(valid, profiles - means, 0.0), valid


def _correlation(strips: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Returns the autocorrelation of all strips over the shift in px, from 0 on.

    Each shift is normalised by the energy of its valid pairs of pixels. The result ends at the
    first shift whose pairs are fewer than 15 % of the pixels.
    """
    rows = len(strips)

    def pairs(first, second):
        one, other = (np.fft.rfft(part, 2 * rows, axis=0) for part in (first, second))
        return np.fft.irfft((np.conj(one) * other).sum(axis=1), 2 * rows)[:rows]

    mask, energy = valid.astype(float), strips**2
    count = pairs(mask, mask)
    enough = np.logical_and.accumulate(count > 0.15 * count[0])
    norm = np.sqrt(np.maximum(pairs(energy, mask) * pairs(mask, energy), 1e-12))
    return (pairs(strips, strips) / norm)[enough]


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
