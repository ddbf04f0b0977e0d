"""Draws masks of grana as a hand outlines them, for crops of any size.

An outline is four curves: the upper and lower edge as functions of the column, the left and right
edge as functions of the row. Each is sampled over the whole crop, so any part of the mask costs
four comparisons a pixel. All lengths are in px of the crop, from its upper left corner.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from srd_jax.synthetic.config import OutlineConfig
from srd_jax.synthetic.draws import Deck

SAMPLES = 256
_NOTCHES, _HOLES = 2, 2
# Corners along the upper and the lower edge, and along the left and the right edge.
_KNOTS = (7, 5)
# Of NumPy, because importing a module must not start a back end; the bits of jnp.linspace.
_AT = np.arange(SAMPLES, dtype=np.float32) * (np.float32(1) / np.float32(SAMPLES - 1))


@struct.dataclass
class Outline:
    """Edges of a granum.

    Attributes:
      size: (2,) rows and columns of the crop.
      upper, lower: (SAMPLES,) first and last row at columns from 0 to the last.
      left, right: (SAMPLES,) first and last column at rows from 0 to the last.
      holes: (_HOLES, 5) row and column of the centre, half length, half width, direction (turns).
      bordered: (_HOLES,) 1 where a white line, left by a scale bar, borders a hole, else 0.
    """

    size: jax.Array
    upper: jax.Array
    lower: jax.Array
    left: jax.Array
    right: jax.Array
    holes: jax.Array
    bordered: jax.Array


def draw_outline(
    key: jax.Array,
    size: tuple[jax.Array, jax.Array],
    period: jax.Array,
    bend: jax.Array,
    config: OutlineConfig,
) -> Outline:
    """Draws the outline of a granum that touches all four edges of its crop.

    Args:
      key: PRNG key.
      size: rows and columns of the crop, px.
      period: px of the crop; the granum is at least two periods high everywhere.
      bend: (SAMPLES,) how far the lamellae move down at columns from first to last, px.
      config: ranges.
    """
    height, width = size
    deck_key, rough_key = jax.random.split(key)
    deck = Deck(deck_key, 128)
    follows = deck.chance(config.follows) * jnp.sqrt(deck.take())
    rough = deck.chance(config.ragged) * deck.uniform(config.roughness)
    teeth = rough * jax.random.normal(rough_key, (4, SAMPLES))
    cell = jnp.where(deck.chance(config.stepped), 12.0, 3.0)
    rows, columns = (
        jnp.stack([
            _edge(deck, knots, cut, _stepped(one, cell / along) / across, config) for one in pair
        ])
        for knots, cut, pair, along, across in (
            (_KNOTS[0], config.cut_rows, teeth[:2], width, height),
            (_KNOTS[1], config.cut_columns, teeth[2:], height, width),
        )
    )  # fmt: skip
    shoulders = _shoulders(deck, config)
    upper = (rows[0] + shoulders[0]) * height + follows * bend
    lower = (1 - rows[1] - shoulders[1]) * height + follows * bend
    first, last = upper.min(), lower.max()
    upper, lower = ((edge - first) / (last - first) * height for edge in (upper, lower))
    # Edges that come too close move apart.
    middle = (upper + lower) / 2
    half = jnp.maximum((lower - upper) / 2, jnp.minimum(period, height / 2))
    middle = jnp.clip(middle, half, height - half)
    left, right = columns * width
    holes, bordered = _draw_holes(deck, size, config)
    return Outline(
        size=jnp.stack(size),
        upper=middle - half,
        lower=middle + half,
        left=left - left.min(),
        right=width - (right - right.min()),
        holes=holes,
        bordered=bordered,
    )


def _stepped(teeth: jax.Array, cell: jax.Array) -> jax.Array:
    """Returns roughness (SAMPLES,) in steps of `cell`, a share of the edge."""
    return teeth[jnp.minimum(jnp.floor(_AT / cell), SAMPLES - 1).astype(jnp.int32)]


def _edge(
    deck: Deck, knots: int, cut: tuple[float, float], teeth: jax.Array, config: OutlineConfig
) -> jax.Array:
    """Draws how far one edge lies inside of the crop, (SAMPLES,), a share of the crop's size.

    Args:
      deck: random numbers.
      knots: corners along the edge.
      cut: range of the greatest depth, a share of the crop's size.
      teeth: (SAMPLES,) roughness, likewise.
      config: ranges.
    """
    moved = deck.uniform((-0.4, 0.4), knots) / (knots - 1)
    places = (jnp.linspace(0.0, 1.0, knots) + moved).at[0].set(0.0).at[-1].set(1.0)
    # Squares, because few knots lie far inside: corners that are cut.
    curve = jnp.interp(_AT, places, deck.uniform(cut) * deck.take(knots) ** 2)
    for _ in range(_NOTCHES):
        depth = deck.chance(config.notches / _NOTCHES) * deck.uniform(config.notch_depth)
        distance = jnp.abs(_AT - deck.take()) / deck.uniform((0.01, 0.12))
        curve += depth * jnp.maximum(0.0, 1 - distance)
    return jnp.maximum(curve + teeth, 0.0)


def _shoulders(deck: Deck, config: OutlineConfig) -> jax.Array:
    """Draws the height that joined stacks leave free above and below, (2, SAMPLES), a share.

    The crop is cut at one or two columns. In each part the granum covers other rows, and it has
    some rows in common with the next part, where the stacks join.
    """
    first, second = jnp.sort(deck.uniform((0.1, 0.9), 2))
    second = jnp.where(deck.chance(0.5), second, 2.0)
    ramp = deck.uniform((0.005, 0.12))
    free = 0.6 * deck.take(2, 3) ** 1.5
    # Neighbouring parts keep a quarter of the height in common.
    free *= jnp.minimum(1.0, 0.75 / jnp.maximum(free[0].max() + free[1].max(), 1e-6))
    rise = jnp.clip((_AT[None, :] - jnp.stack([first, second])[:, None]) / ramp, 0.0, 1.0)
    curves = free[:, :1] + (free[:, 1:] - free[:, :-1]) @ rise
    return curves * deck.chance(config.joined)


def _draw_holes(
    deck: Deck, size: tuple[jax.Array, jax.Array], config: OutlineConfig
) -> tuple[jax.Array, jax.Array]:
    exists = deck.chance(config.holes / _HOLES, _HOLES)
    place = deck.take(_HOLES, 2) * jnp.stack(size)[None, :]
    length = exists * (4 + 0.3 * size[0] * deck.take(_HOLES))
    breadth = exists * deck.uniform((2.0, 14.0), _HOLES)
    shape = jnp.stack([length, breadth, deck.take(_HOLES)], axis=-1)
    return jnp.concatenate([place, shape], axis=1), exists * deck.chance(0.5, _HOLES)


def inside(outline: Outline, rows: jax.Array, columns: jax.Array) -> jax.Array:
    """Returns which pixels of a part of the crop are granum, (R, C) bool.

    Args:
      outline: of the granum.
      rows: (R,) coordinates of pixels, px from the upper edge of the crop.
      columns: (C,) likewise from the left one.
    """
    height, width = outline.size
    across, down = columns / (width - 1), rows / (height - 1)
    upper, lower = (jnp.interp(across, _AT, edge) for edge in (outline.upper, outline.lower))
    left, right = (jnp.interp(down, _AT, edge) for edge in (outline.left, outline.right))
    y, x = rows[:, None], columns[None, :]
    found = (y >= jnp.floor(upper)[None, :]) & (y <= lower[None, :])
    found &= x >= jnp.floor(left)[:, None]
    found &= (x <= right[:, None]) & (y >= 0) & (y < height) & (x >= 0) & (x < width)
    for distance in hole_distances(outline, rows, columns):
        found &= distance > 0
    return found


def hole_distances(outline: Outline, rows: jax.Array, columns: jax.Array) -> list[jax.Array]:
    """Returns the distances of the pixels to each hole, (R, C) px, 0 or less inside of it."""
    distances = []
    for row, column, length, breadth, direction in outline.holes:
        y, x = rows[:, None] - row, columns[None, :] - column
        cosine, sine = jnp.cos(jnp.pi * direction), jnp.sin(jnp.pi * direction)
        along, across = jnp.abs(x * cosine + y * sine), jnp.abs(y * cosine - x * sine)
        beyond = jnp.maximum(along - length, across - breadth)
        distances.append(jnp.where(breadth > 0, beyond, jnp.inf))
    return distances
