"""Classical measurements of a granum's period, without a network: spectrum and autocorrelation.

Both measure the mean distance of adjacent lamellae on the whole crop inside of its mask, on the
host, and give with it a quality from 0 to 1, whose meaning each of them states.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage, signal

from srd_jax.errors import InputError
from srd_jax.masks import check_lengths, tight_box

# Below it, the grain of a micrograph passes for lamellae.
SHORTEST_PX = 6.0

# What the other of two candidates an octave apart needs of the stronger one's height, to be the
# period: half of the frequency in the spectrum, half of the lag in the autocorrelation.
_OCTAVE_POWER, _OCTAVE_PROMINENCE = 0.5, 0.6

# Relative to the image's contrast or to a perfect repetition: what is lower is rounding.
_NOTHING = 1e-3

_PADDING = 8  # the spectrum's zero padding, times the number of rows
_LAGS = 4  # periods over which autocorrelation measures one


class Period(NamedTuple):
    """A period in px of the crop, and its quality from 0 to 1."""

    period_px: float
    quality: float


def fft(image: ArrayLike, mask: ArrayLike) -> Period:
    """Measures the period at the peak of the spectrum of the crop's vertical profile.

    The profile is the mean over the columns inside of the mask, less a cubic trend, under a Hann
    window. Peaks are compared by power times frequency, since the power of the background falls
    with it. The highest counts that has a period from 6 px to half of the granum's height, or else
    the one at half of its frequency, if that is half as high: then the highest was a second
    harmonic. Lamellae that bend or tilt blur the profile.

    Args:
      image: (rows, columns) grey values of the crop, its lamellae horizontal.
      mask: (rows, columns), True inside of the granum.

    Returns:
      The period, and as its quality the share of the band's weighted power that lies within the
      peak's main lobe.

    Raises:
      InputError: the granum is blank, too low or narrow, or its spectrum has no peak in the band.
    """
    grey, inside = _granum(image, mask)
    count = inside.sum(axis=1)
    height = len(count)
    profile = np.where(inside, grey, 0).sum(axis=1) / np.maximum(count, 1)
    row = np.linspace(-1, 1, height)
    trend = np.polynomial.Polynomial.fit(row, profile, 3, w=np.sqrt(count))(row)
    waves = np.where(count > 0, profile - trend, 0) * np.hanning(height)
    size = _PADDING * height
    frequency = np.fft.rfftfreq(size)
    power = np.abs(np.fft.rfft(waves, size)) ** 2
    weighted = frequency * power
    band = (frequency >= 2 / height) & (frequency <= 1 / SHORTEST_PX)
    peaks = signal.find_peaks(power)[0]
    peaks = peaks[band[peaks]]
    if not len(peaks) or np.ptp(waves) < _NOTHING * np.ptp(grey[inside]):
        raise _nothing(height)
    peak = highest = peaks[weighted[peaks].argmax()]
    half = peaks[np.abs(peaks - highest / 2) <= size / height]
    if len(half) and weighted[half].max() >= _OCTAVE_POWER * weighted[highest]:
        peak = half[weighted[half].argmax()]
    lobe = band & (np.abs(frequency - frequency[peak]) <= 2 / height)
    period = size / _summit(power, peak)
    return Period(period, float(weighted[lobe].sum() / weighted[band].sum()))


def autocorrelation(image: ArrayLike, mask: ArrayLike) -> Period:
    """Measures the period by local autocorrelation on strips that follow the lamellae.

    The background is taken off and the local contrast made even; the structure tensor gives the
    inclination of the lamellae everywhere; narrow strips of columns are averaged along it; their
    autocorrelations under the mask are averaged; up to four multiples of the period are fitted; and
    the vertical period is multiplied by the mean cosine of the inclination. All of it is done
    twice, the second time at the scale of the period that the first has found.

    Args:
      image: (rows, columns) grey values of the crop, its lamellae about horizontal.
      mask: (rows, columns), True inside of the granum.

    Returns:
      The period, and as its quality the normalised autocorrelation at a shift of one period, which
      is 1 for stripes that repeat exactly.

    Raises:
      InputError: the granum is blank, too low or narrow, or its autocorrelation has no peak at a
        shift between 6 px and half of the height of its tallest column.
    """
    grey, inside = _granum(image, mask)
    height = int(inside.sum(axis=0).max())
    # Of the first scales, only that of the background depends on the period sought.
    coarse, _, _ = _followed(grey, inside, height, 2 * SHORTEST_PX, height / 8)
    period, quality, cosine = _followed(grey, inside, height, coarse, coarse / 3)
    return Period(period * cosine, quality)


def _granum(image: ArrayLike, mask: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Returns grey values and mask of the granum's tight box, float64 and bool."""
    grey, inside = np.asarray(image, np.float64), np.asarray(mask).astype(bool)
    if grey.ndim != 2 or grey.shape != inside.shape:
        raise InputError(
            f"image of shape {grey.shape} with a mask of shape {inside.shape}; "
            "accepted are two arrays of the same (rows, columns)"
        )
    row0, row1, column0, column1 = tight_box(inside)
    box = np.s_[row0:row1, column0:column1]
    grey, inside = grey[box], inside[box]
    check_lengths(*inside.shape)
    values = grey[inside]
    if not np.isfinite(values).all():
        raise InputError("grey values of the granum aren't finite; accepted are finite ones")
    if values.min() == values.max():
        raise InputError(
            f"every pixel of the granum has the grey value {values[0]:.3g}; "
            "accepted is an image of lamellae"
        )
    if (height := int(inside.sum(axis=0).max())) < 2 * SHORTEST_PX:
        raise InputError(
            f"the granum is {height} px high; accepted are at least {2 * SHORTEST_PX:g} px, "
            f"two periods of {SHORTEST_PX:g} px"
        )
    return grey, inside


