"""Follows the lamellae of a granum: strips across them, and how well these repeat.

docs/methods.md, "Autocorrelation along the lamellae", explains the steps.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage


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
    slope, trust = _inclination(waves, inside, scale)
    some = np.s_[::2, ::2]  # slopes are smooth
    weights = trust[some].ravel()
    usual = np.quantile(abs(slope[some]).ravel(), 0.5, weights=weights, method="inverted_cdf")
    profiles, valid, columns = _along(waves, inside, slope, scale)
    return Strips(profiles, valid, columns, slope[:, columns], 1 / math.hypot(1, usual))


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
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the vertical profiles of strips, means along the lamellae, and where they are valid.

    Args:
      waves: (rows, columns) as `_even` gives them.
      inside: (rows, columns) bool.
      slope: (rows, columns) of the lamellae, rows per column.
      scale: about one period, px; a strip is 1.5 times as wide, and overlaps half of the next.

    Returns:
      profiles: (rows, strips), each of mean 0 where it is valid and 0 elsewhere.
      valid: (rows, strips) bool, True where most of a strip is inside of the mask.
      columns: (strips,) of their middles.
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
    return np.where(valid, profiles - means, 0.0), valid, columns


def correlation(profiles: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Returns the autocorrelation of all strips over the shift in px, from 0 on.

    Each shift is normalised by the energy of its valid pairs of pixels. The result ends at the
    first shift whose pairs are fewer than 15 % of the pixels.
    """
    rows = len(profiles)

    def pairs(first, second):
        one, other = (np.fft.rfft(part, 2 * rows, axis=0) for part in (first, second))
        return np.fft.irfft((np.conj(one) * other).sum(axis=1), 2 * rows)[:rows]

    mask, energy = valid.astype(float), profiles**2
    count = pairs(mask, mask)
    enough = np.logical_and.accumulate(count > 0.15 * count[0])
    norm = np.sqrt(np.maximum(pairs(energy, mask) * pairs(mask, energy), 1e-12))
    return (pairs(profiles, profiles) / norm)[enough]
