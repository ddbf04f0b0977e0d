"""A batch of images with their targets, in the same form for every source."""

import jax
from flax import struct


@struct.dataclass
class Batch:
    """Images of one frame size with their targets.

    Attributes:
      image: (B, rows, columns) float32, grey value 0..1, 0 outside of the mask.
      mask: (B, rows, columns) bool, True inside of the granum.
      target: (B,) float32, the period in px of the frame.
    """

    image: jax.Array
    mask: jax.Array
    target: jax.Array
