"""Renders batches of drawn grana: painted in px of the crop, rescaled to the network's frame."""

import functools
import math

import jax
import jax.numpy as jnp

from srd_jax.imaging.preparation import FRAME, MAX_ROWS
from srd_jax.imaging.spline import SUPPORT, resize, resize_matrix
from srd_jax.networks.receptive_field import Size
from srd_jax.support.compiling import over_images
from srd_jax.synthetic import granum, outline
from srd_jax.synthetic.batch import Batch
from srd_jax.synthetic.config import GranaConfig
from srd_jax.synthetic.marks import BLOCK

# Columns painted beside the shown part, px of the crop: the spline and its Gaussian reach there.
_MARGIN = SUPPORT + 4
# Rows and columns of the grid on which `_place` looks at the mask.
_LOOKS = 64


def render(key: jax.Array, size: int, frame: Size, config: GranaConfig) -> Batch:
    """Returns a batch of drawn grana; the same key gives the same bits.

    Each granum is painted in px of its crop and rescaled as `preparation.prepare` does: the middle
    rows of a high granum, each axis on its own. A frame of fewer than 476 columns shows as many
    columns of the whole frame, around a random place of the granum, and only these are painted.

    Args:
      key: PRNG key.
      size: number of images.
      frame: rows and columns; as many rows as preparation.FRAME, and at most as many columns.
      config: ranges.
    """
    keys = jax.random.split(key, size)
    one = functools.partial(_image, frame=frame, config=config)
    image, mask, target = over_images(jax.vmap(one), keys)
    return Batch(image=image, mask=mask, target=target)


def _canvas(frame: Size, config: GranaConfig) -> Size:
    """Returns the rows and columns that are painted for a frame, px of the crop."""
    rows = min(config.rows[1], MAX_ROWS)
    columns = config.columns[1]
    if frame[1] < FRAME[1]:
        columns = min(columns, math.ceil(frame[1] * columns / FRAME[1]) + 2 * _MARGIN)
    return -(-rows // BLOCK) * BLOCK, -(-columns // BLOCK) * BLOCK


def _image(
    key: jax.Array, frame: Size, config: GranaConfig
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns one image, grey value 0..1, its mask, and its period in px of the frame."""
    draw_key, place_key = jax.random.split(key)
    one = granum.draw(draw_key, config)
    height, width = one.size.astype(jnp.int32)
    shown = jnp.minimum(height, MAX_ROWS)
    first_row = (height - shown) // 2
    first, first_column = _place(place_key, one, first_row + shown / 2, frame[1])
    painted = _canvas(frame, config)
    rows = first_row + jnp.arange(painted[0], dtype=jnp.float32)
    columns = first_column + jnp.arange(painted[1], dtype=jnp.float32)
    grey, mask = granum.paint(one, rows, columns, config)
    mask &= (rows < first_row + shown)[:, None]
    grey = jnp.where(mask, grey, 0.0) / 255.0
    down = resize_matrix(0, shown, painted[0], FRAME[0], longest=MAX_ROWS)
    right = resize_matrix(
        -first_column, width, painted[1], frame[1], first, FRAME[1], config.columns[1]
    )
    image = jnp.clip(resize(grey, down, right), grey.min(), grey.max())
    inside = resize(mask.astype(jnp.float32), down, right) >= 0.5
    period = granum.mean_period(one, mask, rows, columns)
    return image, inside, period * FRAME[0] / shown


def _place(
    key: jax.Array, one: granum.Granum, row: jax.Array, columns: int
) -> tuple[jax.Array, jax.Array]:
    """Returns the first column of a narrow frame, px of the whole frame and px of the crop.

    The frame's centre is a random column. In this column, the granum covers at least half as many
    rows as in its fullest column.
    """
    height, width = one.size
    if columns == FRAME[1]:
        return jnp.int32(0), jnp.int32(0)
    half = jnp.minimum(height, MAX_ROWS) / 2
    down = row + half * jnp.linspace(-1.0, 1.0, _LOOKS)
    right = jnp.linspace(0.0, 1.0, _LOOKS) * (width - 1)
    covered = outline.inside(one.outline, down, right).sum(axis=0)
    centre = jax.random.categorical(key, jnp.where(2 * covered >= covered.max(), 0.0, -jnp.inf))
    start = centre / (_LOOKS - 1) * FRAME[1] - columns / 2
    first = jnp.clip(jnp.round(start), 0, FRAME[1] - columns).astype(jnp.int32)
    return first, first * width.astype(jnp.int32) // FRAME[1] - _MARGIN
