"""Measurements of a granum's period without a network: by the spectrum, and what they share.

They measure the mean distance of adjacent lamellae on the whole crop inside of its mask, on the
host, and give with it a quality from 0 to 1, whose meaning each of them states. The other one is
in `autocorrelation`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import signal

from srd_jax.imaging.masks import check_lengths, tight_box
from srd_jax.support.errors import InputError

# Below it, the grain of a micrograph passes for lamellae.
SHORTEST_PX = 6.0

# What a peak at half of the frequency needs of the highest one's height, to be the period.
_OCTAVE_POWER = 0.5

# Relative to the image's contrast or to a perfect repetition: what is lower is rounding.
NOTHING = 1e-3

_PADDING = 8  # the spectrum's zero padding, times the number of rows


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
    grey, inside = granum(image, mask)
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
    if not len(peaks) or np.ptp(waves) < NOTHING * np.ptp(grey[inside]):
        raise nothing_repeats(height)
    peak = highest = peaks[weighted[peaks].argmax()]
    half = peaks[np.abs(peaks - highest / 2) <= size / height]
    if len(half) and weighted[half].max() >= _OCTAVE_POWER * weighted[highest]:
        peak = half[weighted[half].argmax()]
    lobe = band & (np.abs(frequency - frequency[peak]) <= 2 / height)
    period = size / summit(power, peak)
    return Period(period, float(weighted[lobe].sum() / weighted[band].sum()))


def granum(image: ArrayLike, mask: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Returns grey values and mask of the granum's tight box, float64 and bool.

    Raises:
      InputError: the granum is blank, too low or narrow, or a grey value isn't finite.
    """
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


def nothing_repeats(height: int) -> InputError:
    """Returns the error of a granum of some height, px, in which no period is found."""
    return InputError(
        f"nothing repeats; accepted are lamellae with a period from {SHORTEST_PX:g} px to "
        f"{height / 2:g} px, half of the granum's height"
    )


def summit(values: np.ndarray, peak: int) -> float:
    """Returns the place of the top of the parabola through a peak and its two neighbours."""
    before, at, after = values[peak - 1 : peak + 2]
    return float(peak + (before - after) / (2 * (before - 2 * at + after)))
