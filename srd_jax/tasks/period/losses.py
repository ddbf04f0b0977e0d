"""Losses of the predicted period and its sd, unreduced, and the registry that names them.

Every loss takes and returns (B,) float32; periods and sds are px of the frame.
"""

import math
from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp

from srd_jax.support.errors import InputError

# The variance below which the likelihood is not trusted, px² (the GRANA application's).
_LEAST_VARIANCE = 1e-6
_SD_WEIGHT = 0.1


def mse(period: jax.Array, target: jax.Array) -> jax.Array:
    """Returns (period − target)², px²."""
    _same_vectors(period, target)
    return jnp.square(period - target)


def mae(period: jax.Array, target: jax.Array) -> jax.Array:
    """Returns |period − target|, px."""
    _same_vectors(period, target)
    return jnp.abs(period - target)


def log_period(period: jax.Array, target: jax.Array, *, knee: float = 0.02) -> jax.Array:
    """Returns the Huber function of e = log(period / target), divided by its knee.

    It is e²/(2·knee) where |e| < knee and |e| − knee/2 beyond, so that a doubling weighs as much
    as a halving, and the slope is 1 for all errors that are not small (Huber 1964,
    doi:10.1214/aoms/1177703732).

    Args:
      period: (B,) px.
      target: (B,) px.
      knee: in units of e, about the relative error.
    """
    _same_vectors(period, target)
    error = jnp.abs(jnp.log(period / target))
    return jnp.where(error < knee, 0.5 * jnp.square(error) / knee, error - 0.5 * knee)


def gaussian_nll(period: jax.Array, sd: jax.Array, target: jax.Array) -> jax.Array:
    """Returns log sd + (target − period)² / (2 sd²), with sd² at least 1e-6 px²."""
    _same_vectors(period, sd, target)
    variance = jnp.maximum(jnp.square(sd), _LEAST_VARIANCE)
    return 0.5 * (jnp.log(variance) + jnp.square(target - period) / variance)


def student_nll(
    period: jax.Array, sd: jax.Array, target: jax.Array, *, degrees: float = 4.0
) -> jax.Array:
    """Returns −log of Student's t density of target − period, without its constant.

    Its slope by log sd is never below -`degrees` nor above 1, where that of the normal likelihood
    falls with the error's square: a few gross errors don't drive the training (Lange, Little and
    Taylor 1989, "Robust statistical modeling using the t distribution").

    Args:
      period: (B,) px.
      sd: (B,) px, the density's scale.
      target: (B,) px.
      degrees: of freedom.
    """
    _same_vectors(period, sd, target)
    sd = jnp.maximum(sd, math.sqrt(_LEAST_VARIANCE))
    ratio = (target - period) / sd
    return jnp.log(sd) + 0.5 * (degrees + 1) * jnp.log1p(jnp.square(ratio) / degrees)


def log_period_and_student_nll(period: jax.Array, sd: jax.Array, target: jax.Array) -> jax.Array:
    """Returns `log_period` plus a tenth of `student_nll` of the sd around a period held fixed.

    A likelihood alone learns little of the period where the sd is large (Seitzer et al. 2022,
    arXiv:2203.09168). At its full weight its gradient is several times that of `log_period`, and
    what both share learns the sd instead of the period.
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
    """Returns cos(a)·MSE + sin(a)·NLL, a = π/2 · epoch / ramp_epochs; NLL alone after the ramp.

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
    """Returns the mean squared elementwise product of all pairs of queries: small for heads apart.

    For two queries it is the reference's mean((q₀ ⊙ q₁)²); for one query it is 0.

    Args:
      queries: (pools, heads, channels).
    """
    chex.assert_rank(queries, 3)
    heads = queries.shape[1]
    pairs = [(i, j) for i in range(heads) for j in range(i + 1, heads)]
    if not pairs:
        return jnp.float32(0.0)
    first, second = (queries[:, jnp.array(side)] for side in zip(*pairs, strict=True))
    return jnp.mean(jnp.square(first * second))


# Period, sd (None without the confidence branch), target, epoch, ramp_epochs → (B,)
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
    # (B,) against (B, 1) would broadcast to (B, B) without a word.
    chex.assert_rank(arrays, 1)
    chex.assert_equal_shape(arrays)
