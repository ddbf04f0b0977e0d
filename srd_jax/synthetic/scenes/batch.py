"""A batch of drawn parts of micrographs, with the truth of each pixel."""

import jax
from flax import struct

# px of the image per px of the truth, along both axes.
STRIDE = 2
# Scale of drawn parts, px of the image per nm: a period of 20 nm is 8 px.
WORKING_PX_PER_NM = 0.4
# Grey values farther from the median, in halves of the range of percentiles, are clipped.
GREY_LIMIT = 3.0
# The distance to the outline counts up to this, nm.
REACH_NM = 60.0


@struct.dataclass
class Tiles:
    """Parts of micrographs and the truth of their pixels.

    Attributes:
      image: (B, R, C) grey values; the 2nd, 50th and 98th percentile of a micrograph are about
        -1, 0 and 1.
      granum: (B, R / STRIDE, C / STRIDE) bool, whether most of the pixel belongs to a granum.
      care: bool, whether `granum` is right or wrong; False for what a person couldn't tell.
      distance: to the outline of the own granum over REACH_NM, at most 1; 0 outside.
      cosine, sine: of twice the direction of the lamellae, counter-clockwise from the horizontal as
        seen; 0 outside.
      log_period: natural logarithm of the distance of the lamellae, px of the image; 0 outside.
      readable: bool, whether direction and period can be seen.
    """

    image: jax.Array
    granum: jax.Array
    care: jax.Array
    distance: jax.Array
    cosine: jax.Array
    sine: jax.Array
    log_period: jax.Array
    readable: jax.Array
