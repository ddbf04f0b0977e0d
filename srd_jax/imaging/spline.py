"""Resamples images by cubic splines on the device, for lengths known only at run time.

The spline through the values f(k) of pixels is Σ f(k) φ(x − k), with the cardinal cubic spline φ
of `kernel` (Unser 1999, doi:10.1109/79.799930). docs/methods.md, "Cubic splines", derives it.
"""

import functools
import math
import operator
from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

_Z = math.sqrt(3.0) - 2.0

# Beyond this distance, px, |φ| is below 1e-7.
SUPPORT = 12


def kernel(distance: jax.Array) -> jax.Array:
    """Returns the cardinal cubic spline φ at distances t in px, elementwise.

    φ(t) = max(0, 1 − |t|)³ + 3 zⁿ u (1 − u) (1 − (1 + z) u), n = ⌊|t|⌋, u = |t| − n, z = √3 − 2.
    """
    distance = jnp.abs(distance)
    whole = jnp.floor(distance)
    part = distance - whole
    power = (1.0 - 2.0 * (whole % 2.0)) * jnp.exp(whole * math.log(-_Z))
    tail = 3.0 * power * part * (1.0 - part) * (1.0 - (1.0 + _Z) * part)
    return jnp.maximum(0.0, 1.0 - distance) ** 3 + tail


def resize_matrix(
    start: jax.Array | int,
    length: jax.Array | int,
    padded: int,
    out: int,
    out_start: jax.Array | int = 0,
    out_total: int | None = None,
    longest: int | None = None,
) -> jax.Array:
    """Returns the matrix that rescales one axis as `preparation.resample` does.

    The `length` px from `start` on become `out_total` px. The matrix gives `out` of these, from
    `out_start` on. The axis continues mirrored at its edge pixels. Where it shrinks, the matrix
    includes the Gaussian against aliasing.

    Args:
      start: () int32, first px in use; below 0 where the padded axis shows a later part only.
      length: () int32, px in use, at least 2; may reach beyond the padded axis, where all values
        count as 0.
      padded: px of the padded axis.
      out: rows of the matrix, px.
      out_start: () int32, first px of the result that the matrix gives.
      out_total: px of the whole result; None if the matrix gives all of it.
      longest: greatest length that occurs, px; None if it is `padded`.

    Returns:
      (out, padded) float32, 0 outside of the px in use.
    """
    total = out_total or out
    start, length, out_start = (jnp.asarray(x, jnp.int32) for x in (start, length, out_start))
    # Whole numbers, because a float32 coordinate of several hundred px errs in the fifth digit.
    numerator = (2 * (out_start + jnp.arange(out)) + 1) * length - total
    whole = numerator // (2 * total)
    part = (numerator % (2 * total)) / jnp.float32(2 * total)
    radius = max(0, int(2 * ((longest or padded) / total - 1) + 0.5))
    lag = np.arange(-SUPPORT - radius, SUPPORT + radius + 2)[None, :]
    weights = _smooth(kernel(lag - part[:, None]), length, total, radius)
    period = 2 * (length - 1)
    folded = (whole[:, None] + lag) % period
    column = start + jnp.minimum(folded, period - folded)
    return lax.platform_dependent(
        column,
        weights,
        cpu=functools.partial(_scattered, padded=padded),
        default=functools.partial(_compared, padded=padded),
    )


def _scattered(column: jax.Array, weights: jax.Array, padded: int) -> jax.Array:
    """Returns the rows (R, padded) in which each weight, (R, n), is added at its column."""
    # A negative index would count from the end.
    column = jnp.where(column < 0, padded, column)
    row = jnp.arange(column.shape[0])[:, None]
    return jnp.zeros((column.shape[0], padded)).at[row, column].add(weights, mode="drop")


def _compared(column: jax.Array, weights: jax.Array, padded: int) -> jax.Array:
    """Returns the same sums by comparison: accelerators scatter slowly or in a random order."""
    at = np.arange(padded)[None, :]
    # Without the barrier, XLA would compute both anew for each term of the sum.
    column, weights = lax.optimization_barrier((column, weights))
    return _sum(
        jnp.where(column[:, i : i + 1] == at, weights[:, i : i + 1], 0.0)
        for i in range(column.shape[1])
    )


