"""Follows the lamellae of a granum: strips across them, and how well these repeat.

docs/methods.md, "Autocorrelation along the lamellae", explains the steps.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.fft import next_fast_len

from srd_jax.support.gaussian import gaussian_mean, mean_along_rows, mean_at


class Strips(NamedTuple):
    """Profiles across the lamellae of a granum, each a mean along the lamellae.

    Attributes:
      profiles: (rows, strips) grey values, each strip of mean 0 where it is valid, 0 elsewhere.
      valid: (rows, strips) bool, True where most of a strip is inside of the mask.
      columns: (strips,) their middle columns, evenly spaced.
      slope: (rows, strips) of the lamellae there, rows per column.
      cosine: of the median inclination.
    """

    profiles: np.ndarray
    valid: np.ndarray
    columns: np.ndarray
    slope: np.ndarray
    cosine: float


def strips(
    grey: np.ndarray, inside: np.ndarray, scale: float, background: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Returns profiles of strips, where they are valid, and the cosine of the inclination."""
    found = follow(grey, inside, scale, background)
    return found.profiles, found.valid, found.cosine


def follow(grey: np.ndarray, inside: np.ndarray, scale: float, background: float) -> Strips:
    """Returns strips across the lamellae, 1.5 periods wide; each overlaps half of the next.

    The inclination is the median one. Faults and noise make some slopes steep without moving the
    lamellae apart; for tilted or wavy lamellae, the median of the squared slope is also its mean.

    Args:
      grey: (rows, columns) grey values.
      inside: (rows, columns) bool mask.
      scale: about one period, px.
      background: sd of the Gaussian mean that is subtracted, px.
    """
    waves = _even(grey, inside, background)
    half = min(math.ceil(0.75 * scale), waves.shape[1] // 2)
    columns = np.arange(half, max(waves.shape[1] - half, half + 1), half)
    slope, usual = _inclination(waves, inside, scale, columns)
    profiles, valid = _along(waves, inside, slope, columns, half)
    return Strips(profiles, valid, columns, slope, 1 / math.hypot(1, usual))


def _even(grey: np.ndarray, inside: np.ndarray, background: float) -> np.ndarray:
    """Subtracts the background and divides by the local contrast; 0 outside of the mask.

    The background is a Gaussian mean with a standard deviation of `background` px.
    """

    def mean(values, sd):
        both = np.empty((2, *values.shape))
        both[0], both[1] = values, inside
        blurred, share = gaussian_mean(both, sd)
        return blurred / np.maximum(share, 1e-9)

    waves = np.where(inside, grey - mean(np.where(inside, grey, 0.0), background), 0.0)
    contrast = np.sqrt(mean(waves**2, 2 * background))
    # Flat parts stay flat.
    return waves / np.maximum(contrast, 0.1 * waves.std())


def _inclination(
    waves: np.ndarray, inside: np.ndarray, scale: float, columns: np.ndarray
) -> tuple[np.ndarray, float]:
    """Returns the slopes of the lamellae by the structure tensor, rows per column.

    Args:
      waves: (rows, columns) as `_even` gives them.
      inside: (rows, columns) bool.
      scale: about one period, px.
      columns: (strips,) whose slopes are asked for.

    Returns:
      slope: (rows, strips) in these columns, at most 0.6 up or down.
      usual: median of all slopes without their sign, weighted by the tensor's squared coherence.
    """
    # The mask's border looks like the edge of a lamella.
    deep = ndimage.binary_erosion(inside, iterations=4)
    margin = math.ceil(scale)
    padded = np.pad(waves, margin, "symmetric")
    smooth = gaussian_mean(padded, scale / 6)[margin:-margin, margin:-margin]
    down, right = (slope * deep for slope in np.gradient(smooth))
    products, sd = np.empty((3, *waves.shape)), 1.5 * scale
    products[0], products[1], products[2] = down**2, right**2, down * right
    slope, _ = _direction(*mean_along_rows(mean_at(products, sd, columns), sd))
    # Slopes are smooth: some are enough for their median.
    slopes, coherence = _direction(*gaussian_mean(products, sd, step=2))
    some = inside[::2, ::2]
    return slope, _median(np.abs(slopes[some]), coherence[some] ** 2 + 1e-6)


def _direction(
    across: np.ndarray, along: np.ndarray, mixed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns slope and coherence of structure tensors."""
    slope = -np.tan(np.arctan2(2 * mixed, across - along) / 2)
    coherence = np.hypot(2 * mixed, across - along) / np.maximum(across + along, 1e-9)
    return np.clip(slope, -0.6, 0.6), coherence


def _median(values: np.ndarray, weights: np.ndarray) -> float:
    """Returns the weighted median of (N,) values, 0 if there are none."""
    if not len(values):
        return 0.0
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(below, 0.5 * below[-1])]])


def _along(
    waves: np.ndarray, inside: np.ndarray, slope: np.ndarray, columns: np.ndarray, half: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the vertical profiles of strips, means along the lamellae, and where they are valid.

    Args:
      waves: (rows, columns) as `_even` gives them.
      inside: (rows, columns) bool.
      slope: (rows, strips) of the lamellae in the middle columns of the strips, rows per column.
      columns: (strips,) these columns.
      half: of a strip's width, px.

    Returns:
      profiles: (rows, strips), each of mean 0 where it is valid and 0 elsewhere.
      valid: (rows, strips) bool, True where most of a strip is inside of the mask.
    """
    rows, last = np.arange(len(waves)), len(waves) - 1
    # Both images as one, column after column; the last strip may end one column beyond them.
    both = np.zeros((waves.shape[1] + 1, len(waves)), complex)
    both[:-1] = waves.T + 1j * inside.T
    both, steep = both.ravel(), slope.T.copy()
    found = np.zeros(steep.shape, complex)
    for offset in range(-half, half + 1):
        at = offset * steep + rows
        above = at.astype(int)
        share = at - above
        above += len(waves) * (columns + offset)[:, None]
        values = both.take(above, mode="clip")
        above += 1
        values += share * (both.take(above, mode="clip") - values)
        values[(at < 0) | (at > last)] = 0  # beyond the first and the last row
        found += values
    total, count = np.real(found).T, np.imag(found).T
    # Where the mask's border runs through the middle, the count is half, but for its rounding.
    valid = (count > half + 1e-6) & inside[:, columns]
    profiles = np.where(valid, total / np.maximum(count, 1), 0.0)
    means = profiles.sum(axis=0) / np.maximum(valid.sum(axis=0), 1)
    return np.where(valid, profiles - means, 0.0), valid


def correlation(profiles: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Returns the autocorrelation of all strips over the shift in px, see `correlations`."""
    return correlations(profiles, valid, [slice(None)])[0]


def correlations(
    profiles: np.ndarray, valid: np.ndarray, parts: Sequence[slice]
) -> list[np.ndarray]:
    """Returns the autocorrelations of some of the strips over the shift in px, from 0 on.

    Each shift is normalised by the energy of its valid pairs of pixels. A result ends at the first
    shift whose pairs are fewer than 15 % of the pixels.

    Args:
      profiles: (rows, strips), 0 where not valid.
      valid: (rows, strips) bool.
      parts: of the strips, for each result.
    """
    rows = len(profiles)
    size = next_fast_len(2 * rows, real=True)
    mask, energy, waves = (
        np.fft.rfft(values, size, axis=0) for values in (valid.astype(float), profiles**2, profiles)
    )
    products = np.stack([np.conj(one) * one for one in (mask, waves)] + [np.conj(energy) * mask])
    found = []
    for part in parts:
        count, pairs, energies = np.fft.irfft(products[..., part].sum(axis=2), size)
        # The first pixel's energy in a pair is the second one's at the opposite shift.
        both = energies[:rows] * np.roll(energies[::-1], 1)[:rows]
        # Counts are whole numbers but for their rounding, which must not decide.
        enough = np.logical_and.accumulate(count[:rows] > 0.15 * count[0] + 0.01)
        found.append((pairs[:rows] / np.sqrt(np.maximum(both, 1e-12)))[enough])
    return found