def _nothing(height: int) -> InputError:
    return InputError(
        f"nothing repeats; accepted are lamellae with a period from {SHORTEST_PX:g} px to "
        f"{height / 2:g} px, half of the granum's height"
    )


def _followed(
    grey: np.ndarray, inside: np.ndarray, height: int, scale: float, background: float
) -> tuple[float, float, float]:
    """Returns vertical period, quality and mean cosine of the inclination, at a scale."""
    waves = _even(grey, inside, background)
    slope, trust = _inclination(waves, inside, scale)
    correlation = _correlation(*_along(waves, inside, slope, scale))
    peak = _first_peak(correlation, height)
    cosine = np.average(1 / np.hypot(1, slope), weights=trust)
    quality = np.clip(correlation[peak], 0, 1)
    return _over_lags(correlation, peak), float(quality), float(cosine)


def _even(grey: np.ndarray, inside: np.ndarray, background: float) -> np.ndarray:
    """Takes the background off and divides by the local contrast; 0 outside of the mask.

    The background is a Gaussian mean, whose standard deviation is given in px.
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
    """Returns the slope of the lamellae by the structure tensor, and how far to trust it.

    Args:
      waves: (rows, columns) as `_even` gives them.
      inside: (rows, columns) bool.
      scale: about one period, px.

    Returns:
      slope: (rows, columns) rows per column, at most 0.6 up or down.
      trust: (rows, columns) squared coherence of the tensor inside of the mask, above 0 there.
    """
    # The mask's border would pass for an edge of a lamella.
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
    """Returns vertical profiles, each the mean of a strip along the lamellae, and where they hold.

    Args:
      waves: (rows, columns) as `_even` gives them.
      inside: (rows, columns) bool.
      slope: (rows, columns) of the lamellae, rows per column.
      scale: about one period, px; a strip is 1.5 times as wide, and overlaps half of the next.

    Returns:
      profiles: (rows, strips), each of mean 0 where it holds and 0 elsewhere.
      valid: (rows, strips) bool, where most of a strip is inside of the mask.
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

    Each shift is normalised by the energy of its valid pairs of pixels, and left out, with all
    longer ones, where these are fewer than 15 % of the pixels.
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
    """Returns the shift of the first peak that stands out nearly as much as the best one.

    That is one period where every second lamella differs a little, and where the profile has a
    second harmonic.

    Raises:
      InputError: there is no peak.
    """
    peaks, found = signal.find_peaks(correlation[: height // 2 + 2], prominence=_NOTHING)
    prominence = found["prominences"][peaks >= SHORTEST_PX]
    peaks = peaks[peaks >= SHORTEST_PX]
    if not len(peaks):
        raise _nothing(height)
    return int(peaks[prominence >= _OCTAVE_PROMINENCE * prominence.max()][0])


def _over_lags(correlation: np.ndarray, peak: int) -> float:
    """Returns the period that fits the peaks at its first multiples, px.

    The fit is by least squares through the origin, weighted by the heights; it ends at a multiple
    whose peak is lower than a quarter of the first, or further than a quarter of a period away.
    """
    first = correlation[peak]
    period, products, squares = _summit(correlation, peak), 0.0, 0.0
    for number in range(1, _LAGS + 1):
        low, high = math.floor((number - 0.25) * period), math.ceil((number + 0.25) * period)
        if high + 1 >= len(correlation):
            break
        top = low + int(correlation[low : high + 1].argmax())
        if top in (low, high) or correlation[top] <= 0.25 * first:
            break
        products += correlation[top] * number * _summit(correlation, top)
        squares += correlation[top] * number**2
        period = products / squares
    return period


def _summit(values: np.ndarray, peak: int) -> float:
    """Returns the place of the top of the parabola through a peak and its two neighbours."""
    before, at, after = values[peak - 1 : peak + 2]
    return float(peak + (before - after) / (2 * (before - 2 * at + after)))
