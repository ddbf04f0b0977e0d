"""Measures the period of lamellae from place to place, and its mean over a granum's area.

A band-pass filter leaves one wave around each pixel of a strip. The rate at which its phase grows
is the local frequency (the instantaneous frequency of an analytic signal, Gabor 1946).
docs/methods.md, "The local period", explains the steps.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.fft import next_fast_len

# Sd of the filter's window, and of a wider window for `change`, periods.
_WINDOW, _WIDER = 0.8, 1.2
# Lower and higher local frequencies, relative to the whole granum's frequency, are noise.
_LOWEST, _HIGHEST = 0.7, 1.4
_FAINT = 0.5  # amplitude, relative to the median
# Blocks for the frequency's spread: their number across the granum, and their height in periods.
_ABREAST, _HIGH = 8, 2.0
# Less spread or change than this is chance; and the spread where a granum has one block only.
_LEAST, _USUAL_SPREAD = 0.001, 0.05


class LocalPeriod(NamedTuple):
    """The period over the area of a granum.

    Attributes:
      mean_px: mean, px of the strips: the area divided by the number of layers in it, as if
        somebody counted them.
      spread: sd of the period's logarithm over blocks of the granum.
      change: relative change of the mean with a wider filter.
      faint: share of the area where the waves' amplitude is below half of its median.
      dislocations: number of points around which the phase doesn't close, as at the end of a
        lamella; noise makes some, too.
    """

    mean_px: float
    spread: float
    change: float
    faint: float
    dislocations: int


def local_period(strips: np.ndarray, valid: np.ndarray, period_px: float) -> LocalPeriod:
    """Measures the period from place to place, near a known period.

    Args:
      strips: (rows, strips) grey values along lines across the lamellae, of mean 0, and 0 where not
        valid; all strips are equally wide.
      valid: (rows, strips) bool, True inside of the granum, at least once.
      period_px: about the period, px.
    """
    size = next_fast_len(2 * len(strips))
    spectrum = np.fft.fft(strips, size, axis=0)
    lowest, highest = _LOWEST / period_px, _HIGHEST / period_px

    def around(period: float, window: float = _WINDOW):
        """Returns waves, their local frequency and their mean period, by a window in periods."""
        wave, frequency = waves(spectrum, len(strips), period, window * period)
        frequency = np.clip(frequency, lowest, highest)
        return wave, frequency, 1 / float(frequency[valid].mean())

    *_, first = around(period_px)
    wave, frequency, mean = around(first)
    *_, in_wider = around(mean, _WIDER)
    amplitude = np.abs(wave)[valid]
    return LocalPeriod(
        mean_px=mean,
        spread=_spread(frequency * mean, valid, mean),
        change=max(abs(math.log(in_wider / mean)), _LEAST),
        faint=float(np.mean(amplitude < _FAINT * np.median(amplitude))),
        dislocations=_dislocations(wave, valid),
    )


def waves(
    spectrum: np.ndarray, rows: int, period: float, window: float
) -> tuple[np.ndarray, np.ndarray]:
    """Returns complex waves near a period and their frequency, cycles per px: (rows, strips)."""
    frequency = np.fft.fftfreq(len(spectrum))[:, None]
    turns = 2 * np.pi * window * (frequency - 1 / period)
    band = spectrum * np.exp(-(turns**2) / 2)
    wave, slope = (
        np.fft.ifft(part, axis=0)[:rows] for part in (band, 2j * np.pi * frequency * band)
    )
    phase_rate = (slope * wave.conj()).imag / np.maximum(np.abs(wave) ** 2, 1e-12)
    return wave, phase_rate / (2 * np.pi)


def _dislocations(wave: np.ndarray, valid: np.ndarray) -> int:
    """Returns the number of squares of four valid pixels around which the phase doesn't close."""
    down, right = np.angle(wave[1:] * wave[:-1].conj()), np.angle(wave[:, 1:] * wave[:, :-1].conj())
    around = right[:-1] + down[:, 1:] - right[1:] - down[:, :-1]
    corners = valid[1:, 1:] & valid[1:, :-1] & valid[:-1, 1:] & valid[:-1, :-1]
    return int(np.sum(corners & (np.abs(around) > np.pi)))


def _spread(relative: np.ndarray, valid: np.ndarray, period: float) -> float:
    """Returns the sd of the relative frequency's means over blocks that are mostly valid."""
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
    return max(float(means.std(ddof=1)), _LEAST)
