"""The grid of orientations: axes of view by kind of surface, times turns of the picture.

Cell (t, m) is the rotation Z_t R_m, where Z_t turns the picture by half a turn times t / turns and
R_m looks along axis m. Half a turn is enough, as the view from the back is that of Z_π R.
"""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.synthetic.surfaces import orientations, rotations
from srd_jax.synthetic.surfaces.names import KINDS
from srd_jax.tasks.surfaces.config import GridConfig

# Places on the sphere among which the axes are chosen.
_PLACES = 4000
_MOST = 24  # rotations of a symmetry


@dataclasses.dataclass(frozen=True)
class Grid:
    """A grid of orientations.

    Attributes:
      kind: (M,) number of the kind of surface of an axis, in `names.KINDS`.
      base: (M, 3, 3) rotation that looks along it.
      turn: (T,) by which pictures are turned, counter-clockwise as seen, radians.
    """

    kind: np.ndarray
    base: np.ndarray
    turn: np.ndarray

    def rotation(self, turn: jax.Array, axis: jax.Array, offset: jax.Array) -> jax.Array:
        """Returns rotations near cells of the grid, (…, 3, 3).

        Args:
          turn: (…) number of the turn.
          axis: (…) number of the axis.
          offset: (…, 3) vector of the rotation away from the cell, in the picture before its turn.
        """
        away = rotations.from_vector(offset)
        near = jnp.matmul(away, jnp.asarray(self.base)[axis], precision="highest")
        return rotations.turned(near, jnp.asarray(self.turn)[turn])


@functools.cache
def _grid(axes: int, turns: int) -> Grid:
    kinds, bases = [], []
    for number, kind in enumerate(KINDS):
        chosen = axes * _MOST // len(orientations.symmetry(kind))
        one = _axes(kind, chosen)
        kinds += [number] * len(one)
        bases += [_looking_along(axis) for axis in one]
    turn = np.arange(turns) * np.pi / turns
    return Grid(np.array(kinds), np.stack(bases).astype(np.float32), turn.astype(np.float32))


def make(config: GridConfig) -> Grid:
    """Returns the grid of a config."""
    return _grid(config.axes, config.turns)


@functools.cache
def symmetries() -> np.ndarray:
    """Returns the proper rotations by number of the kind, (K, 24, 3, 3); fewer ones repeat."""
    return np.stack([np.resize(orientations.symmetry(kind), (_MOST, 3, 3)) for kind in KINDS])


@functools.cache
def _axes(kind: str, count: int) -> np.ndarray:
    """Returns axes that are far apart under a symmetry, (count, 3), the first along z.

    Each is the farthest from those before it.
    """
    number = np.arange(_PLACES) + 0.5
    z, azimuth = 1 - 2 * number / _PLACES, np.pi * (1 + np.sqrt(5)) * number
    radius = np.sqrt(1 - z * z)
    places = np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), z], axis=1)
    corners = np.array([[0, 0, 1], [0, 1, 1], [1, 1, 1], [1, 0, 0]], np.float64)
    places = np.concatenate([corners / np.linalg.norm(corners, axis=1, keepdims=True), places])
    symmetry = orientations.symmetry(kind).astype(np.float64)
    chosen, nearest = [0], np.full(len(places), -1.0)
    while len(chosen) < count:
        images = symmetry @ places[chosen[-1]]
        nearest = np.maximum(nearest, (places @ images.T).max(axis=1))
        chosen.append(int(nearest.argmin()))
    return places[chosen]


def _looking_along(axis: np.ndarray) -> np.ndarray:
    """Returns the rotation `rotations.from_hkl` of an axis, by NumPy: no back end starts."""
    x, y, z = axis
    azimuth, polar = np.arctan2(y, x), np.arctan2(np.hypot(x, y), z)
    cosine, sine, flat, steep = np.cos(azimuth), np.sin(azimuth), np.cos(polar), np.sin(polar)
    first = [cosine * flat, sine * flat, -steep]
    return np.array([first, [-sine, cosine, 0.0], [steep * cosine, steep * sine, flat]])


def closeness(grid: Grid, kind: jax.Array, rotation: jax.Array) -> jax.Array:
    """Returns the cosine of the angle of each cell to an orientation, (T, M).

    The angle is minimal over the equivalents; cells of other kinds have -1.

    Args:
      grid: of orientations.
      kind: () number of the kind.
      rotation: (3, 3).
    """
    across, beam = _overlaps(grid, rotation)
    # Of the trace, which is 1 + 2 cos; the view from the back turns by another half.
    plane = jnp.abs(jnp.asarray(_phasors(grid.turn)) @ across.reshape(2, -1))
    best = jnp.max((plane + beam.reshape(1, -1)).reshape(len(grid.turn), *beam.shape), axis=-1)
    return jnp.where(jnp.asarray(grid.kind) == kind, (best - 1) / 2, -1.0)


def offsets(
    grid: Grid, kind: jax.Array, rotation: jax.Array, turn: jax.Array, axis: jax.Array
) -> jax.Array:
    """Returns the offsets that lead from cells to an orientation, the nearest equivalent, (N, 3).

    Args:
      grid: of orientations.
      kind: () number of the kind.
      rotation: (3, 3).
      turn: (N,) number of the turn.
      axis: (N,) number of the axis.
    """
    group = jnp.asarray(symmetries())[kind]
    same = jnp.einsum("ij,wjk->wik", rotation, group, precision="highest")
    back = jnp.einsum("ij,wjk->wik", orientations.BACK, same, precision="highest")
    same = jnp.concatenate([same, back])
    unturned = rotations.turned(jnp.eye(3), -jnp.asarray(grid.turn)[turn])
    base = jnp.asarray(grid.base)[axis]
    away = jnp.einsum("nij,wjk,nlk->nwil", unturned, same, base, precision="highest")
    nearest = jnp.argmax(jnp.trace(away, axis1=-2, axis2=-1), axis=-1)
    return vectors(jnp.take_along_axis(away, nearest[:, None, None, None], axis=1)[:, 0])


def _overlaps(grid: Grid, rotation: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns the trace of (R W)ᵀ Z R_m as its factors of cosine and sine, and the rest.

    Returns:
      (2, M, 24) and (M, 24), by axis m and rotation W of its symmetry.
    """
    group = symmetries()[grid.kind]
    turned = jnp.asarray(np.einsum("mij,mwkj->mwik", grid.base, group))
    overlap = jnp.einsum("mwik,lk->mwil", turned, rotation, precision="highest")
    cosine = overlap[..., 0, 0] + overlap[..., 1, 1]
    sine = overlap[..., 1, 0] - overlap[..., 0, 1]
    return jnp.stack([cosine, sine]), overlap[..., 2, 2]


def _phasors(turn: np.ndarray) -> np.ndarray:
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


def vectors(rotation: jax.Array) -> jax.Array:
    """Returns the vectors of rotations by less than half a turn, (…, 3); see `from_vector`."""
    twice = jnp.stack(
        [
            rotation[..., 2, 1] - rotation[..., 1, 2],
            rotation[..., 0, 2] - rotation[..., 2, 0],
            rotation[..., 1, 0] - rotation[..., 0, 1],
        ],
        axis=-1,
    )
    sine = jnp.linalg.norm(twice, axis=-1, keepdims=True) / 2
    cosine = (jnp.trace(rotation, axis1=-2, axis2=-1)[..., None] - 1) / 2
    angle = jnp.arctan2(sine, cosine)
    return twice / 2 * jnp.where(sine > 1e-6, angle / jnp.maximum(sine, 1e-6), 1.0)
