"""The period of lamellae from place to place, and its mean over the area of a granum.

Around each pixel of a strip, a band-pass filter leaves one wave; the rate at which its phase grows
is the local frequency (the instantaneous frequency of an analytic signal, Gabor 1946).
"""

from typing import NamedTuple

import numpy as np
from scipy.fft import next_fast_len

_WINDOW = 0.8  # sd of the filter's window, periods
# Lower and higher local frequencies, relative to that of the whole, are noise.
_LOWEST, _HIGHEST = 0.7, 1.4
# Blocks over which the frequency's spread is taken: so many abreast, each so many periods high.
_ABREAST, _HIGH = 8, 2.0
# Least spread, as blocks agree by chance; and that of a granum of a single block.
_LEAST_SPREAD, _USUAL_SPREAD = 0.001, 0.05


class LocalPeriod(NamedTuple):
    """The period over the area of a granum.

    Attributes:
      mean_px: its mean, px of the strips: the area over the number of layers that it holds, as for
        somebody who counts them.
      spread: sd of its logarithm over blocks of the granum.
      unevenness: sd of the waves' amplitude relative to its mean.
    """

    mean_px: float
    spread: float
    unevenness: float


def local_period(strips: np.ndarray, valid: np.ndarray, period_px: float) -> LocalPeriod:
    """Measures the period place by place, about a known one.

    Args:
      strips: (rows, strips) grey values along lines across the lamellae, of mean 0 and 0 where
        not valid; strips stand for equal widths.
      valid: (rows, strips) bool, where they are inside of the granum; somewhere they are.
      period_px: about the period, px.
    """
    size = next_fast_len(2 * len(strips))
    spectrum = np.fft.fft(strips, size, axis=0)
    lowest, highest = _LOWEST / period_px, _HIGHEST / period_px

    def around(period):
        """Returns local frequency, amplitude and mean period in a window of a period."""
        frequency, amplitude = _waves(spectrum, len(strips), period)
        frequency = np.clip(frequency, lowest, highest)
        return frequency, amplitude, 1 / float(frequency[valid].mean())

    *_, first = around(period_px)
    frequency, amplitude, mean = around(first)
    some = amplitude[valid]
    unevenness = float(some.std() / max(some.mean(), 1e-9))
    return LocalPeriod(mean, _spread(frequency * mean, valid, mean), unevenness)


def _waves(spectrum: np.ndarray, rows: int, period: float) -> tuple[np.ndarray, np.ndarray]:
    """Returns local frequency, cycles per px, and amplitude, both (rows, strips)."""
    frequency = np.fft.fftfreq(len(spectrum))[:, None]
    turns = 2 * np.pi * _WINDOW * (frequency * period - 1)
    band = spectrum * np.exp(-(turns**2) / 2)
    wave, slope = (
        np.fft.ifft(part, axis=0)[:rows] for part in (band, 2j * np.pi * frequency * band)
    )
    power = np.abs(wave) ** 2
    phase_rate = (slope * wave.conj()).imag / np.maximum(power, 1e-12)
    return phase_rate / (2 * np.pi), np.sqrt(power)


def _spread(relative: np.ndarray, valid: np.ndarray, period: float) -> float:
    """Returns the sd of a relative frequency's means over blocks that are mostly valid."""
    rows, strips = relative.shape
    down = max(round(rows / (_HIGH * period)), 2)

    def sums(values):
        for axis, (size, parts) in enumerate(((rows, down), (strips, min(_ABREAST, strips)))):
            starts = np.arange(parts) * size // parts
            values = np.add.reduceat(values, starts, axis=axis)
        return values

    count, area = sums(valid.astype(float)), sums(np.ones_like(relative))
    full = count >= 0.5 * area
    if full.sum() < 2:
        return _USUAL_SPREAD
    means = sums(np.where(valid, relative, 0.0))[full] / count[full]
    return max(float(means.std(ddof=1)), _LEAST_SPREAD)
