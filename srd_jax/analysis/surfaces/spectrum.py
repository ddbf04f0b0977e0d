"""Finds the lattice of a region by peaks of its power spectrum: where it is, and its spacing."""

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
from scipy import ndimage

# Rows and columns of the windows whose spectra are compared; larger regions are also reduced.
_WINDOW = 256
# Spacings that are looked for in a window, px (finer lattices have walls under a pixel), and as a
# share of its shorter side.
_SHORTEST, _LONGEST = 8.0, 0.3
# Least share of a window that is inside of the mask.
_LEAST_INSIDE = 0.3
# A second peak counts from this angle to the first one, and more than the first one does, so that
# lamellae don't look like a lattice. No single peak counts for more than so much.
_APART = np.radians(25)
_SECOND, _MOST = 2.0, 60.0
_LEAST_LEVEL = 3e-4  # of the spectrum's noise, over the highest peak
# Of the peaks that are clear, and this high beside the clearest one, the strongest is taken.
_CLEAR, _CLEAR_SHARE = 6.0, 0.1


@dataclasses.dataclass(frozen=True)
class Lattice:
    """Where a region shows a lattice most clearly.

    Attributes:
      spacing: of the strongest row of the lattice, px of the region.
      centre: row and column of the middle of the window, px of the region.
      clearness: logarithm of how much the peaks stand out of the spectrum's noise; under about 5
        noise has such peaks, too.
    """

    spacing: float
    centre: tuple[float, float]
    clearness: float


def find_lattice(
    grey: np.ndarray, mask: np.ndarray, spacings: tuple[float, float] = (0.0, math.inf)
) -> Lattice:
    """Finds the window of the clearest lattice.

    Args:
      grey: (R, C) float.
      mask: (R, C) bool.
      spacings: least and greatest of its strongest row, px.
    """
    low, high = spacings
    found = [
        dataclasses.replace(
            one,
            spacing=one.spacing * factor,
            centre=(one.centre[0] * factor, one.centre[1] * factor),
        )
        for factor, image, inside in _reductions(grey, mask)
        for one in _windows(image, inside, (low / factor, high / factor))
    ]
    if not found:  # a mask so thin that no window is inside
        rows, columns = np.nonzero(mask)
        centre = float(rows.mean()), float(columns.mean())
        return Lattice(float(np.clip(min(grey.shape) / 4, low, high)), centre, 0.0)
    return max(found, key=lambda one: one.clearness)


