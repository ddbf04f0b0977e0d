"""The phase of the lamellae of a granum, and the local period that follows from it.

The phase counts layers: it grows by 1 from each lamella to the next. It is a sum of products of a
function of the row and a function of the column, so an image of it is one matrix product, and its
derivatives follow from the functions' derivatives. Rows and columns are counted from the centre of
the crop, px of the crop.
"""

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from srd_jax.synthetic.config import LayersConfig
from srd_jax.synthetic.draws import Deck

_WAVES = 3
_NUMBERS = 8 * _WAVES + 8
_TURN = 2 * jnp.pi


@struct.dataclass
class Layers:
    """Where the lamellae of one granum run; the shape is () unless said otherwise.

    Attributes:
      period: nominal period, px of the crop.
      start: phase at the centre.
      tilt: slope of the lamellae, rows per column.
      fan: relative change of the period from the left edge to the right one.
      width: columns of the crop, px.
      bend: (W, 3) amplitude (px), length (px) and start (turns) of waves along the columns.
      stretch: (W, 4) relative change of the period, its length along the rows (px), its length
        along the columns (px) and its start (turns).
      faults: (F, 3) column (px), width (px) and shift (layers) of steps of the whole stack.
      endings: (E, 4) row and column (px) of a layer's end, its side (-1 or 1) and how many layers
        end there (0 or 1, or -1 for two that merge the other way).
    """

    period: jax.Array
    start: jax.Array
    tilt: jax.Array
    fan: jax.Array
    width: jax.Array
    bend: jax.Array
    stretch: jax.Array
    faults: jax.Array
    endings: jax.Array


def draw_layers(
    key: jax.Array, period: jax.Array, size: tuple[jax.Array, jax.Array], config: LayersConfig
) -> Layers:
    """Draws the lamellae of one granum.

    Args:
      key: PRNG key.
      period: () nominal period, px of the crop.
      size: rows and columns of the crop, px.
      config: ranges.
    """
    height, width = size
    deck = Deck(key, _NUMBERS + 3 * config.faults[1] + 4 * config.endings[1])
    length = width * deck.log_uniform((0.5, 4.0), _WAVES)
    slope = deck.uniform(config.bend) * deck.parts(_WAVES)
    bend = jnp.stack([slope * length / _TURN, length, deck.take(_WAVES)], axis=-1)
    # A wave's sd is its amplitude over the root of 2.
    change = deck.uniform(config.variation) * jnp.sqrt(2.0) * deck.parts(_WAVES)
    along = period * deck.log_uniform((3.0, 20.0), _WAVES)
    across = width * deck.log_uniform((0.5, 8.0), _WAVES)
    return Layers(
        period=period,
        start=deck.take(),
        tilt=jnp.tan(jnp.deg2rad(deck.uniform((-config.tilt, config.tilt)))),
        fan=deck.uniform((-config.fan, config.fan)),
        width=width,
        bend=bend,
        stretch=jnp.stack([change, along, across, deck.take(_WAVES)], axis=-1),
        faults=_faults(deck, width, config),
        endings=_endings(deck, period, height, width, config),
    )


def _faults(deck: Deck, width: jax.Array, config: LayersConfig) -> jax.Array:
    most = config.faults[1]
    place = deck.uniform((-0.5, 0.5), most) * width
    breadth = deck.uniform((1.0, 12.0), most)
    shift = deck.uniform((-0.5, 0.5), most) * deck.some(config.faults)
    return jnp.stack([place, breadth, shift], axis=-1)


def _endings(
    deck: Deck, period: jax.Array, height: jax.Array, width: jax.Array, config: LayersConfig
) -> jax.Array:
    most = config.endings[1]
    place = deck.uniform((-0.5, 0.5), 2, most) * jnp.stack([height, width])[:, None]
    side, kind = deck.sign(2, most)
    # A stack of few layers can't lose one without another period.
    room = height > 6 * period
    return jnp.stack([*place, side, kind * room * deck.some(config.endings)], axis=-1)