def resize(image: jax.Array, rows: jax.Array, columns: jax.Array) -> jax.Array:
    """Returns an image (rows, columns), rescaled by the matrices of its rows and columns."""
    narrow = jnp.matmul(image, columns.T, precision="highest")
    return jnp.matmul(rows, narrow, precision="highest")


def rotate(image: jax.Array, angle: jax.Array, offset: jax.Array, steepest: float) -> jax.Array:
    """Turns an image about its centre: the result at x is the image at M x + offset.

    M x = (r cos − c sin, r sin + c cos) for the row r and the column c from the centre. A positive
    angle moves the right half of the image down. The turn is made of three shears, which shift
    whole lines (Unser, Thévenaz and Yaroslavsky 1995, "Convolution-based interpolation for fast,
    high-quality rotation of images", doi:10.1109/83.469963).

    Args:
      image: (rows, columns) float32; 0 beyond its edges.
      angle: () float32, radians.
      offset: (2,) float32, px along rows and columns, each within ±1.
      steepest: greatest absolute angle that occurs, radians.

    Returns:
      (rows, columns) float32; exactly the image where angle and offset are 0.
    """
    row, column = (np.arange(size, dtype=np.float32) - (size - 1) / 2 for size in image.shape)
    slant, rise = jnp.tan(angle / 2), jnp.sin(angle)
    sideways = math.ceil(math.tan(steepest / 2) * image.shape[0] / 2) + 2
    upwards = math.ceil(math.sin(steepest) * image.shape[1] / 2) + 1
    image = shift(image, slant * (offset[0] - row) - offset[1], sideways, axis=1)
    image = shift(image, rise * column - offset[0], upwards, axis=0)
    return shift(image, -slant * row, sideways, axis=1)


def shift(image: jax.Array, amount: jax.Array, reach: int, axis: int) -> jax.Array:
    """Moves each line of an image along itself by a real number of px.

    Args:
      image: (rows, columns) float32; 0 beyond its edges.
      amount: of each line, px towards its end; the result at x is image(x − amount).
      reach: greatest absolute amount that occurs, px.
      axis: along which the lines run: 0 for columns, 1 for rows.

    Returns:
      (rows, columns) float32; exactly the image where the amount is 0.
    """
    reach += SUPPORT
    lag = np.expand_dims(np.arange(-reach, reach + 1), 1 - axis)
    weights = kernel(jnp.expand_dims(amount, axis) + lag)
    wide = jnp.pad(image, [(reach, reach) if i == axis else (0, 0) for i in range(2)])
    # Without the barrier, XLA would compute both anew for each term of the sum.
    weights, wide = jax.lax.optimization_barrier((weights, wide))
    cut = functools.partial(jax.lax.slice_in_dim, axis=axis)
    return _sum(
        cut(weights, i, i + 1) * cut(wide, i, i + image.shape[axis]) for i in range(lag.size)
    )


def _smooth(weights: jax.Array, length: jax.Array, total: int, radius: int) -> jax.Array:
    """Smooths along the last axis by a Gaussian of sd (length / total − 1) / 2 px, cut at 4 sd."""
    lag = np.arange(-radius, radius + 1)
    sd = jnp.maximum((length / total - 1) / 2, 1e-3)
    gaussian = jnp.exp(-0.5 * jnp.square(lag / sd))
    # |lag| <= 4 sd + 1/2, in whole numbers.
    near = 2 * abs(lag) * total <= 4 * jnp.maximum(length - total, 0) + total
    gaussian = jnp.where(near, gaussian, 0.0)
    gaussian = gaussian / gaussian.sum()
    size = weights.shape[-1]
    wide = jnp.pad(weights, ((0, 0), (radius, radius)))
    return _sum(gaussian[i] * wide[:, i : i + size] for i in range(2 * radius + 1))


def _sum(terms: Iterable[jax.Array]) -> jax.Array:
    return functools.reduce(operator.add, terms)
