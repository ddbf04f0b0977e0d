"""Two measurements of a granum combined: the network's, and the peaks of its autocorrelation.

The network knows about how long the period is, and when it doesn't know; the autocorrelation knows
it to a hundredth where lamellae are clear, but takes a multiple or the grain for the period now and
then. By Bayes' rule the network's answer is the prior of the period and the peaks are its
likelihood; what they say together lies on a grid of periods.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from srd_jax.autocorrelation import Peaks, peaks
from srd_jax.errors import InputError
from srd_jax.images import Crop
from srd_jax.measurement import Measurement, Method, grey_and_mask

# Periods, px of the crop, in steps of a fifth of a per cent: beyond them nothing is measured.
_STEP = 0.002
_GRID = np.arange(math.log(2.0), math.log(1000.0), _STEP)

# Few degrees of freedom of Student's t: a network errs more than its sd says more often than
# normal numbers do.
_DEGREES = 4.0
_DENSITY = math.gamma((_DEGREES + 1) / 2) / (
    math.gamma(_DEGREES / 2) * math.sqrt(_DEGREES * math.pi)
)

# Ends and middle of the interval that holds 95 %, and its half in sd of a normal distribution.
_QUANTILES, _REACH = (0.025, 0.5, 0.975), 1.959964


@dataclasses.dataclass(frozen=True)
class Belief:
    """How far the peaks of an autocorrelation are believed.

    The likelihood of a log period is `elsewhere` plus, for each peak, prominence^exponent times a
    normal density around it, whose sd is exp(log_sd + by_height · height).

    Attributes:
      exponent: see above.
      log_sd: see above.
      by_height: see above.
      log_elsewhere: log of the density that holds where no peak is.
    """

    exponent: float
    log_sd: float
    by_height: float
    log_elsewhere: float


# Fitted to drawn grana by `python benchmarks/combination.py`.
BELIEF = Belief(1.416, -1.97, -2.727, -1.925)


class Combined(Method[Any]):
    """Measures each crop by a network and by its autocorrelation.

    Scale, box and attention of a measurement are the network's.
    """

    def __init__(self, network: Method[Any]):
        """Takes an estimator that gives an sd, from `predict.load`, or its views of a crop."""
        self.network = network
        self.batch_size = network.batch_size
        self.geometry = network.geometry

    def prepare(self, image: np.ndarray | Crop) -> tuple[Any, np.ndarray, np.ndarray]:
        """Returns what the network needs of one crop, its grey values and its mask.

        Raises:
          InputError: the crop cannot be measured.
        """
        return self.network.prepare(image), *grey_and_mask(image)

    def measure(
        self,
        prepared: Sequence[tuple[Any, np.ndarray, np.ndarray]],
        with_attention: bool = False,
    ) -> list[Measurement]:
        """Measures prepared crops.

        Raises:
          InputError: the network gives no sd, or the device's memory doesn't suffice.
        """
        measured = self.network.measure([one for one, _, _ in prepared], with_attention)
        return [
            _combined(one, grey, mask)
            for one, (_, grey, mask) in zip(measured, prepared, strict=True)
        ]


def _combined(measured: Measurement, grey: np.ndarray, mask: np.ndarray) -> Measurement:
    period, sd = measured.period_px, measured.sd_px
    if sd is None:
        raise InputError(
            "these weights give no sd, which a combination needs; accepted: weights that do, or "
            "the network alone"
        )
    # What isn't a period is reported as an error later on.
    if not (0 < period < math.inf and 0 < sd < math.inf):
        return measured
    try:
        found = peaks(grey, mask, period)
    except InputError:  # too low or narrow for an autocorrelation, which then has nothing to say
        return measured
    period, sd = combine(period, sd, found)
    return dataclasses.replace(measured, period_px=period, sd_px=sd)


def combine(
    period_px: float, sd_px: float, found: Peaks, belief: Belief = BELIEF
) -> tuple[float, float]:
    """Returns the period and its sd, px of the crop: median and a half of the middle 95 %, in sd.

    Args:
      period_px: the network's, px of the crop.
      sd_px: its sd.
      found: peaks of the crop's autocorrelation.
      belief: how far they are believed.
    """
    share = np.cumsum(posterior(_GRID, period_px, sd_px, found, belief))
    low, median, high = np.exp(np.interp(_QUANTILES, share / share[-1], _GRID))
    return float(median), float((high - low) / (2 * _REACH))


def posterior(
    log_period: np.ndarray, period_px: float, sd_px: float, found: Peaks, belief: Belief
) -> np.ndarray:
    """Returns prior times likelihood of each log period, (N,), not normalised.

    Args:
      log_period: (N,) of periods in px of the crop.
      period_px: the network's, px of the crop.
      sd_px: its sd.
      found: peaks of the crop's autocorrelation.
      belief: how far they are believed.
    """
    away = (log_period - math.log(period_px)) * period_px / sd_px
    prior = _DENSITY * period_px / sd_px * (1 + away**2 / _DEGREES) ** (-(_DEGREES + 1) / 2)
    sd = np.exp(belief.log_sd + belief.by_height * found.height)
    weight = found.prominence**belief.exponent / (math.sqrt(2 * math.pi) * sd)
    apart = (log_period[:, None] - np.log(found.period_px)) / sd
    return prior * (math.exp(belief.log_elsewhere) + np.exp(-0.5 * apart**2) @ weight)
