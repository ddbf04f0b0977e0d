"""Draws the numbers of a slab of a cubic membrane, and how its lattice is distorted."""

import jax
import jax.numpy as jnp

from srd_jax.synthetic.draws import Deck, smooth_field
from srd_jax.synthetic.surfaces import rotations
from srd_jax.synthetic.surfaces.config import SurfacesConfig
from srd_jax.synthetic.surfaces.fractions import level_of_fraction
from srd_jax.synthetic.surfaces.projection import Surface


def draw_surface(
    key: jax.Array, kind: str, config: SurfacesConfig
) -> tuple[Surface, jax.Array, jax.Array]:
    """Draws a slab.

    Args:
      key: PRNG key.
      kind: of the surface, static.
      config: ranges.

    Returns:
      The slab; () the fraction of the volume with f above c; () nm a pixel.
    """
    numbers, turn = jax.random.split(key)
    deck = Deck(numbers, 16)
    smaller = deck.uniform(config.fraction)
    fraction = jnp.where(deck.chance(0.5), smaller, 1 - smaller)
    drawn = Surface(
        cell=deck.uniform(config.cell),
        level=level_of_fraction(kind, fraction),
        rotation=rotations.uniform(turn),
        shift=deck.take(3),
        membranes=jnp.stack([jnp.zeros(1), deck.uniform(config.wall, 1)], axis=1),
        thickness=deck.uniform(config.thickness),
        edge=deck.uniform(config.edge),
        filling=deck.chance(config.filled) * deck.uniform(config.filling),
    )
    return drawn, fraction, deck.log_uniform(config.px_nm)


def draw_displacement(
    key: jax.Array,
    cell: jax.Array,
    px_nm: jax.Array,
    shape: tuple[int, int],
    config: SurfacesConfig,
) -> jax.Array:
    """Draws a distortion that leaves the mean cell and direction alone, (2, R, C) nm, x and y.

    Args:
      key: PRNG key.
      cell: () nm.
      px_nm: () nm a pixel.
      shape: rows and columns.
      config: ranges.
    """
    look = config.look
    keys = jax.random.split(key, 3)
    deck = Deck(keys[0], 4)
    rows, columns = (jnp.arange(n) - (n - 1) / 2 for n in shape)
    x = jnp.broadcast_to(columns[None, :], shape) * px_nm
    y = jnp.broadcast_to(rows[:, None], shape) * px_nm
    stretch, direction = look.strain * deck.take(), 2 * jnp.pi * deck.take()
    # Symmetric and without a trace.
    across, along = stretch * jnp.cos(direction), stretch * jnp.sin(direction)
    strained = jnp.stack([across * x + along * y, along * x - across * y])
    # Squares: most lattices are bent little.
    size = look.bent[0] + deck.take() ** 2 * (look.bent[1] - look.bent[0])
    scale = deck.uniform(look.bent_scale) * cell / px_nm
    finest = look.bent_scale[0] * config.cell[0] / config.px_nm[1]
    bent = [smooth_field(one, rows, columns, (scale, scale), (finest, finest)) for one in keys[1:]]
    return strained + size * cell * _without_gradient(jnp.stack(bent), rows, columns)


def _without_gradient(fields: jax.Array, rows: jax.Array, columns: jax.Array) -> jax.Array:
    """Returns fields, (2, R, C), without the planes that fit them best."""
    down = rows / jnp.sum(rows**2)
    right = columns / jnp.sum(columns**2)
    mean = fields.mean(axis=(1, 2), keepdims=True)
    slope_y = jnp.einsum("r,krc->k", down, fields, precision="highest") / columns.shape[0]
    slope_x = jnp.einsum("c,krc->k", right, fields, precision="highest") / rows.shape[0]
    plane = slope_y[:, None, None] * rows[None, :, None]
    return fields - mean - plane - slope_x[:, None, None] * columns[None, None, :]
