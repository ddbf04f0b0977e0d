"""Draws crops without measurable lamellae, from which a network learns to say so.

Their target is drawn as for any granum and has nothing to do with the image. So the likelihood is
greatest where the network answers with a large sd.
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

# The finest scale of a texture, px of the crop, and the turns of its phase per unit of its field.
_FINEST, _TURNS = 4.0, (0.3, 1.2)


@struct.dataclass
class Disguise:
    """What a crop shows in place of its granum; the shape of all fields is ().

    Attributes:
      kind: GRANUM for an unchanged granum, or BLANK, TEXTURE, STEEP or LONG.
      scale: of a texture, px of the crop.
      turns: of a texture's phase per unit of its field.
    """

    kind: jax.Array
    scale: jax.Array
    turns: jax.Array


def disguise(
    key: jax.Array, found: Layers, height: jax.Array, config: NegativesConfig
) -> tuple[Disguise, Layers]:
    """Draws what a crop shows, and makes its lamellae steep or far apart for such crops.

    Args:
      key: PRNG key.
      found: lamellae of the unchanged granum.
      height: rows of the crop, px.
      config: shares and ranges.

    Returns:
      What the crop shows, and its lamellae.
    """
    deck = Deck(key, 6)
    shares = jnp.array([config.blank, config.texture, config.steep, config.long])
    # The kind is the first one whose cumulated share is above the number; a granum has none.
    kind = (deck.take() >= jnp.cumsum(shares)).sum() + 1
    kind = jnp.where(kind > LONG, GRANUM, kind)
    angle = jnp.deg2rad(deck.uniform(config.angle)) * deck.sign()
    to_frame = FRAME[0] / jnp.minimum(height, MAX_ROWS)
    far = deck.log_uniform(config.long_period) / to_frame
    # `Layers` counts distances along a column.
    period = jnp.where(kind == STEEP, found.period / jnp.cos(angle), found.period)
    period = jnp.where(kind == LONG, far, period)
    tilt = jnp.where(kind == STEEP, jnp.tan(angle), found.tilt)
    shown = dataclasses.replace(found, period=period, tilt=tilt)
    scale = deck.log_uniform((_FINEST, 48.0))
    return Disguise(kind, scale, deck.uniform(_TURNS)), shown


def phase(
    key: jax.Array, shown: Disguise, lamellae: jax.Array, rows: jax.Array, columns: jax.Array
) -> jax.Array:
    """Returns the phase of a crop, (R, C) turns: of its lamellae, or of a texture.

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
