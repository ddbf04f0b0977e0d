"""Gaussian means of images by matrix products, several times as fast as convolutions."""

import math

import numpy as np

# Columns of a block: fewer make slow products, more make many that are with weight 0.
_BLOCK = 32

# OpenBLAS shares products of more multiplications among threads, which wait for each other in a
# loop: on a busy machine, that takes ten times as long (interface/gemm.c, SMP_THRESHOLD_MIN *
# GEMM_MULTITHREAD_THRESHOLD).
_MULTIPLICATIONS = 2**18


def gaussian_mean(values: np.ndarray, sd: float, step: int = 1) -> np.ndarray:
    """Returns Gaussian means over rows and columns; beyond an image's edges, all is 0.

    They are those of scipy.ndimage.gaussian_filter with mode "constant", in the type of the values.

    Args:
      values: (..., rows, columns) float32 or float64.
      sd: of the Gaussian, px; it ends at 4 sds.
      step: of the rows and of the columns that are returned.
    """
    return mean_along_rows(mean_along_rows(values, sd, step), sd, step)


def mean_along_rows(values: np.ndarray, sd: float, step: int = 1) -> np.ndarray:
    """Returns Gaussian means within each row, (..., columns, rows): each row becomes a column.

    Args:
      values, sd: see `gaussian_mean`.
      step: of the columns that are returned.
    """
    *stack, rows, size = values.shape
    found = np.empty((*stack, math.ceil(size / step), rows), values.dtype)
    radius, block = _radius(sd), _BLOCK * step
    # A Gaussian's weights depend on distances only: all blocks of columns have the same.
    weights = _weights(np.arange(-radius, block + radius), np.arange(0, block, step), sd)
    for start in range(0, size, block):
        first, end = max(start - radius, 0), min(start + block + radius, size)
        part = found[..., start // step : start // step + _BLOCK, :]
        used = weights[first - start + radius : end - start + radius, : part.shape[-2]]
        _multiply(values[..., first:end], used, part)
    return found


def mean_at(values: np.ndarray, sd: float, columns: np.ndarray) -> np.ndarray:
    """Returns Gaussian means within each row at some columns, (..., columns, rows)."""
    *stack, rows, size = values.shape
    found = np.empty((*stack, len(columns), rows), values.dtype)
    _multiply(values, _weights(np.arange(size), columns, sd), found)
    return found


def _weights(inputs: np.ndarray, outputs: np.ndarray, sd: float) -> np.ndarray:
    """Returns the weights, (inputs, outputs), of Gaussian means at some places."""
    weights = np.exp(-((np.arange(_radius(sd) + 1) / sd) ** 2) / 2)
    weights = np.append(weights / (2 * weights.sum() - 1), 0.0)  # beyond the radius
    return weights.take(np.abs(inputs[:, None] - outputs), mode="clip")


def _radius(sd: float) -> int:
    """Returns the distance at which a Gaussian ends, as in SciPy."""
    return int(4 * sd + 0.5)


def _multiply(values: np.ndarray, weights: np.ndarray, found: np.ndarray) -> None:
    """Writes the product of values, (..., rows, inputs), and weights, its last axes exchanged."""
    used = weights.T.astype(values.dtype)
    rows = max(_MULTIPLICATIONS // weights.size, 1)
    for start in range(0, values.shape[-2], rows):
        part = np.s_[start : start + rows]
        np.matmul(used, values[..., part, :].swapaxes(-1, -2), out=found[..., part])
