"""Crops that show no lamellae to be measured, so that a network learns to say so.

Their target is drawn like that of any granum but has nothing to do with the image: the likeliest
answer is then a wide one.
"""

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct

from srd_jax.imaging.preparation import FRAME, MAX_ROWS
from srd_jax.synthetic.config import NegativesConfig
from srd_jax.synthetic.draws import Deck, smooth_field
from srd_jax.synthetic.layers import Layers

GRANUM, BLANK, TEXTURE, STEEP, LONG = range(5)

# The finest texture, px of the crop, and its turns of light and dark per unit of its field.
_FINEST, _TURNS = 4.0, (0.3, 1.2)


@struct.dataclass
class Disguise:
    """What a crop shows in place of its granum; all are ().

    Attributes:
      kind: GRANUM for a granum as it is, or one of the other kinds.
      scale: of a texture, px of the crop.
      turns: of a texture, see _TURNS.
    """

    kind: jax.Array
    scale: jax.Array
    turns: jax.Array


def disguise(
    key: jax.Array, found: Layers, height: jax.Array, config: NegativesConfig
) -> tuple[Disguise, Layers]:
    """Returns what a crop shows, and its lamellae: steep or too far apart for those kinds.

    Args:
      key: PRNG key.
      found: lamellae of the granum as it is.
      height: rows of the crop, px.
      config: shares and ranges.
    """
    deck = Deck(key, 6)
    shares = jnp.array([config.blank, config.texture, config.steep, config.long])
    # The first bound that the number is below; none for a granum.
    kind = (deck.take() >= jnp.cumsum(shares)).sum() + 1
    kind = jnp.where(kind > LONG, GRANUM, kind)
    angle = jnp.deg2rad(deck.uniform(config.angle)) * deck.sign()
    to_frame = FRAME[0] / jnp.minimum(height, MAX_ROWS)
    far = deck.log_uniform(config.long_period) / to_frame
    # Distances of lamellae along a column, by which `Layers` counts.
    period = jnp.where(kind == STEEP, found.period / jnp.cos(angle), found.period)
    period = jnp.where(kind == LONG, far, period)
    tilt = jnp.where(kind == STEEP, jnp.tan(angle), found.tilt)
    shown = dataclasses.replace(found, period=period, tilt=tilt)
    scale = deck.log_uniform((_FINEST, 48.0))
    return Disguise(kind, scale, deck.uniform(_TURNS)), shown


def phase(
    key: jax.Array, shown: Disguise, lamellae: jax.Array, rows: jax.Array, columns: jax.Array
) -> jax.Array:
    """Returns the phase in turns that a crop shows, (R, C): of its lamellae or of a texture.

    Args:
      key: PRNG key of the texture.
      shown: kind of the crop.
      lamellae: (R, C) phase of the lamellae, turns.
      rows: (R,) coordinates of the pixels, px of the crop.
      columns: (C,) likewise.
    """
    scale = (shown.scale, shown.scale)
    texture = smooth_field(key, rows, columns, scale, (_FINEST, _FINEST)) * shown.turns
    return jnp.where(shown.kind == TEXTURE, texture, lamellae)
