"""Losses of kind and orientation, a distribution over the cells of a grid, and of numbers with sds.

They are the same for all equivalent orientations of the truth.
"""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp

from srd_jax.tasks.surfaces.config import LossConfig
from srd_jax.tasks.surfaces.grid import Grid
from srd_jax.tasks.surfaces.model import NUMBERS, Prediction
from srd_jax.tasks.surfaces.targets import Target, Truth, target

_FOCUS = 2.0
_DEGREES = 4.0  # of freedom of Student's t

# (log probability, closeness, spread in radians) of the cells of one picture → ()
Pose = Callable[[jax.Array, jax.Array, float], jax.Array]
# (error, log sd) → of the same shape
Error = Callable[[jax.Array, jax.Array], jax.Array]


def shares(closeness: jax.Array, spread: float) -> jax.Array:
    """Returns shares of cells that fall with their angle to an orientation; they sum to 1.

    Near it, they are those of a normal distribution.

    Args:
      closeness: cosines of the angles, any shape.
      spread: its sd, radians.
    """
    return jax.nn.softmax((closeness.reshape(-1) - 1) / spread**2).reshape(closeness.shape)


def soft(log_probability: jax.Array, closeness: jax.Array, spread: float) -> jax.Array:
    """Computes the cross entropy with `shares`, less its least value."""
    wanted = shares(closeness, spread)
    least = jnp.sum(jax.scipy.special.xlogy(wanted, wanted))
    return least - jnp.sum(wanted * log_probability)


def nearest(log_probability: jax.Array, closeness: jax.Array, spread: float) -> jax.Array:
    """Computes the negative log probability of the cell nearest to the orientation."""
    return -log_probability.reshape(-1)[jnp.argmax(closeness.reshape(-1))]


def focal(log_probability: jax.Array, closeness: jax.Array, spread: float) -> jax.Array:
    """Computes the mean of −(1 − p)² ln p with `shares` as weights.

    Source: Lin et al. 2017, "Focal loss for dense object detection" (arXiv:1708.02002).
    """
    wanted = shares(closeness, spread)
    return -jnp.sum(wanted * (1 - jnp.exp(log_probability)) ** _FOCUS * log_probability)


POSE: dict[str, Pose] = {"soft": soft, "nearest": nearest, "focal": focal}


def gaussian(error: jax.Array, log_sd: jax.Array) -> jax.Array:
    """Computes −ln of the normal density, less ½ ln 2π."""
    return log_sd + jnp.square(error * jnp.exp(-log_sd)) / 2


def laplace(error: jax.Array, log_sd: jax.Array) -> jax.Array:
    """Computes −ln of the Laplace density of an sd, less ½ ln 2."""
    return log_sd + math.sqrt(2.0) * jnp.abs(error) * jnp.exp(-log_sd)


def student(error: jax.Array, log_sd: jax.Array) -> jax.Array:
    """Computes −ln of the density of Student's t, 4 degrees of freedom, less its value at 0, sd 1.

    Its scale stands in the place of the sd (Lange, Little and Taylor 1989).
    """
    squares = jnp.square(error * jnp.exp(-log_sd))
    return log_sd + (_DEGREES + 1) / 2 * jnp.log1p(squares / _DEGREES)


ERROR: dict[str, Error] = {"gaussian": gaussian, "laplace": laplace, "student": student}


def parts(found: Prediction, true: Truth, grid: Grid, config: LossConfig) -> dict[str, jax.Array]:
    """Returns the terms of the loss by name, without their weights, each (B,).

    Args:
      found: for a batch.
      true: of the batch.
      grid: of orientations.
      config: names and spread.
    """
    return jax.vmap(lambda one, its: _parts(one, its, target(grid, its), config))(found, true)


def _parts(
    found: Prediction, true: Truth, wanted: Target, config: LossConfig
) -> dict[str, jax.Array]:
    log_probability = jax.nn.log_softmax(found.logit.reshape(-1)).reshape(found.logit.shape)
    spread = math.radians(config.spread_deg)
    # At cells near the true orientation, as far as they could be it.
    cells = wanted.turn, wanted.axis
    weights = shares(wanted.closeness[cells], spread)
    log_sd, error = found.log_sd[cells], ERROR[config.error]
    away = found.offset[cells] - wanted.offset
    errors = {
        "log_cell": error(found.log_cell[cells] - true.log_cell, log_sd[:, 0]),
        "fraction": error(found.fraction[cells] - true.fraction, log_sd[:, 1]),
        "turn": error(away[:, 2], log_sd[:, 2]),
        "tilt": error(away[:, 0], log_sd[:, 3]) + error(away[:, 1], log_sd[:, 3]),
    }
    pose = POSE[config.pose](log_probability, wanted.closeness, spread)
    return {"pose": pose} | {name: jnp.sum(weights * errors[name]) for name in NUMBERS}


def total(terms: dict[str, jax.Array], config: LossConfig) -> jax.Array:
    """Returns the weighted sum of `parts`, (B,)."""
    return (
        terms["pose"]
        + config.cell_weight * terms["log_cell"]
        + config.fraction_weight * terms["fraction"]
        + config.turn_weight * terms["turn"]
        + config.tilt_weight * terms["tilt"]
    )
