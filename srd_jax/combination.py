"""Two measurements of a granum combined: the network's, and the peaks of its autocorrelation.

The network knows about how long the period is, and when it doesn't know; the autocorrelation knows
it to a hundredth where lamellae are clear, but takes a multiple or the grain for the period now and
then. By Bayes' rule the network's answer is the prior of the period and the peaks are its
likelihood; what they say together lies on a grid of periods. The period is what it would be if the
crop showed lamellae, the sd allows for its showing none.
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

# Ends of the interval that holds 95 %, and its half in sd. Of Student's t, 1 and 1.96 of these sd
# hold 71 % and 92 %, about as near to a normal's 68 % and 95 % as both can be at once.
_ENDS, _REACH = (0.025, 0.975), 2.3

# Density of a log period at which no peak is, as if one crop in fifty had the period anywhere
# between 6 and 100 px. Drawn grana would do without, but two that contradict each other clearly
# must not sound certain.
_ELSEWHERE = 0.02 / math.log(100 / 6)


@dataclasses.dataclass(frozen=True)
class Belief:
    """How far the peaks of an autocorrelation are believed.

    Where a crop shows lamellae, the likelihood of a log period is a mixture of Student's t
    densities, one for each peak. A peak's share is its prominence^exponent. Its density lies around
    log period + shift · (1 − height), since noise, and errors of the inclination, move low peaks to
    shorter periods; its scale is exp(log_scale + by_height · height) · layers^by_layers.

    Where a crop may show none, peaks may be those of noise, and the likelihood is 1 plus this
    mixture times odds of exp(log_odds + by_prominence · the greatest prominence).

    Attributes:
      exponent, log_scale, by_height, by_layers, shift, log_odds, by_prominence: see above.
    """

    exponent: float
    log_scale: float
    by_height: float
    by_layers: float
    shift: float
    log_odds: float
    by_prominence: float


# Fitted to drawn crops by `python benchmarks/combination.py`.
BELIEF = Belief(3.11, -1.6, -3.257, -0.314, 0.0384, -2.5, 7.651)


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
    """Returns the period and its sd, px of the crop.

    The period is the median where the crop shows lamellae; the sd is from there to the further end
    of the middle 95 % where it may show none, divided by 2.3.

    Args:
      period_px: the network's, px of the crop.
      sd_px: its sd.
      found: peaks of the crop's autocorrelation.
      belief: how far they are believed.
    """
    certain, doubtful = posteriors(_GRID, period_px, sd_px, found, belief)
    (period,) = _quantiles(certain, 0.5)
    low, high = _quantiles(doubtful, *_ENDS)
    return period, max(high - period, period - low) / _REACH


def _quantiles(density: np.ndarray, *shares: float) -> list[float]:
    below = np.cumsum(density) - density / 2
    return np.exp(np.interp(shares, below / density.sum(), _GRID)).tolist()


def posteriors(
    log_period: np.ndarray, period_px: float, sd_px: float, found: Peaks, belief: Belief
) -> tuple[np.ndarray, np.ndarray]:
    """Returns prior times likelihood of each log period, (N,), not normalised, in two cases.

    The first holds where the crop shows lamellae, the second where it may show none.

    Args:
      log_period: (N,) of periods in px of the crop.
      period_px: the network's, px of the crop.
      sd_px: its sd.
      found: peaks of the crop's autocorrelation.
      belief: how far they are believed.
    """
    prior = _student((log_period - math.log(period_px)) * period_px / sd_px)
    if not len(found.period_px):
        return prior, prior
    share = special.softmax(belief.exponent * np.log(found.prominence))
    middle = np.log(found.period_px) + belief.shift * (1 - found.height)
    scale = np.exp(belief.log_scale + belief.by_height * found.height)
    scale *= found.layers**belief.by_layers
    mixture = _student((log_period[:, None] - middle) / scale) @ (share / scale)
    odds = math.exp(belief.log_odds + belief.by_prominence * found.prominence.max())
    return prior * (_ELSEWHERE + mixture), prior * (1 + odds * mixture)


def _student(away: np.ndarray) -> np.ndarray:
    """Returns Student's t density."""
    return _DENSITY * (1 + away**2 / _DEGREES) ** (-(_DEGREES + 1) / 2)