def deflection(layers: Layers, columns: jax.Array) -> jax.Array:
    """Returns how far tilt and bend move a lamella down at each column, (C,) px."""
    height, length, turn = layers.bend.T[:, None]
    waves = height * jnp.sin(_TURN * (columns[:, None] / length + turn))
    return layers.tilt * columns + waves.sum(axis=1)


def phase(layers: Layers, rows: jax.Array, columns: jax.Array) -> jax.Array:
    """Returns the phase of the lamellae in turns, (R, C).

    Args:
      layers: of the granum.
      rows: (R,) coordinates from the centre of the crop, px.
      columns: (C,) likewise.
    """
    smooth = _product(_smooth_rows(layers, rows), _smooth_columns(layers, columns))
    broken = _product(_broken_rows(layers, rows), _broken_columns(layers, columns))
    return smooth + broken


def local_period(layers: Layers, rows: jax.Array, columns: jax.Array) -> jax.Array:
    """Returns the distance of adjacent lamellae at right angles to them, (R, C) px of the crop.

    It is 1 / |gradient of the phase|. The derivatives of faults and endings along the columns are
    left out, because these shift lamellae sideways without moving them apart.

    Args:
      layers: of the granum.
      rows: (R,) coordinates from the centre of the crop, px.
      columns: (C,) likewise.
    """
    smooth_rows, smooth_down = _with_derivative(_smooth_rows, layers, rows)
    smooth_columns, smooth_right = _with_derivative(_smooth_columns, layers, columns)
    _, broken_down = _with_derivative(_broken_rows, layers, rows)
    down = _product(smooth_down, smooth_columns)
    down += _product(broken_down, _broken_columns(layers, columns))
    return 1 / jnp.hypot(down, _product(smooth_rows, smooth_right))


def _with_derivative(function, layers: Layers, at: jax.Array) -> Any:
    return jax.jvp(lambda x: function(layers, x), (at,), (jnp.ones_like(at),))


def _product(rows: jax.Array, columns: jax.Array) -> jax.Array:
    # A phase of 40 turns leaves few bits for its fraction.
    return jnp.matmul(rows, columns.T, precision="highest")


def _smooth_rows(layers: Layers, rows: jax.Array) -> jax.Array:
    """Returns the functions of the row of the smooth part, (R, terms)."""
    change, along, _, turn = layers.stretch.T[:, None]
    waves = change * along / (_TURN * layers.period)
    waves *= jnp.sin(_TURN * (rows[:, None] / along + turn))
    one = jnp.ones_like(rows)
    turns = rows / layers.period
    return jnp.concatenate([jnp.stack([one, turns, turns], axis=1), waves], axis=1)


def _smooth_columns(layers: Layers, columns: jax.Array) -> jax.Array:
    """Returns the functions of the column of the smooth part, (C, terms)."""
    _, _, across, turn = layers.stretch.T[:, None]
    waves = jnp.cos(_TURN * (columns[:, None] / across + 2 * turn))
    shift = layers.start - deflection(layers, columns) / layers.period
    fan = layers.fan * columns / layers.width
    return jnp.concatenate([jnp.stack([shift, jnp.ones_like(fan), fan], axis=1), waves], axis=1)


def _broken_rows(layers: Layers, rows: jax.Array) -> jax.Array:
    """Returns the functions of the row of faults and endings, (R, 1 + E)."""
    place, _, _, kind = layers.endings.T[:, None]
    # A layer appears over the height of a few, so that its neighbours make room for it.
    grown = jax.nn.sigmoid((rows[:, None] - place) / (1.2 * layers.period))
    return jnp.concatenate([jnp.ones_like(rows)[:, None], kind * grown], axis=1)


def _broken_columns(layers: Layers, columns: jax.Array) -> jax.Array:
    """Returns the functions of the column of faults and endings, (C, 1 + E)."""
    place, breadth, shift = layers.faults.T[:, None]
    shifted = shift * jax.nn.sigmoid((columns[:, None] - place) / breadth)
    _, column, side, _ = layers.endings.T[:, None]
    beside = jax.nn.sigmoid(side * (columns[:, None] - column) / (0.5 * layers.period))
    return jnp.concatenate([shifted.sum(axis=1, keepdims=True), beside], axis=1)
