"""Volume fraction of the channel f > c of a surface as a function of c, and the other way round."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.synthetic.surfaces.levels import values

# Places that are counted: a fraction errs by about 0.0001. More nodes would roughen its slopes.
_PLACES = 1 << 19
_NODES = 128


def level_of_fraction(kind: str, fraction: jax.Array) -> jax.Array:
    """Returns the level c at which the channel f > c fills a fraction of the volume.

    Continuously differentiable.

    Args:
      kind: of the surface, static.
      fraction: 0..1, any shape; others are taken for the nearest of these.
    """
    return _interpolated(_tables(kind)[0], jnp.asarray(fraction, jnp.float32))


def fraction_of_level(kind: str, level: jax.Array) -> jax.Array:
    """Returns the fraction of the volume that the channel f > c fills, 0..1.

    Continuously differentiable.

    Args:
      kind: of the surface, static.
      level: c, any shape.
    """
    low, high = level_limits(kind)
    share = (jnp.asarray(level, jnp.float32) - low) / (high - low)
    return _interpolated(_tables(kind)[1], share)


def level_limits(kind: str) -> tuple[float, float]:
    """Returns the least and the greatest value of a level-set function."""
    table = _tables(kind)[0]
    return float(table[-1]), float(table[0])


@functools.cache
def _tables(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns c at even fractions 0..1 and the fraction at even c from the least to the greatest.

    Places of a low-discrepancy sequence (Roberts 2018, the R3 sequence) fill the cell evenly.
    """
    golden = 1.2207440846057596
    steps = np.array([golden**-1, golden**-2, golden**-3])
    at = (0.5 + np.arange(1, _PLACES + 1)[:, None] * steps) % 1.0
    found = np.sort(values(kind, _cell(kind, at)))
    shares = np.linspace(0, 1, _NODES + 1)
    levels = np.quantile(found, 1 - shares)
    even = np.linspace(found[0], found[-1], _NODES + 1)
    fractions = np.interp(even, found, 1 - np.arange(_PLACES) / (_PLACES - 1))
    return levels.astype(np.float32), fractions.astype(np.float32)


def _cell(kind: str, at: np.ndarray) -> np.ndarray:
    """Returns places of a unit cell, in its edges, as Cartesian places in a."""
    if kind != "L":
        return at
    edges = np.array([[1, 0, 0], [-0.5, np.sqrt(0.75), 0], [0, 0, np.sqrt(8 / 3)]])
    return at @ edges


def _interpolated(table: np.ndarray, share: jax.Array) -> jax.Array:
    """Returns a table's value between its nodes by cubics that meet smoothly (Catmull–Rom)."""
    nodes = jnp.asarray(np.concatenate([table[:1], table, table[-1:]]))
    place = jnp.clip(share, 0.0, 1.0) * _NODES
    first = jnp.clip(jnp.floor(place), 0, _NODES - 1)
    t = place - first
    before, left, right, after = (nodes[first.astype(jnp.int32) + i] for i in range(4))
    slope, other = (right - before) / 2, (after - left) / 2
    rise = right - left
    return left + t * (slope + t * (3 * rise - 2 * slope - other + t * (slope + other - 2 * rise)))
