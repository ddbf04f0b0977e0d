"""The direction of a granum's lamellae, with its spread."""

import math

import numpy as np

from srd_jax.analysis.granum import Value
from srd_jax.analysis.maps import Maps
from srd_jax.imaging.orientation import Orientation

# Pixels of the maps along each axis that err together.
_ALIKE = 8.0
# Least length of the mean vector: below, directions are all alike.
_LEAST = 0.15
# Least coherence of the structure tensor, and the greatest difference to the maps, degrees, at
# which it makes the direction sharper.
_COHERENT, _NEAR = 0.25, 15.0
_LEAST_SD, _PIXEL_SD = 0.3, 0.7


def of_maps(maps: Maps, where: np.ndarray) -> Value | None:
    """Returns the mean direction over the pixels of a granum, degrees 0..180; None if unclear.

    The doubled angles' mean vector has length R; each pixel's sd is sqrt(-2 ln R) / 2 (circular
    statistics, Mardia and Jupp 2000), and so many pixels err together as a block has.

    Args:
      maps: of the micrograph.
      where: (r, c) bool, pixels of the granum.
    """
    cosine, sine = (np.asarray(one[where], np.float64) for one in (maps.cosine, maps.sine))
    length = np.hypot(cosine, sine)
    if not length.sum() or math.hypot(cosine.mean(), sine.mean()) < _LEAST:
        return None
    together = math.hypot(cosine.sum(), sine.sum()) / length.sum()
    spread = math.degrees(math.sqrt(max(-2 * math.log(min(together, 1.0)), 0.0))) / 2
    sd = math.hypot(spread / math.sqrt(max(where.sum() / _ALIKE**2, 1.0)), _LEAST_SD)
    degrees = math.degrees(math.atan2(sine.sum(), cosine.sum())) / 2 % 180
    return Value(degrees, sd)


def refined(rough: Value | None, found: Orientation) -> Value | None:
    """Returns the direction by the micrograph's own pixels where these agree with the maps.

    Args:
      rough: by the maps; None where they tell none.
      found: by the structure tensor.
    """
    if found.coherence < _COHERENT:
        return rough
    degrees = found.degrees % 180
    if rough is None:
        return Value(degrees, _PIXEL_SD / found.coherence)
    away = (degrees - rough.value + 90) % 180 - 90
    if abs(away) > max(_NEAR, 3 * rough.sd):
        return rough
    return Value(degrees, math.hypot(_PIXEL_SD, abs(away) / 4))
