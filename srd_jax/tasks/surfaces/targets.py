"""The truth of drawn pictures as the network learns it: up to all that pictures can't tell."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from srd_jax.synthetic.surfaces.batch import Pictures
from srd_jax.synthetic.surfaces.names import KINDS
from srd_jax.tasks.surfaces.grid import Grid, closeness, offsets

# Kinds whose two channels look the same, as f is -f elsewhere or turned: of one centred membrane,
# the fraction of the smaller channel is all that can be told.
BALANCED = ("G", "D", "P")
# Cells of the grid, nearest to the true orientation, whose numbers are learned.
NEAREST = 4


@struct.dataclass
class Truth:
    """What is true of pictures; leading axes of batches come first.

    Attributes:
      kind: () number of the kind of surface in `names.KINDS`.
      log_cell: () natural logarithm of the cell, px.
      fraction: () see `told_fraction`.
      rotation: (3, 3) one of the equivalent ones.
    """

    kind: jax.Array
    log_cell: jax.Array
    fraction: jax.Array
    rotation: jax.Array


@struct.dataclass
class Target:
    """The truth at the cells of a grid of orientations.

    Attributes:
      closeness: (T, M) cosine of the angle to the true orientation; see `grid.closeness`.
      turn, axis: (NEAREST,) the cells nearest to it, the first the nearest.
      offset: (NEAREST, 3) from these cells to it.
    """

    closeness: jax.Array
    turn: jax.Array
    axis: jax.Array
    offset: jax.Array


def told_fraction(kind: jax.Array, fraction: jax.Array) -> jax.Array:
    """Returns the volume fractions that can be told: of the smaller channel, for BALANCED kinds.

    Args:
      kind: (…) number of the kind.
      fraction: (…) of the volume with f above c.
    """
    balanced = jnp.asarray(np.isin(KINDS, BALANCED))[kind]
    return jnp.where(balanced, jnp.minimum(fraction, 1 - fraction), fraction)


def truth(pictures: Pictures) -> Truth:
    """Returns the truth of drawn pictures."""
    fraction = told_fraction(pictures.kind, pictures.fraction)
    return Truth(pictures.kind, pictures.log_cell_px, fraction, pictures.surface.rotation)


def target(grid: Grid, true: Truth) -> Target:
    """Returns the truth of one picture at the cells of a grid."""
    close = closeness(grid, true.kind, true.rotation)
    _, cells = jax.lax.top_k(close.reshape(-1), min(NEAREST, close.size))
    turn, axis = jnp.divmod(cells, close.shape[1])
    return Target(close, turn, axis, offsets(grid, true.kind, true.rotation, turn, axis))
