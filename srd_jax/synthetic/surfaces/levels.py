"""Level-set functions of triply periodic surfaces, and their gradients.

A surface is where f = c. The functions are the leading Fourier terms of the surfaces (von Schnering
and Nesper 1991, Z. Phys. B 83, 407; I-WP: Wohlgemuth et al. 2001, Macromolecules 34, 6083;
lonsdaleite: M. Saba, in SPIRE), with X = 2πx/a:

  G      gyroid       sinX cosY + sinY cosZ + sinZ cosX
  D      diamond      cosX cosY cosZ − sinX sinY sinZ
  P      primitive    cosX + cosY + cosZ
  I-WP                2(cosX cosY + cosY cosZ + cosZ cosX) − (cos2X + cos2Y + cos2Z)
  L      lonsdaleite  −cos2w + cosu + cosv + cos(u−v) + sinw (−sinu + sinv + sin(u−v)),
                      u = X + Y/√3, v = 2Y/√3, w = Z √(3/8): hexagonal with c/a = √(8/3)

The cell a is the edge of the cube after which f repeats. For D it is the cell of one channel's
network (Fd-3m), twice that of the balanced surface (Pn-3m). For L it is the hexagonal one; a
diamond of the same channels has √2 times that edge.
"""

import dataclasses
import math
from collections.abc import Callable

import jax
import numpy as np

Triple = tuple[jax.Array, jax.Array, jax.Array]


@dataclasses.dataclass(frozen=True)
class Level:
    """A level-set function of three phases.

    Attributes:
      evaluate: of the sines and the cosines of the phases, returns the value and its derivatives by
        the phases.
      waves: (3, 3), the phases are 2π waves r / a.
    """

    evaluate: Callable[[Triple, Triple], tuple[jax.Array, Triple]]
    waves: tuple[tuple[float, float, float], ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def _gyroid(s: Triple, c: Triple) -> tuple[jax.Array, Triple]:
    value = s[0] * c[1] + s[1] * c[2] + s[2] * c[0]
    x, y, z = (c[i] * c[(i + 1) % 3] - s[i] * s[(i + 2) % 3] for i in range(3))
    return value, (x, y, z)


def _diamond(s: Triple, c: Triple) -> tuple[jax.Array, Triple]:
    cosines, sines = c[1] * c[2], s[1] * s[2]
    value = c[0] * cosines - s[0] * sines
    crossed, mixed = s[1] * c[2], c[1] * s[2]
    return value, (
        -s[0] * cosines - c[0] * sines,
        -c[0] * crossed - s[0] * mixed,
        -c[0] * mixed - s[0] * crossed,
    )


def _primitive(s: Triple, c: Triple) -> tuple[jax.Array, Triple]:
    return c[0] + c[1] + c[2], (-s[0], -s[1], -s[2])


def _iwp(s: Triple, c: Triple) -> tuple[jax.Array, Triple]:
    total = c[0] + c[1] + c[2]
    squares = c[0] * c[0] + c[1] * c[1] + c[2] * c[2]
    # 2 Σ cos cos = total² − squares and Σ cos 2X = 2 squares − 3.
    x, y, z = (s[i] * (6 * c[i] - 2 * total) for i in range(3))
    return total * total - 3 * squares + 3, (x, y, z)


def _lonsdaleite(s: Triple, c: Triple) -> tuple[jax.Array, Triple]:
    cosine, sine = c[0] * c[1] + s[0] * s[1], s[0] * c[1] - c[0] * s[1]
    odd = s[1] - s[0] + sine
    value = 1 - 2 * c[2] * c[2] + c[0] + c[1] + cosine + s[2] * odd
    return value, (
        -s[0] - sine + s[2] * (cosine - c[0]),
        -s[1] + sine + s[2] * (c[1] - cosine),
        c[2] * (4 * s[2] + odd),
    )


_HEXAGONAL = (
    (1.0, 1 / math.sqrt(3), 0.0),
    (0.0, 2 / math.sqrt(3), 0.0),
    (0.0, 0.0, math.sqrt(3 / 8)),
)
_LEVELS = {
    "G": Level(_gyroid),
    "D": Level(_diamond),
    "P": Level(_primitive),
    "I-WP": Level(_iwp),
    "L": Level(_lonsdaleite, _HEXAGONAL),
}


def level_of(kind: str) -> Level:
    """Returns the level-set function of a kind of surface, one of `names.KINDS`."""
    return _LEVELS[kind]


def values(kind: str, at: np.ndarray) -> np.ndarray:
    """Returns f at places, (…,), with NumPy.

    Args:
      kind: of the surface.
      at: (…, 3) places in cells, Cartesian axes of the crystal.
    """
    level = level_of(kind)
    phases = np.moveaxis(2 * np.pi * at @ np.array(level.waves).T, -1, 0)
    return np.asarray(level.evaluate(tuple(np.sin(phases)), tuple(np.cos(phases)))[0])
