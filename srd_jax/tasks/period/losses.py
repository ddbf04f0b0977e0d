"""Computes losses of the predicted period and its sd, unreduced.

Every loss takes and returns (B,) float32; periods and sds are px of the frame. docs/methods.md
compares the losses, in "Losses".
"""

import math
from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp

from srd_jax.support.errors import InputError

# Smaller variances count as this one, px², as in the GRANA application.
_LEAST_VARIANCE = 1e-6
# Weight of the likelihood beside the error of the period's logarithm.
_SD_WEIGHT = 0.1


def mse(period: jax.Array, target: jax.Array) -> jax.Array:
    """Computes the squared error, (period − target)², px²."""
    _same_vectors(period, target)
    return jnp.square(period - target)


def mae(period: jax.Array, target: jax.Array) -> jax.Array:
    """Computes the absolute error, |period − target|, px."""
    _same_vectors(period, target)
    return jnp.abs(period - target)


def log_period(period: jax.Array, target: jax.Array, *, knee: float = 0.02) -> jax.Array:
    """Computes the Huber function of e = log(period / target), divided by its knee.

    It is e² / (2 · knee) where |e| < knee, and |e| − knee / 2 elsewhere (Huber 1964,
    doi:10.1214/aoms/1177703732). A doubled period costs as much as a halved one.

    Args:
      period: (B,) px.
      target: (B,) px.
      knee: least |e| at which the loss is linear.
    """
    _same_vectors(period, target)
    error = jnp.abs(jnp.log(period / target))
    return jnp.where(error < knee, 0.5 * jnp.square(error) / knee, error - 0.5 * knee)


def gaussian_nll(period: jax.Array, sd: jax.Array, target: jax.Array) -> jax.Array:
    """Computes the Gaussian NLL, log sd + (target − period)² / (2 sd²), for sd² ≥ 1e-6 px²."""
    _same_vectors(period, sd, target)
    variance = jnp.maximum(jnp.square(sd), _LEAST_VARIANCE)
    return 0.5 * (jnp.log(variance) + jnp.square(target - period) / variance)


def student_nll(
    period: jax.Array, sd: jax.Array, target: jax.Array, *, degrees: float = 4.0
) -> jax.Array:
    """Computes the NLL of Student's t distribution of target − period, without its constant.

    Its derivative by log sd lies between −degrees and 1, so a few gross errors don't dominate
    (Lange, Little and Taylor 1989, "Robust statistical modeling using the t distribution").

    Args:
      period: (B,) px.
      sd: (B,) px, the scale of the distribution.
      target: (B,) px.
      degrees: of freedom.
    """
    _same_vectors(period, sd, target)
    sd = jnp.maximum(sd, math.sqrt(_LEAST_VARIANCE))
    ratio = (target - period) / sd
    return jnp.log(sd) + 0.5 * (degrees + 1) * jnp.log1p(jnp.square(ratio) / degrees)


def log_period_and_student_nll(period: jax.Array, sd: jax.Array, target: jax.Array) -> jax.Array:
    """Computes `log_period` plus 0.1 · `student_nll`, whose gradient reaches the sd only.

    docs/methods.md says why, in "Losses".
    """
    likelihood = student_nll(jax.lax.stop_gradient(period), sd, target)
    return log_period(period, target) + _SD_WEIGHT * likelihood


def mse_to_gaussian_nll(
    period: jax.Array,
    sd: jax.Array,
    target: jax.Array,
    epoch: jax.Array | float,
    ramp_epochs: int = 30,
) -> jax.Array:
    """Computes cos(a) · `mse` + sin(a) · `gaussian_nll`, a = π/2 · epoch / ramp_epochs.

    After the ramp, it is `gaussian_nll`.

    Args:
      period: (B,) px.
      sd: (B,) px.
      target: (B,) px.
      epoch: whole epochs since the stage began.
      ramp_epochs: length of the ramp.
    """
    done = jnp.asarray(epoch, jnp.float32) >= ramp_epochs
    angle = 0.5 * jnp.pi * jnp.asarray(epoch, jnp.float32) / ramp_epochs
    mse_weight = jnp.where(done, 0.0, jnp.cos(angle))
    nll_weight = jnp.where(done, 1.0, jnp.sin(angle))
    return mse_weight * mse(period, target) + nll_weight * gaussian_nll(period, sd, target)


def query_overlap(queries: jax.Array) -> jax.Array:
    """Computes the mean squared elementwise product over all pairs of queries of a pool.

    For two queries it is the reference's mean((q₀ ⊙ q₁)²); for one query it is 0. A small overlap
    means that the heads attend to different features.

    Args:
      queries: (pools, heads, channels).

    Returns:
      () float32.
    """
    chex.assert_rank(queries, 3)
    heads = queries.shape[1]
    pairs = [(i, j) for i in range(heads) for j in range(i + 1, heads)]
    if not pairs:
        return jnp.float32(0.0)
    first, second = (queries[:, jnp.array(side)] for side in zip(*pairs, strict=True))
    return jnp.mean(jnp.square(first * second))


# (period, sd or None without the confidence branch, target, epoch, ramp_epochs) → (B,)
Loss = Callable[[jax.Array, jax.Array | None, jax.Array, jax.Array, int], jax.Array]

LOSSES: dict[str, Loss] = {
    "mse": lambda period, sd, target, epoch, ramp: mse(period, target),
    "mae": lambda period, sd, target, epoch, ramp: mae(period, target),
    "log_period": lambda period, sd, target, epoch, ramp: log_period(period, target),
    "log_period_and_student_nll": lambda period, sd, target, epoch, ramp: (
        log_period_and_student_nll(period, _required(sd), target)
    ),
    "gaussian_nll": lambda period, sd, target, epoch, ramp: gaussian_nll(
        period, _required(sd), target
    ),
    "mse_to_gaussian_nll": lambda period, sd, target, epoch, ramp: mse_to_gaussian_nll(
        period, _required(sd), target, epoch, ramp
    ),
}


def _required(sd: jax.Array | None) -> jax.Array:
    if sd is None:
        raise InputError("this loss needs an sd: found a net without the confidence branch")
    return sd


def _same_vectors(*arrays: jax.Array) -> None:
    # (B,) and (B, 1) would silently broadcast to (B, B).
    chex.assert_rank(arrays, 1)
    chex.assert_equal_shape(arrays)
