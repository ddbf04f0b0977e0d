"""Band-pass filter and normalised cross-correlation (NCC) within a mask."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

# Of a mask, blurred, below which a pixel has no neighbourhood.
_LEAST_SHARE = 1e-3


@struct.dataclass
class Band:
    """A linear filter that takes away slow changes and fine noise, the same for data and model.

    Attributes:
      mask: (R, C) float, 1 inside and 0 outside of the region.
      low: two matrices of Gaussian weights, (R, R) and (C, C), that smooth the noise.
      high: likewise, whose mean is subtracted.
    """

    mask: jax.Array
    low: tuple[jax.Array, jax.Array]
    high: tuple[jax.Array, jax.Array]


def band(mask: np.ndarray, low: float, high: float) -> Band:
    """Returns a filter.

    Args:
      mask: (R, C) bool.
      low: sd of the Gaussian that smooths, px.
      high: sd of the Gaussian whose mean is subtracted, px.
    """
    lows, highs = ([_weights(n, sd) for n in mask.shape] for sd in (low, high))
    return Band(
        jnp.asarray(mask, jnp.float32),
        (jnp.asarray(lows[0]), jnp.asarray(lows[1])),
        (jnp.asarray(highs[0]), jnp.asarray(highs[1])),
    )


def _weights(length: int, sd: float) -> np.ndarray:
    at = np.arange(length)
    return np.exp(-0.5 * ((at[:, None] - at) / sd) ** 2).astype(np.float32)


def transfer(low: Any, high: Any, frequency: Any) -> Any:
    """Returns by how much the filter weakens waves far from the mask's border.

    Args:
      low: as in `band`.
      high: likewise.
      frequency: any shape, 1 / px.
    """
    smooth, mean = (jnp.exp(-2 * (jnp.pi * sd * frequency) ** 2) for sd in (low, high))
    return smooth * (1 - mean)


def filtered(picture: jax.Array, by: Band) -> jax.Array:
    """Returns a picture in a band, (R, C), 0 outside of the mask, of mean 0 and norm 1 inside.

    Args:
      picture: (R, C) grey values; those outside of the mask don't matter.
      by: filter.
    """
    smooth = _mean(by.low, picture, by.mask)
    away = by.mask * (smooth - _mean(by.high, smooth, by.mask))
    away = by.mask * (away - jnp.sum(away) / jnp.maximum(jnp.sum(by.mask), 1.0))
    return away / jnp.sqrt(jnp.maximum(jnp.sum(away**2), 1e-20))


def _mean(weights: tuple[jax.Array, jax.Array], picture: jax.Array, mask: jax.Array) -> jax.Array:
    """Returns the weighted mean of the pixels inside of a mask around each pixel."""
    down, right = weights
    total, share = (
        jnp.matmul(jnp.matmul(down, one, precision="highest"), right, precision="highest")
        for one in (mask * picture, mask)
    )
    return total / jnp.maximum(share, _LEAST_SHARE)


def ncc(one: jax.Array, other: jax.Array) -> jax.Array:
    """Returns the NCC of two pictures of `filtered`, -1..1."""
    return jnp.sum(one * other)
