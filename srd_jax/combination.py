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
from scipy import special

from srd_jax.autocorrelation import Peaks, peaks
from srd_jax.errors import InputError
from srd_jax.images import Crop
from srd_jax.measurement import Measurement, Method, grey_and_mask

# Periods, px of the crop, in steps of a fifth of a per cent: beyond them nothing is measured.
_STEP = 0.002
_GRID = np.arange(math.log(2.0), math.log(1000.0), _STEP)

# Few degrees of freedom of Student's t: both err by several times what they usually do more often
# than normal numbers would.
_DEGREES = 4.0
_DENSITY = math.gamma((_DEGREES + 1) / 2) / (
    math.gamma(_DEGREES / 2) * math.sqrt(_DEGREES * math.pi)
)

# Ends and middle of the interval that holds 95 %, and its half in sd. Of Student's t, 1 and 1.96 of
# these sd hold 71 % and 92 %, about as near to a normal's 68 % and 95 % as both can be at once.
_QUANTILES, _REACH = (0.025, 0.5, 0.975), 2.3

# Density of a log period at which no peak is, as if one crop in fifty had the period anywhere
# between 6 and 100 px. Drawn grana would do without, but two that contradict each other clearly
# must not sound certain.
_ELSEWHERE = 0.02 / math.log(100 / 6)


@dataclasses.dataclass(frozen=True)
class Belief:
    """How far the peaks of an autocorrelation are believed.

    The likelihood of a log period is a mixture of Student's t densities, one for each peak. A
    peak's share is its prominence^exponent. Its density lies around log period + shift · (1 −
    height), since noise, and errors of the inclination, move low peaks to shorter periods; its
    scale is exp(log_scale + by_height · height) · layers^by_layers.

    Attributes:
      exponent, log_scale, by_height, by_layers, shift: see above.
    """

    exponent: float
    log_scale: float
    by_height: float
    by_layers: float
    shift: float


# Fitted to drawn grana by `python benchmarks/combination.py`.
BELIEF = Belief(7.9, -1.65, -3.137, -0.306, 0.035)


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
    """Returns the period and its sd, px of the crop: the median, and what tells the middle 95 %.

    Args:
      period_px: the network's, px of the crop.
      sd_px: its sd.
      found: peaks of the crop's autocorrelation.
      belief: how far they are believed.
    """
    density = posterior(_GRID, period_px, sd_px, found, belief)
    share = np.cumsum(density) - density / 2
    low, median, high = np.exp(np.interp(_QUANTILES, share / density.sum(), _GRID))
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
    prior = _student((log_period - math.log(period_px)) * period_px / sd_px)
    if not len(found.period_px):
        return prior
    share = special.softmax(belief.exponent * np.log(found.prominence))
    middle = np.log(found.period_px) + belief.shift * (1 - found.height)
    scale = np.exp(belief.log_scale + belief.by_height * found.height)
    scale *= found.layers**belief.by_layers
    return prior * (_ELSEWHERE + _student((log_period[:, None] - middle) / scale) @ (share / scale))


def _student(away: np.ndarray) -> np.ndarray:
    """Returns Student's t density."""
    return _DENSITY * (1 + away**2 / _DEGREES) ** (-(_DEGREES + 1) / 2)
