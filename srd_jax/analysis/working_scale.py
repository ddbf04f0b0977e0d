"""Estimates the scale of a micrograph from its own stripes, for the detector alone."""

import math
from typing import NamedTuple

import numpy as np

from srd_jax.analysis.candidates import Detect
from srd_jax.analysis.maps import Maps
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.synthetic.scenes.batch import WORKING_PX_PER_NM

# The period that stripes are taken to have, nm: the mean SRD of published tables.
_PERIOD_NM = 20.0
# Periods that are tried, px of the micrograph: the first, the factor to the next one, how many.
_FIRST, _STEP, _COUNT = 5.0, 1.6, 7
# Sd of the logarithm of periods that count at one scale.
_NEAR = 0.3
# Side of the part in the middle that is looked at, px of the working scale.
_MOST = 1500
# The maps' probability from which on stripes count.
_LEAST = 0.5
# Another scale with more than this share of the best one's evidence makes it unsure.
_RIVAL = 0.5


class Estimate(NamedTuple):
    """A scale for the detector, and a note about it.

    Attributes:
      px_per_nm: such that the clearest stripes have the mean period of grana.
      note: which stripes tell it, and how surely.
    """

    px_per_nm: float
    note: str


def estimate(micrograph: Micrograph, detect: Detect) -> Estimate:
    """Returns the scale at which the clearest stripes have the mean period of grana.

    The detector looks at the middle of the micrograph at several scales. That one counts where it
    finds the most confident area of stripes, in periods², and its median period corrects the scale.
    Where no scale shows any, that of the detector's training is taken.

    Args:
      micrograph: without a scale.
      detect: the detector.
    """
    tried = []
    for step in range(_COUNT):
        period = _FIRST * _STEP**step
        part = _middle(micrograph, period / _PERIOD_NM)
        if min(part.grey.shape) >= 4 * period:
            tried.append((*_clear(detect(part, period / _PERIOD_NM), period), period))
    evidence, median, period = max(tried, default=(0.0, 0.0, 0.0))
    if evidence <= 0:
        return Estimate(
            WORKING_PX_PER_NM, "no stripes tell the scale at which grana are looked for"
        )
    others = [
        one for one, _, other in tried if abs(math.log(other / period)) > 1.5 * math.log(_STEP)
    ]
    rival = max(others, default=0.0) > _RIVAL * evidence
    note = f"grana are looked for by stripes of about {median:.1f} px"
    return Estimate(
        median / _PERIOD_NM, f"{note}, but there are others as clear" if rival else note
    )


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
    near = np.exp(-((log - math.log(period)) ** 2) / 2 / _NEAR**2)
    length = np.hypot(np.asarray(maps.cosine, np.float64), np.asarray(maps.sine, np.float64))
    sure = np.clip(np.asarray(maps.probability, np.float64) - _LEAST, 0, None) * near * length
    total = float(sure.sum())
    if total <= 0:
        return 0.0, period
    order = np.argsort(log, axis=None)
    below = np.cumsum(sure.ravel()[order])
    median = math.exp(float(log.ravel()[order][np.searchsorted(below, total / 2)]))
    return total / (maps.scale * period) ** 2, median
