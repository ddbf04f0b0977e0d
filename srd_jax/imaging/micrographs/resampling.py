"""Brings a micrograph to another scale, some rows at a time."""

import math

import numpy as np
from scipy import sparse

# Rows that are computed at once, so that wide micrographs need little memory.
_BLOCK = 256
# Pixels of which the typical grey value is found.
_SAMPLED = 2**16
# Of a length that rounding pushed above a whole number.
_ROUNDING = 1e-9


class Resampled:
    """A micrograph at another scale, of which nothing but the rows asked for is in memory.

    Where the scale shrinks, a pixel is the mean of the area that it covers, without aliasing; where
    it grows, cubic convolution interpolates (Keys 1981, doi:10.1109/TASSP.1981.1163711). The upper
    left corners coincide; pixel i of an axis covers i / factor to (i + 1) / factor.

    Attributes:
      shape: rows and columns at the new scale, rounded up.
    """

    def __init__(self, grey: np.ndarray, factor: float):
        """Prepares the weights of rows and columns.

        Args:
          grey: (rows, columns) of any type; pixels that aren't finite get the median grey value.
          factor: px of the result per px of the micrograph.
        """
        self._grey = grey
        self.shape = tuple(max(1, math.ceil(n * factor - _ROUNDING)) for n in grey.shape)
        self._down, self._across = (
            _weights(length, count, factor)
            for length, count in zip(grey.shape, self.shape, strict=True)
        )
        step = max(1, math.isqrt(grey.size // _SAMPLED))
        sample = np.asarray(grey[::step, ::step], np.float64)
        finite = sample[np.isfinite(sample)]
        self._typical = float(np.median(finite)) if finite.size else 0.0

    def rows(self, which: np.ndarray) -> np.ndarray:
        """Returns rows of the result, (len(which), columns) float32.

        Args:
          which: numbers of the rows.
        """
        found = np.empty((len(which), self.shape[1]), np.float32)
        for start in range(0, len(which), _BLOCK):
            weights = self._down[which[start : start + _BLOCK]]
            needed = np.unique(weights.indices)
            block = np.asarray(self._grey[needed], np.float32)
            block[~np.isfinite(block)] = self._typical
            mixed = weights[:, needed] @ block
            found[start : start + _BLOCK] = (self._across @ mixed.T).T
        return found


def _weights(length: int, count: int, factor: float) -> sparse.csr_array:
    """Returns the weights of the pixels of an axis in each pixel of the result, (count, length)."""
    made = _cubic if factor > 1 else _areas
    pixels, weights = made(np.arange(count)[:, None], factor, length)
    rows = np.broadcast_to(np.arange(count)[:, None], pixels.shape)
    weights = weights / weights.sum(1, keepdims=True)
    entries = (weights.ravel().astype(np.float32), (rows.ravel(), pixels.ravel()))
    matrix = sparse.coo_array(entries, shape=(count, length)).tocsr()
    matrix.eliminate_zeros()
    return matrix


def _areas(new: np.ndarray, factor: float, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns pixels, and how much of each lies in the new pixels, each (new, pixels)."""
    low, high = new / factor, (new + 1) / factor
    pixels = np.floor(low).astype(int) + np.arange(math.ceil(min(1 / factor, length)) + 1)
    shares = np.clip(np.minimum(high, pixels + 1) - np.maximum(low, pixels), 0, None)
    return np.minimum(pixels, length - 1), np.where(pixels < length, shares, 0.0)


def _cubic(new: np.ndarray, factor: float, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns pixels and Keys' weights, each (new, 4); beyond the edges, edge pixels go on."""
    place = (new + 0.5) / factor - 0.5
    pixels = np.floor(place).astype(int) + np.arange(-1, 3)
    away = np.abs(place - pixels)
    near = (1.5 * away - 2.5) * away**2 + 1
    far = ((-0.5 * away + 2.5) * away - 4) * away + 2
    return np.clip(pixels, 0, length - 1), np.where(away < 1, near, far)
