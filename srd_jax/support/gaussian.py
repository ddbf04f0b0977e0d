"""Gaussian means of images by matrix products, several times as fast as convolutions."""

import math

import numpy as np

# Fewest columns of a block: matrix products of fewer are slow.
_LEAST = 32


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
    radius = _radius(sd)
    # A Gaussian's weights depend on distances only: all blocks of columns have the same.
    block = step * math.ceil(max(radius, _LEAST) / step)
    inputs, outputs = np.arange(-radius, block + radius), np.arange(0, block, step)
    weights = gaussian_weights(inputs, outputs, sd).astype(values.dtype)
    for start in range(0, size, block):
        seen = inputs[(inputs >= -start) & (inputs < size - start)]
        part = found[..., start // step : start // step + len(outputs), :]
        used = weights[seen[0] + radius : seen[-1] + radius + 1, : part.shape[-2]]
        inside = values[..., start + seen[0] : start + seen[-1] + 1]
        np.matmul(used.T, inside.swapaxes(-1, -2), out=part)
    return found


def gaussian_weights(inputs: np.ndarray, outputs: np.ndarray, sd: float) -> np.ndarray:
    """Returns the weights, (inputs, outputs), of Gaussian means at some places."""
    radius = _radius(sd)
    away = np.arange(radius + 1)
    weights = np.exp(-((away / sd) ** 2) / 2)
    weights = np.append(weights / (2 * weights.sum() - 1), 0.0)
    return weights[np.minimum(np.abs(inputs[:, None] - outputs), radius + 1)]


def _radius(sd: float) -> int:
    """Returns the distance at which a Gaussian ends, as in SciPy."""
    return int(4 * sd + 0.5)
