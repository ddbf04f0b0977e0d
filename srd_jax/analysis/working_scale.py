"""Estimates the scale of a micrograph from its own stripes, for the detector alone."""

import math

import numpy as np

from srd_jax.analysis.maps import Maps
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.synthetic.scenes.batch import WORKING_PX_PER_NM

# The period that stripes are taken to have, nm: the mean SRD of published tables.
_PERIOD_NM = 20.0
# Factors between the scales that are tried: periods of 4 to 60 px of the micrograph.
_FIRST, _STEP, _COUNT = 4.5, 1.6, 7
# Side of the part in the middle that is looked at, px of the working scale.
_MOST = 1500


def estimate(micrograph: Micrograph, detect) -> float:
    """Returns px per nm such that the clearest stripes have the mean period of grana.

    The detector looks at the middle of the micrograph at several scales. That one counts where it
    finds the most confident area of stripes, in periods², and its median period corrects the scale.

    Args:
      micrograph: without a scale.
      detect: (micrograph, px_per_nm) → `Maps`.
    """
    tried = []
    for step in range(_COUNT):
        period = _FIRST * _STEP**step
        scale = period / _PERIOD_NM
        part = _middle(micrograph, scale)
        if min(part.grey.shape) < 4 * period:
            continue
        tried.append((_clear(detect(part, scale), period), scale))
    if not tried:
        return WORKING_PX_PER_NM
    (evidence, median), scale = max(tried, key=lambda one: one[0][0])
    return scale if evidence <= 0 else median / _PERIOD_NM


def _middle(micrograph: Micrograph, px_per_nm: float) -> Micrograph:
    side = math.ceil(_MOST * px_per_nm / WORKING_PX_PER_NM)
    part = tuple(
        slice(max((length - side) // 2, 0), (length + side) // 2 + 1)
        for length in micrograph.grey.shape
    )
    return Micrograph(micrograph.name, micrograph.grey[part])


def _clear(maps: Maps, period: float) -> tuple[float, float]:
    """Returns the confident area of stripes about as wide as expected, periods², and their median.

    Args:
      maps: at one scale.
      period: that a granum's lamellae have at this scale, px of the micrograph.
    """
    log = np.asarray(maps.log_period, np.float64)
    near = np.exp(-((log - math.log(period)) ** 2) / 2 / 0.25**2)
    length = np.hypot(np.asarray(maps.cosine, np.float64), np.asarray(maps.sine, np.float64))
    sure = np.clip(np.asarray(maps.probability, np.float64) - 0.5, 0, None) * near * length
    total = float(sure.sum())
    if total <= 0:
        return 0.0, period
    order = np.argsort(log, axis=None)
    below = np.cumsum(sure.ravel()[order])
    median = math.exp(float(log.ravel()[order][np.searchsorted(below, total / 2)]))
    return total / (maps.scale * period) ** 2, median
