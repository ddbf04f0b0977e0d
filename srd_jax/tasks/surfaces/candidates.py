"""The best answers of the network: cells of its grid that are joined where they say the same."""

import math

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from srd_jax.synthetic.surfaces import orientations, rotations
from srd_jax.synthetic.surfaces.names import KINDS
from srd_jax.tasks.surfaces.grid import Grid, symmetries, vectors
from srd_jax.tasks.surfaces.model import Prediction

# Cells of the grid that are looked at.
_CELLS = 96
# Orientations nearer than this are one candidate.
_JOINED = math.radians(12.0)


@struct.dataclass
class Candidates:
    """The best answers for pictures, (B, K), the most probable first.

    Attributes:
      kind: number of the kind of surface in `names.KINDS`.
      weight: probability; 0 where there are fewer than K, whose other numbers mean nothing.
      log_cell: natural logarithm of the cell a, px.
      fraction: of the volume, see `targets.told_fraction`.
      rotation: (B, K, 3, 3) one of the equivalent ones.
      sd: (B, K, 4) of `model.NUMBERS`: log a, fraction, turn and each component of the tilt, rad.
    """

    kind: jax.Array
    weight: jax.Array
    log_cell: jax.Array
    fraction: jax.Array
    rotation: jax.Array
    sd: jax.Array


def kind_probability(found: Prediction, grid: Grid) -> jax.Array:
    """Returns the probability of each kind of surface, (B, K)."""
    probability = jax.nn.softmax(found.logit.reshape(found.logit.shape[0], -1), axis=-1)
    by_axis = jnp.sum(probability.reshape(found.logit.shape), axis=1)
    return by_axis @ jnp.asarray(grid.kind[:, None] == np.arange(len(KINDS)), by_axis.dtype)


def candidates(found: Prediction, grid: Grid, count: int) -> Candidates:
    """Returns the best answers for a batch.

    The most probable cell takes in those of its kind whose orientations are near to its own: their
    numbers are averaged, and their disagreement adds to the sds. Then the most probable of the
    others, and so on.

    Args:
      found: the network's answers.
      grid: of orientations, the network's.
      count: K, static.
    """
    return jax.vmap(lambda one: _of_one(_strongest(one, grid), count))(found)


def _strongest(found: Prediction, grid: Grid) -> Candidates:
    """Returns the most probable cells of one picture as candidates, (N,)."""
    flat = jax.nn.softmax(found.logit.reshape(-1))
    weight, cells = jax.lax.top_k(flat, min(_CELLS, flat.size))
    turn, axis = jnp.divmod(cells, found.logit.shape[1])
    at = turn, axis
    rotation = grid.rotation(turn, axis, found.offset[at])
    kind = jnp.asarray(grid.kind)[axis]
    log_cell, fraction, sd = found.log_cell[at], found.fraction[at], jnp.exp(found.log_sd[at])
    return Candidates(kind, weight, log_cell, fraction, rotation, sd)


def _of_one(cells: Candidates, count: int) -> Candidates:
    def take(left: jax.Array, _: None) -> tuple[jax.Array, Candidates]:
        best = jax.tree.map(lambda x: x[jnp.argmax(left)], cells)
        apart = away(cells.rotation, best.rotation, best.kind)
        near = (jnp.linalg.norm(apart, axis=-1) < _JOINED) & (cells.kind == best.kind)
        weight = jnp.where(near, left, 0.0)
        return jnp.where(near, 0.0, left), _joined(cells, best, apart, weight)

    found = jax.lax.scan(take, cells.weight, length=count)[1]
    order = jnp.argsort(-found.weight)
    return jax.tree.map(lambda x: x[order], found)


def _joined(cells: Candidates, best: Candidates, apart: jax.Array, weight: jax.Array) -> Candidates:
    """Returns the mean of cells, whose sds hold the disagreement between them, too."""
    total = jnp.sum(weight)
    share = weight / jnp.maximum(total, 1e-30)
    values = jnp.concatenate([cells.log_cell[:, None], cells.fraction[:, None], apart], axis=1)
    mean = share @ values
    spread = share @ jnp.square(values - mean[None])
    between = jnp.stack([spread[0], spread[1], spread[4], (spread[2] + spread[3]) / 2])
    sd = jnp.sqrt(share @ jnp.square(cells.sd) + between)
    turned = jnp.matmul(rotations.from_vector(mean[2:]), best.rotation, precision="highest")
    return Candidates(best.kind, total, mean[0], mean[1], turned, sd)


def away(rotation: jax.Array, best: jax.Array, kind: jax.Array) -> jax.Array:
    """Returns the vectors of the rotations from one orientation to others, (N, 3).

    Each is the shortest over the equivalents, in the axes of the picture.

    Args:
      rotation: (N, 3, 3) the others.
      best: (3, 3) the one.
      kind: () number of the kind of all.
    """
    group = jnp.asarray(symmetries())[kind]
    turned = jnp.einsum("nij,wjk->nwik", rotation, group, precision="highest")
    back = jnp.einsum("ij,nwjk->nwik", orientations.BACK, turned, precision="highest")
    between = jnp.concatenate([turned, back], axis=1)
    between = jnp.einsum("nwik,lk->nwil", between, best, precision="highest")
    nearest = jnp.argmax(jnp.trace(between, axis1=-2, axis2=-1), axis=-1)
    chosen = jnp.take_along_axis(between, nearest[:, None, None, None], axis=1)[:, 0]
    return vectors(chosen)
