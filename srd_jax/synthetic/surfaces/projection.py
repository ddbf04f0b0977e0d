"""Renders the projection of a slab of a cubic membrane; differentiable in all continuous numbers.

Axes of the picture: x to the right, y down, z away from the viewer along the beam, a right-handed
frame. A rotation R takes directions of the crystal to those of the picture, so that its last row is
the direction of the crystal along the beam. At the place u from the middle of picture and slab lies
the place r = a shift + Rᵀ u of the crystal.
"""

import jax
import jax.numpy as jnp
from flax import struct

from srd_jax.synthetic.surfaces.distance import signed_distance
from srd_jax.synthetic.surfaces.levels import Triple, level_of

# Of the slab along the beam. See docs/surfaces.md for what more of them change.
SAMPLES = 48
MODES = ("linear", "logarithmic", "beer-lambert")


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
    steps: int = 1,
    displacement: jax.Array | None = None,
) -> jax.Array:
    """Returns how much membrane lies along the beam at each pixel, (R, C) nm.

    Args:
      kind: of the surface, static, one of `levels.KINDS`.
      of: the surface, without leading axes; use `jax.vmap` for batches.
      px_nm: () nm a pixel.
      shape: rows and columns, static.
      samples: places along the beam, static.
      steps: that refine the distance, static; see `signed_distance`.
      displacement: (2, R, C) where in the undistorted picture a pixel lies, minus its place, x and
        y in nm; None for none.
    """
    level = level_of(kind)
    waves = jnp.asarray(level.waves, jnp.float32)
    turned = jnp.matmul(waves, of.rotation.T, precision="highest") * (2 * jnp.pi / of.cell)
    start = 2 * jnp.pi * jnp.matmul(waves, of.shift, precision="highest")
    x = (jnp.arange(shape[1]) - (shape[1] - 1) / 2)[None, :] * px_nm
    y = (jnp.arange(shape[0]) - (shape[0] - 1) / 2)[:, None] * px_nm
    if displacement is not None:
        x, y = x + displacement[0], y + displacement[1]
    flat = [start[i] + turned[i, 0] * x + turned[i, 1] * y for i in range(3)]
    sines, cosines = [jnp.sin(one) for one in flat], [jnp.cos(one) for one in flat]

    def at_depth(share: jax.Array) -> jax.Array:
        s, c = _advanced(sines, cosines, turned[:, 2] * (share * of.thickness))
        distance = signed_distance(level, s, c, of.level, steps) * (of.cell / (2 * jnp.pi))
        return _density(distance, of)

    # Recomputed for the gradient: a picture's own size is kept, not that of its volume.
    @jax.checkpoint
    def add(total: jax.Array, share: jax.Array) -> tuple[jax.Array, None]:
        return total + at_depth(share), None

    shares = (jnp.arange(samples, dtype=jnp.float32) + 0.5) / samples - 0.5
    total, _ = jax.lax.scan(add, jnp.zeros(shape, jnp.float32), shares)
    return total * (of.thickness / samples)


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


def _advanced(
    sines: list[jax.Array], cosines: list[jax.Array], by: jax.Array
) -> tuple[Triple, Triple]:
    """Returns sines and cosines of phases moved on by three angles, (3,)."""
    s, c = jnp.sin(by), jnp.cos(by)
    moved = [
        (sines[i] * c[i] + cosines[i] * s[i], cosines[i] * c[i] - sines[i] * s[i]) for i in range(3)
    ]
    return (moved[0][0], moved[1][0], moved[2][0]), (moved[0][1], moved[1][1], moved[2][1])


def _density(distance: jax.Array, of: Surface) -> jax.Array:
    """Returns the density at a signed distance from the surface, 0..1 where nothing is filled.

    An edge is a logistic one, so that a membrane keeps its mass however soft its edges are.
    """
    sharp = jnp.pi / (jnp.sqrt(3.0) * jnp.maximum(of.edge, 1e-3))
    step = jax.nn.sigmoid
    free = jnp.ones_like(distance)
    for middle, width in of.membranes:
        beyond, before = distance - middle + width / 2, distance - middle - width / 2
        free = free * (1 - step(sharp * beyond) + step(sharp * before))
    return 1 - free + of.filling * free * step(sharp * distance)
