"""Measures the period by the spectrum of a granum's vertical profile."""

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

# A peak at half of the highest one's frequency is the period if it has this share of its height.
_OCTAVE_POWER = 0.5

_PADDING = 8  # length of the spectrum over the number of rows


def fft(image: ArrayLike, mask: ArrayLike) -> Period:
    """Measures the period at the peak of the spectrum of the crop's vertical profile.

    The profile is the mean over the columns inside of the mask, less a cubic trend, under a Hann
    window. Peaks are compared by power times frequency, as the power of the background falls with
    frequency. The highest peak with a period from 6 px to half of the granum's height is the
    period; but if a peak at half of its frequency is at least half as high, that one is, as the
    highest is its second harmonic. Bent or tilted lamellae blur the profile.

    Args:
      image: (rows, columns) grey values of the crop, its lamellae horizontal.
      mask: (rows, columns), True inside of the granum.

    Returns:
      The period; its quality is the share of the band's weighted power in the peak's main lobe.

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
