"""The signed distance from a level set, to first order around its foot."""

import dataclasses

import jax
import jax.numpy as jnp

from srd_jax.synthetic.surfaces.levels import Level, Triple

# Distances beyond this are no longer refined, in units of a / 2π: a seventh of the cell.
_REACH = 0.9
_LEAST = 1e-6


@dataclasses.dataclass(frozen=True)
class Distance:
    """A signed distance and its derivatives, arrays of one shape.

    Attributes:
      value: in units of a / 2π, positive where f is above c.
      by_phases: derivatives by the three phases.
      by_level: derivative by c.
    """

    value: jax.Array
    by_phases: Triple
    by_level: jax.Array


def signed_distance(level: Level, s: Triple, c: Triple, at: jax.Array, steps: int = 2) -> Distance:
    """Returns the distance from the surface f = c.

    The estimate (f - c) / |∇f| gives a foot on the surface; there the surface is taken for a plane,
    and the distance from it is the next estimate. One step errs by about 0.0001 a at a distance of
    0.04 a, two steps by a tenth of that. The derivatives are those of a distance: it changes by the
    normal at the foot.

    Args:
      level: f.
      s: sines of the phases, three arrays of one shape.
      c: their cosines.
      at: the value c, of a shape that broadcasts.
      steps: static.
    """
    value, by_phases = level.evaluate(s, c)
    gradient = _cartesian(level, by_phases)
    norm = _norm(gradient)
    distance = (value - at) / norm
    for _ in range(steps):
        # Seen from the place, the foot lies there; the phases change by little.
        reach = -jnp.clip(distance, -_REACH, _REACH) / norm
        x, y, z = gradient
        offset = (x * reach, y * reach, z * reach)
        value, by_phases = level.evaluate(*_moved(s, c, _phases(level, offset)))
        gradient = _cartesian(level, by_phases)
        norm = _norm(gradient)
        x, y, z = gradient
        along = x * offset[0] + y * offset[1] + z * offset[2]
        distance = (value - at - along) / norm
    u, v, w = by_phases
    return Distance(distance, (u / norm, v / norm, w / norm), -1 / norm)


def _norm(of: Triple) -> jax.Array:
    return jnp.sqrt(of[0] * of[0] + of[1] * of[1] + of[2] * of[2] + _LEAST)


def _phases(level: Level, offset: Triple) -> Triple:
    """Returns by how much the phases of a level-set function change with a place in a / 2π."""
    u, v, w = (_combined(row, offset) for row in level.waves)
    return u, v, w


def _cartesian(level: Level, by_phases: Triple) -> Triple:
    """Returns the derivatives by the place in a / 2π, from those by the phases."""
    x, y, z = (_combined(column, by_phases) for column in zip(*level.waves, strict=True))
    return x, y, z


def _combined(weights: tuple[float, ...], of: Triple) -> jax.Array:
    """Returns a weighted sum without the terms of weight 0."""
    terms = [
        one if weight == 1 else weight * one
        for weight, one in zip(weights, of, strict=True)
        if weight
    ]
    return sum(terms[1:], terms[0])


def _moved(s: Triple, c: Triple, by: Triple) -> tuple[Triple, Triple]:
    """Returns sines and cosines of phases changed by less than about 1."""
    moved = [_one_moved(*one) for one in zip(s, c, by, strict=True)]
    return (moved[0][0], moved[1][0], moved[2][0]), (moved[0][1], moved[1][1], moved[2][1])


def _one_moved(s: jax.Array, c: jax.Array, by: jax.Array) -> tuple[jax.Array, jax.Array]:
    square = by * by
    sine = by * (1 - square / 6 * (1 - square / 20 * (1 - square / 42)))
    cosine = 1 - square / 2 * (1 - square / 12 * (1 - square / 30 * (1 - square / 56)))
    return s * cosine + c * sine, c * cosine - s * sine
