"""Draws marks on a micrograph that aren't the specimen's: stain, scratches, scan lines, JPEG."""

import functools

import jax
import jax.numpy as jnp

from srd_jax.synthetic.config import QualityConfig
from srd_jax.synthetic.draws import Deck

_BLOBS, _SCRATCHES = 32, 2
# Quantisation of the luminance at quality 50 (ITU-T T.81, table K.1).
_JPEG = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
BLOCK = 8
_LOSSLESS_STEP = 1e-2


def stain(
    key: jax.Array,
    rows: jax.Array,
    columns: jax.Array,
    size: tuple[jax.Array, jax.Array],
    texture: jax.Array,
    config: QualityConfig,
) -> jax.Array:
    """Returns how much blobs and grains of stain darken the grey value, (R, C) grey levels >= 0.

    Args:
      key: PRNG key.
      rows: (R,) coordinates of pixels, px of the crop.
      columns: (C,) likewise.
      size: rows and columns of the crop; the blobs lie anywhere in it.
      texture: (R, C) of unit variance, which makes the blobs rough.
      config: ranges.
    """
    deck = Deck(key, 5 * _BLOBS + 1)
    place = deck.take(2, _BLOBS) * jnp.stack(size)[:, None]
    radius = deck.log_uniform(config.blob_radius, _BLOBS)
    stretched = deck.log_uniform((0.6, 1.7), _BLOBS)
    # Squares: most crops have few.
    number = config.blobs[0] + deck.take() ** 2 * (config.blobs[1] - config.blobs[0])
    depth = deck.uniform(config.blob_depth, _BLOBS) * (jnp.arange(_BLOBS) < number)
    down = _bumps(rows, place[0], radius / stretched)
    right = _bumps(columns, place[1], radius * stretched)
    blobs = (down * depth[None, :]) @ right.T
    return jnp.maximum(0.0, blobs * (1.2 + 0.6 * texture))


def _bumps(at: jax.Array, place: jax.Array, sd: jax.Array) -> jax.Array:
    return jnp.exp(-0.5 * ((at[:, None] - place[None, :]) / sd[None, :]) ** 2)


def scratches(
    key: jax.Array,
    rows: jax.Array,
    columns: jax.Array,
    size: tuple[jax.Array, jax.Array],
    config: QualityConfig,
) -> jax.Array:
    """Returns the change of grey value by straight light or dark scratches, (R, C) grey levels."""
    height, width = size
    deck = Deck(key, 7 * _SCRATCHES)
    total = jnp.zeros((rows.shape[0], columns.shape[0]))
    for _ in range(_SCRATCHES):
        row, column, turn = deck.take() * height, deck.take() * width, deck.take()
        down = (rows[:, None] - row) * jnp.cos(jnp.pi * turn)
        distance = jnp.abs(down + (columns[None, :] - column) * jnp.sin(jnp.pi * turn))
        line = jnp.maximum(0.0, 1 - distance / deck.uniform((0.7, 2.0)))
        exists = deck.chance(config.scratches / _SCRATCHES)
        total += exists * deck.sign() * deck.uniform((20.0, 90.0)) * line
    return total


def scan_lines(key: jax.Array, shape: tuple[int, int], config: QualityConfig) -> jax.Array:
    """Returns the change of grey value by lines along rows or columns, (R, C) grey levels."""
    deck_key, line_key = jax.random.split(key)
    deck = Deck(deck_key, 3)
    sd = deck.chance(config.scan_lines) * deck.uniform(config.scan_line_sd)
    along_rows = deck.chance(0.5)
    lines = sd * jax.random.normal(line_key, (sum(shape),))
    rows = lines[: shape[0], None] * along_rows
    return rows + lines[None, shape[0] :] * ~along_rows


def jpeg(image: jax.Array, quality: jax.Array) -> jax.Array:
    """Returns an image after JPEG compression, which rounds the cosines of 8x8 blocks.

    Args:
      image: (R, C) grey levels 0..255; R and C are multiples of BLOCK.
      quality: 1..100, in the scale of libjpeg: the table is multiplied by 50 / q below 50 and by
        2 - q / 50 above. Infinity keeps whole grey levels as they are.

    Returns:
      (R, C) grey levels, not clipped.
    """
    scale = jnp.where(quality < 50, 50 / quality, 2 - quality / 50)
    table = jnp.maximum(1.0, jnp.round(jnp.array(_JPEG, jnp.float32) * scale))
    table = jnp.where(jnp.isinf(quality), _LOSSLESS_STEP, table)
    order = jnp.arange(BLOCK)
    basis = jnp.cos(jnp.pi / BLOCK * order[:, None] * (order[None, :] + 0.5)) * jnp.sqrt(2 / BLOCK)
    basis = basis.at[0].multiply(jnp.sqrt(0.5))
    rows, columns = image.shape[0] // BLOCK, image.shape[1] // BLOCK
    blocks = (image - 128.0).reshape(rows, BLOCK, columns, BLOCK)
    # Accelerators' fast products would change whole grey levels.
    product = functools.partial(jnp.einsum, precision="highest")
    cosines = product("ui,yixj,vj->yxuv", basis, blocks, basis)
    kept = jnp.round(cosines / table[None, None]) * table[None, None]
    return product("ui,yxuv,vj->yixj", basis, kept, basis).reshape(image.shape) + 128.0