def _reductions(grey: np.ndarray, mask: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yields the region at halves of its size, as long as that is larger than a window."""
    factor, share = 1, mask.astype(np.float32)
    image = np.where(mask, grey, 0).astype(np.float32)
    while True:
        yield factor, image / np.maximum(share, 1e-6), share > 0.5
        if min(image.shape) < 2 * _WINDOW:
            return
        rows, columns = (n // 2 for n in image.shape)
        image, share = (
            one[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2).mean(axis=(1, 3))
            for one in (image, share)
        )
        factor *= 2


def _windows(
    image: np.ndarray, inside: np.ndarray, spacings: tuple[float, float]
) -> Iterator[Lattice]:
    """Yields the lattice of each window, half a window apart."""
    sizes = [min(_WINDOW, n) for n in image.shape]
    starts = [
        np.unique(np.linspace(0, n - size, 1 + int(np.ceil((n - size) / (size / 2)))).astype(int))
        for n, size in zip(image.shape, sizes, strict=True)
    ]
    for top in starts[0]:
        for left in starts[1]:
            part = np.s_[top : top + sizes[0], left : left + sizes[1]]
            if inside[part].mean() < _LEAST_INSIDE:
                continue
            spacing, clearness = strongest(image[part], inside[part], spacings)
            centre = ndimage.center_of_mass(inside[part])
            yield Lattice(spacing, (top + centre[0], left + centre[1]), clearness)


def strongest(
    image: np.ndarray, inside: np.ndarray, spacings: tuple[float, float] = (0.0, math.inf)
) -> tuple[float, float]:
    """Returns the spacing of the strongest peak of a spectrum, px, and its clearness.

    The peaks are measured in units of the median power at their distance from the origin.
    """
    shape = image.shape
    size = 2 * max(shape)
    power = _power(image, inside, size)
    down, right = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    frequency = np.hypot(down, right)
    ring = np.rint(frequency * max(shape)).astype(int)
    rings = np.arange(ring.max() + 1)
    middle = np.array(ndimage.median(power, ring, rings))
    level = ndimage.median_filter(middle, 5, mode="nearest")[ring] / np.log(2)
    # Of a picture without noise, the peaks' feet are no peaks.
    level = np.maximum(level, _LEAST_LEVEL * power.max())
    share = inside.mean()
    lowest = max(1 / (_LONGEST * min(shape)), 3 / (min(shape) * np.sqrt(share)))
    lowest, highest = max(lowest, 1 / spacings[1]), 1 / max(_SHORTEST, spacings[0])
    band = (frequency >= lowest) & (frequency <= highest)
    # Of exponentially distributed noise, the number of chances is subtracted.
    chances = np.log(np.maximum(2 * np.pi * ring * share, 1.0))
    height = np.where(band, power / np.maximum(level, 1e-20) - chances, -np.inf)
    if not band.any() or not np.isfinite(height.max()):
        return float(np.clip(min(shape) / 4, *spacings)), 0.0
    clear = height >= max(_CLEAR, _CLEAR_SHARE * height.max())
    chosen = np.where(clear, power, -1.0) if clear.any() else height
    first = np.unravel_index(int(chosen.argmax()), height.shape)
    along = np.arctan2(down[first[0], 0], right[0, first[1]])
    turned = np.abs((np.arctan2(down, right) - along + np.pi / 2) % np.pi - np.pi / 2)
    near = np.abs(np.log(np.maximum(frequency, 1e-6) / frequency[first])) < np.log(2.2)
    second = np.where(near & (turned > _APART), height, -np.inf).max()
    clearness = min(float(height[first]), _MOST) + _SECOND * min(max(float(second), -5.0), _MOST)
    return float(1 / frequency[first]), clearness


def _power(image: np.ndarray, inside: np.ndarray, size: int) -> np.ndarray:
    """Returns the power of a window without slow changes, (size, size // 2 + 1)."""
    weight = inside.astype(float)
    slow = min(image.shape) / 5
    share = np.maximum(ndimage.gaussian_filter(weight, slow), 1e-3)
    grey = np.where(inside, image, 0.0)
    away = np.where(inside, image - ndimage.gaussian_filter(grey, slow) / share, 0.0)
    sd = np.sqrt((away**2).sum() / max(weight.sum(), 1.0))
    away = np.clip(away, -3 * sd, 3 * sd)
    taper = np.hanning(image.shape[0] + 2)[1:-1, None] * np.hanning(image.shape[1] + 2)[None, 1:-1]
    return np.abs(np.fft.rfft2(away * taper, (size, size))) ** 2


def one_directional(picture: np.ndarray) -> float:
    """Returns which share of a pattern is of one direction, 0 for a lattice seen evenly, 1 stripes.

    It is the coherence of the spectrum's orientations, each wave weighted by its power.

    Args:
      picture: (R, C) of mean 0.
    """
    taper = np.hanning(picture.shape[0])[:, None] * np.hanning(picture.shape[1])
    power = np.abs(np.fft.fft2(picture * taper)) ** 2
    y, x = np.fft.fftfreq(picture.shape[0])[:, None], np.fft.fftfreq(picture.shape[1])[None, :]
    twice = np.exp(2j * np.arctan2(y, x))
    power[0, 0] = 0.0
    return float(np.abs((power * twice).sum()) / max(power.sum(), 1e-30))
