"""Renders the projection of a slab of a cubic membrane; differentiable in all continuous numbers.

Axes of the picture: x to the right, y down, z away from the viewer along the beam, a right-handed
frame. A rotation R takes directions of the crystal to those of the picture, so that its last row is
the direction of the crystal along the beam. At the place u from the middle of picture and slab lies
the place r = a shift + Rᵀ u of the crystal.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from srd_jax.synthetic.surfaces.distance import signed_distance
from srd_jax.synthetic.surfaces.levels import Triple, level_of

# Of the slab along the beam. See docs/surfaces.md for what more of them change.
SAMPLES = 48


@struct.dataclass
class Surface:
    """A slab of a cubic membrane; leading axes of batches come first.

    Attributes:
      cell: () edge a of the unit cell, nm; see `levels` for its convention.
      level: () value c of the level-set function on the surface.
      rotation: (3, 3) from the axes of the crystal to those of the picture.
      shift: (3,) place of the crystal in the middle of picture and slab, cells, along the Cartesian
        axes of the crystal.
      membranes: (M, 2) signed distance from the surface, positive to where f is above c, and full
        width, nm.
      thickness: () of the slab, nm.
      edge: () sd of the soft edge of membranes, nm.
      filling: () density of the channel where f is above c, in units of a membrane's; 0 for none.
    """

    cell: jax.Array
    level: jax.Array
    rotation: jax.Array
    shift: jax.Array
    membranes: jax.Array
    thickness: jax.Array
    edge: jax.Array
    filling: jax.Array


def surface(
    cell: float,
    rotation: jax.Array,
    level: float = 0.0,
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0),
    membranes: tuple[tuple[float, float], ...] = ((0.0, 7.0),),
    thickness: float = 70.0,
    edge: float = 1.0,
    filling: float = 0.0,
) -> Surface:
    """Returns a surface of float32 arrays from numbers; see `Surface`."""
    numbers = (cell, level, rotation, shift, membranes, thickness, edge, filling)
    return Surface(*(jnp.asarray(number, jnp.float32) for number in numbers))


def project(
    kind: str,
    of: Surface,
    px_nm: jax.Array,
    shape: tuple[int, int],
    samples: int = SAMPLES,
    steps: int = 2,
    displacement: jax.Array | None = None,
) -> jax.Array:
    """Returns how much membrane lies along the beam at each pixel, (R, C) nm.

    Args:
      kind: of the surface, static, one of `names.KINDS`.
      of: the surface, without leading axes; use `jax.vmap` for batches.
      px_nm: () nm a pixel.
      shape: rows and columns, static.
      samples: places along the beam, static.
      steps: that refine the distance, static; see `signed_distance`.
      displacement: (2, R, C) where in the undistorted picture a pixel lies, minus its place, x and
        y in nm; None for none.
    """
    waves = jnp.asarray(level_of(kind).waves, jnp.float32)
    turned = jnp.matmul(waves, of.rotation.T, precision="highest") * (2 * jnp.pi / of.cell)
    start = 2 * jnp.pi * jnp.matmul(waves, of.shift, precision="highest")
    x = (jnp.arange(shape[1]) - (shape[1] - 1) / 2)[None, :] * px_nm
    y = (jnp.arange(shape[0]) - (shape[0] - 1) / 2)[:, None] * px_nm
    if displacement is not None:
        x, y = x + displacement[0], y + displacement[1]
    flat = tuple(start[i] + turned[i, 0] * x + turned[i, 1] * y for i in range(3))
    wall = (of.membranes, of.edge, of.filling)
    density = _mean_density(
        kind,
        samples,
        steps,
        flat,
        turned[:, 2] * of.thickness,
        of.level,
        of.cell / 2 / jnp.pi,
        wall,
    )
    return density * of.thickness


def grey(projected: jax.Array, mode: str = "linear", absorption: float = 0.05) -> jax.Array:
    """Returns grey values, dark where much membrane lies along the beam.

    Args:
      projected: any shape, nm.
      mode: static; linear -p, logarithmic -ln(p + 1), with p in nm, as SPIRE has it for voxels, or
        Beer–Lambert exp(-absorption p), the share of the electrons that passes.
      absorption: of a membrane, 1 / nm.
    """
    if mode == "linear":
        return -projected
    if mode == "logarithmic":
        return -jnp.log1p(projected)
    return jnp.exp(-absorption * projected)


_Wall = tuple[jax.Array, jax.Array, jax.Array]


@functools.partial(jax.custom_jvp, nondiff_argnums=(0, 1, 2))
def _mean_density(
    kind: str,
    samples: int,
    steps: int,
    flat: Triple,
    along: jax.Array,
    level: jax.Array,
    unit: jax.Array,
    wall: _Wall,
) -> jax.Array:
    """Returns the mean density along the beam, (R, C).

    Args:
      kind, samples, steps: see `project`.
      flat: phases in the middle of the slab, (R, C) each.
      along: (3,) by how much they change through the slab.
      level: () c.
      unit: () a / 2π, nm.
      wall: membranes, edge and filling of `Surface`.
    """

    def add(total: jax.Array, share: jax.Array) -> tuple[jax.Array, None]:
        distance = signed_distance(level_of(kind), *waves(share * along), level, steps)
        return total + _density(distance.value * unit, *wall), None

    waves = _waves(flat)
    return jax.lax.scan(add, jnp.zeros_like(flat[0]), _shares(samples))[0] / samples


@_mean_density.defjvp
def _mean_density_jvp(
    kind: str, samples: int, steps: int, primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> tuple[jax.Array, jax.Array]:
    """Returns the mean density and its change, by the means of its derivatives along the beam.

    These are maps, (R, C), summed in the same pass. A general transposition of the sum would add up
    single numbers at each sample, which takes many times as long.
    """
    flat, along, level, unit, wall = primals

    def at_depth(share: jax.Array) -> tuple[jax.Array, ...]:
        distance = signed_distance(level_of(kind), *waves(share * along), level, steps)
        density, by_nm, by_wall = _derivatives(distance.value * unit, *wall)
        outward = by_nm * unit
        slopes = [outward * one for one in distance.by_phases]
        far = [share * one for one in slopes]
        return (
            density,
            *slopes,
            *far,
            outward * distance.by_level,
            by_nm * distance.value,
            *by_wall,
        )

    def add(totals: tuple[jax.Array, ...], share: jax.Array) -> tuple[tuple[jax.Array, ...], None]:
        return tuple(map(jnp.add, totals, at_depth(share))), None

    waves = _waves(flat)
    nothing = tuple(jnp.zeros_like(flat[0]) for _ in range(11 + wall[0].size))
    totals, _ = jax.lax.scan(add, nothing, _shares(samples))
    density, *maps = [total / samples for total in totals]
    d_flat, d_along, d_level, d_unit, (d_membranes, d_edge, d_filling) = tangents
    numbers = [*d_flat, *d_along, d_level, d_unit, *d_membranes.ravel(), d_edge, d_filling]
    return density, functools.reduce(jnp.add, map(jnp.multiply, maps, numbers))


def _shares(samples: int) -> jax.Array:
    """Returns the places of samples along the beam, in thicknesses from the middle."""
    return (jnp.arange(samples, dtype=jnp.float32) + 0.5) / samples - 0.5


def _waves(flat: Triple) -> Callable[[jax.Array], tuple[Triple, Triple]]:
    """Returns a function from three angles to the sines and cosines of phases moved on by them."""
    sines, cosines = [jnp.sin(one) for one in flat], [jnp.cos(one) for one in flat]

    def moved(by: jax.Array) -> tuple[Triple, Triple]:
        s, c = jnp.sin(by), jnp.cos(by)
        u, v, w = (sines[i] * c[i] + cosines[i] * s[i] for i in range(3))
        p, q, r = (cosines[i] * c[i] - sines[i] * s[i] for i in range(3))
        return (u, v, w), (p, q, r)

    return moved


def _density(
    distance: jax.Array, membranes: jax.Array, edge: jax.Array, filling: jax.Array
) -> jax.Array:
    """Returns the density at a signed distance from the surface, 0..1 where nothing is filled.

    An edge is a logistic one, so that a membrane keeps its mass however soft its edges are.
    """
    sharp = jnp.pi / (jnp.sqrt(3.0) * jnp.maximum(edge, 1e-3))
    step = jax.nn.sigmoid
    free = jnp.ones_like(distance)
    for middle, width in membranes:
        beyond, before = distance - middle + width / 2, distance - middle - width / 2
        free = free * (1 - step(sharp * beyond) + step(sharp * before))
    return 1 - free + filling * free * step(sharp * distance)


def _derivatives(
    distance: jax.Array, membranes: jax.Array, edge: jax.Array, filling: jax.Array
) -> tuple[jax.Array, jax.Array, list[jax.Array]]:
    """Returns the density, its derivative by the distance, and those by the numbers of the wall."""
    numbers = [*membranes.ravel(), edge, filling]
    shape = membranes.shape

    def density(distance: jax.Array, *numbers: jax.Array) -> jax.Array:
        return _density(distance, jnp.stack(numbers[:-2]).reshape(shape), *numbers[-2:])

    found, change = jax.linearize(density, distance, *numbers)
    zeros = [jnp.zeros_like(one) for one in numbers]
    by_wall = [
        change(jnp.zeros_like(distance), *zeros[:i], jnp.ones_like(zeros[i]), *zeros[i + 1 :])
        for i in range(len(numbers))
    ]
    return found, change(jnp.ones_like(distance), *zeros), by_wall
