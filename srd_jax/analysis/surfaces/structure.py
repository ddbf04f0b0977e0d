"""Structure factors of cubic membranes: the waves of which their density is made, with NumPy.

The density at the place r, in cells, is Σ F exp(2πi q r), and a slab's projection holds the waves
that lie nearly in its plane, each weakened by sinc(k_z t).
"""

import dataclasses
import functools

import jax.numpy as jnp
import numpy as np

from srd_jax.synthetic.surfaces.fractions import level_of_fraction
from srd_jax.synthetic.surfaces.levels import level_of

# Typical sizes, in cells: of the membrane's width, of its soft edge, of the section's thickness.
WALL, EDGE, THICKNESS = 0.095, 0.03, 0.9

_POINTS = 24  # along each edge of the cell
_LARGEST = 6  # index of a wave
_WAVES = 96


@dataclasses.dataclass(frozen=True)
class Waves:
    """The strongest waves of a kind of surface, one of each pair ±q.

    Attributes:
      index: (G, 3) int, of the phases of the level-set function.
      q: (G, 3) Cartesian axes of the crystal, 1 / cell.
      fractions: (F,) of the volume with f above c.
      values: (F, G) complex F.
    """

    index: np.ndarray
    q: np.ndarray
    fractions: np.ndarray
    values: np.ndarray


@functools.cache
def waves(kind: str) -> Waves:
    """Returns the waves of a membrane on a kind of surface, for some volume fractions."""
    # A shift takes c to -c for D and P; for G the picture is also turned by half a turn.
    shares = (0.15, 0.3, 0.45) if kind in ("D", "P") else (0.15, 0.35, 0.5, 0.65, 0.85)
    values = np.stack([_transformed(kind, share) for share in shares])
    numbers = np.fft.fftfreq(_POINTS, 1 / _POINTS).astype(int)
    index = np.stack(np.meshgrid(numbers, numbers, numbers, indexing="ij"), -1).reshape(-1, 3)
    values = values.reshape(len(shares), -1)
    first = np.sign(index) @ [9, 3, 1]  # the sign of the first index that isn't 0
    kept = np.flatnonzero((first > 0) & (np.abs(index).max(axis=1) <= _LARGEST))
    strongest = kept[np.argsort(-np.abs(values[:, kept]).max(axis=0))[:_WAVES]]
    index = index[strongest]
    return Waves(
        index, index @ np.array(level_of(kind).waves), np.array(shares), values[:, strongest]
    )


def _transformed(kind: str, fraction: float) -> np.ndarray:
    """Returns the Fourier coefficients of the density, (N, N, N) complex."""
    level = level_of(kind)
    phase = 2 * np.pi * np.arange(_POINTS) / _POINTS
    at = np.meshgrid(phase, phase, phase, indexing="ij")
    value, by_phases = level.evaluate(tuple(map(np.sin, at)), tuple(map(np.cos, at)))  # type: ignore[arg-type]
    gradient = np.einsum("ij,i...->j...", np.array(level.waves), np.stack(by_phases))
    steep = np.sqrt((gradient**2).sum(axis=0) + 1e-6) * 2 * np.pi
    distance = (np.asarray(value) - float(level_of_fraction(kind, jnp.float32(fraction)))) / steep
    sharp = np.pi / np.sqrt(3) / EDGE
    inside = _step(sharp * (distance + WALL / 2)) - _step(sharp * (distance - WALL / 2))
    return np.fft.fftn(inside) / _POINTS**3


def _step(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(x / 2))
