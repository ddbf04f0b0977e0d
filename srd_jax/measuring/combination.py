"""Two measurements of a granum combined: the network's, and the peaks of its autocorrelation.

The network knows about how long the period is, and when it doesn't know; the autocorrelation, with
the mean local period about each of its peaks, knows it to a hundredth where lamellae are clear, but
takes a multiple or the grain for the period now and then. By Bayes' rule the network's answer is
the prior of the period and the peaks are its likelihood; what they say together lies on a grid of
periods. The period is what it would be if the crop showed lamellae, the sd allows for its showing
none.
"""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from srd_jax.imaging.crop import Crop
from srd_jax.measuring.autocorrelation import Peaks, peaks
from srd_jax.measuring.measurement import Measurement, Method, grey_and_mask
from srd_jax.support.errors import InputError

# Logarithms of periods, px of the crop; beyond them nothing is measured. Clear peaks are 0.002
# wide.
_GRID = np.arange(math.log(2.0), math.log(1000.0), 0.001)

# Few degrees of freedom of Student's t: both err by several times what they usually do more often
# than normal numbers would.
_DEGREES = 4.0
_DENSITY = math.gamma((_DEGREES + 1) / 2) / (
    math.gamma(_DEGREES / 2) * math.sqrt(_DEGREES * math.pi)
)

# Share of the posterior within a radius around the period, and the radius in sd. Of drawn grana, 1
# and 1.96 of these sd hold about 69 % and 94 %, as near to a normal's 68 % and 95 % as both can be
# at once. A smaller share would do as well there, but crops without lamellae would sound surer.
_SHARE, _RADIUS = 0.9, 1.7

# By how much of its logarithm, as an sd, a multiple of a period misses it.
_OFF_MULTIPLE = 0.08

# Density of a log period that no peak shows, as if it were anywhere between 6 and 100 px.
_ANYWHERE = 1 / math.log(100 / 6)


@dataclasses.dataclass(frozen=True)
class Belief:
    """How far the peaks of an autocorrelation are believed beside the network.

    Where a crop shows lamellae, the network's answer is taken to err by exp(log_widening) times its
    sd, and the likelihood of a log period is a mixture of Student's t densities, one for each peak.
    A peak's share is its prominence · exp(by_multiple · how far it is a multiple of earlier ones);
    that no peak shows the period has that of a prominence of exp(log_missing).

    Its density lies around the logarithm of the peak's own period, + ends_shift / layers, or of the
    mean local period, + mean_ends_shift / layers: the ends of a low granum make them too short. The
    mean local period, which is the better one in grana of many layers, has odds of exp(mean_odds) ·
    layers^mean_by_layers, by which the two are averaged. The scale is exp(log_scale + by_height ·
    height + by_faint · faint) · layers^by_layers · width^by_width · spread^by_spread ·
    change^by_change · (1 + dislocations)^by_dislocations, and in quadrature exp(log_inclined) ·
    shortening, as the inclination is not known exactly.

    Where a crop may show none, peaks may be those of noise, and the posterior is the network's own
    answer, plus the above times odds of exp(log_odds + by_prominence · the greatest prominence).

    Attributes:
      log_widening, by_multiple, log_missing, ends_shift, mean_ends_shift, mean_odds,
        mean_by_layers, log_scale, by_height, by_faint, by_layers, by_width, by_spread, by_change,
        by_dislocations, log_inclined, log_odds, by_prominence: see above.
    """

    log_widening: float
    by_multiple: float
    log_missing: float
    ends_shift: float
    mean_ends_shift: float
    mean_odds: float
    mean_by_layers: float
    log_scale: float
    by_height: float
    by_faint: float
    by_layers: float
    by_width: float
    by_spread: float
    by_change: float
    by_dislocations: float
    log_inclined: float
    log_odds: float
    by_prominence: float


# Fitted to drawn crops by `python benchmarks/combination.py`, but for log_widening and log_missing,
# by which two that contradict each other are doubted.
BELIEF = Belief(
    log_widening=0.7,
    by_multiple=-8.163,
    log_missing=-2.3,
    ends_shift=0.0271,
    mean_ends_shift=0.02894,
    mean_odds=-4.952,
    mean_by_layers=3.861,
    log_scale=1.204,
    by_height=-1.075,
    by_faint=1.996,
    by_layers=-0.9388,
    by_width=-0.2378,
    by_spread=0.4895,
    by_change=0.2403,
    by_dislocations=0.2134,
    log_inclined=-0.6795,
    log_odds=-1.073,
    by_prominence=8.369,
)


class Combined(Method[Any]):
    """Measures each crop by a network and by its autocorrelation.

    Scale, box and attention of a measurement are the network's.
    """

    def __init__(self, network: Method[Any]):
        """Takes an estimator that gives an sd, from `estimator.load`, or its views of a crop."""
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

    The period is the median where the crop shows lamellae; the sd is the radius around it that
    holds 90 % where it may show none, divided by 1.7.

    Args:
      period_px: the network's, px of the crop.
      sd_px: its sd.
      found: peaks of the crop's autocorrelation.
      belief: how far they are believed.
    """
    certain, doubtful = posteriors(_GRID, period_px, sd_px, found, belief)
    below = np.cumsum(certain) - certain / 2
    period = math.exp(np.interp(0.5, below / certain.sum(), _GRID))
    away = np.abs(np.exp(_GRID) - period)
    nearest = np.argsort(away, kind="stable")
    within = np.cumsum(doubtful[nearest])
    return period, float(np.interp(_SHARE, within / within[-1], away[nearest])) / _RADIUS


def posteriors(
    log_period: np.ndarray, period_px: float, sd_px: float, found: Peaks, belief: Belief
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the posterior density of each log period, (N,), not normalised, in two cases.

    The first holds where the crop shows lamellae, the second where it may show none.

    Args:
      log_period: (N,) of periods in px of the crop.
      period_px: the network's, px of the crop.
      sd_px: its sd.
      found: peaks of the crop's autocorrelation.
      belief: how far they are believed.
    """
    middle, sd = math.log(period_px), sd_px / period_px
    alone = _student(log_period, middle, sd)
    if not len(found.period_px):
        return alone, alone
    widened = _student(log_period, middle, sd * math.exp(belief.log_widening))
    shown = widened * _likelihood(log_period, found, belief)
    odds = math.exp(belief.log_odds + belief.by_prominence * found.prominence.max())
    return shown, alone + odds * shown


def _likelihood(log_period: np.ndarray, found: Peaks, belief: Belief) -> np.ndarray:
    """Returns that of each log period, (N,), by the peaks."""
    share = found.prominence * np.exp(belief.by_multiple * _multiple(found))
    odds = np.exp(belief.mean_odds) * found.layers**belief.mean_by_layers
    at_peak = np.log(found.period_px) + belief.ends_shift / found.layers
    at_mean = np.log(found.mean_px) + belief.mean_ends_shift / found.layers
    middle = (at_peak + odds * at_mean) / (1 + odds)
    scale = np.exp(
        belief.log_scale + belief.by_height * found.height + belief.by_faint * found.faint
    )
    scale *= found.layers**belief.by_layers * found.width**belief.by_width
    scale *= found.spread**belief.by_spread * found.change**belief.by_change
    scale *= (1 + found.dislocations) ** belief.by_dislocations
    scale = np.hypot(scale, math.exp(belief.log_inclined) * found.shortening)
    missing = math.exp(belief.log_missing)
    likelihood = _student(log_period[:, None], middle, scale) @ share + missing * _ANYWHERE
    return likelihood / (share.sum() + missing)


def _multiple(found: Peaks) -> np.ndarray:
    """Returns how far each peak, (N,), is a multiple of earlier ones, 0 where of none.

    A peak of at least its prominence at exactly a half, a third, … of its shift makes that 1.
    """
    times = found.period_px[:, None] / found.period_px
    whole = np.maximum(np.round(times), 1)
    near = np.exp(-((np.log(times / whole) / _OFF_MULTIPLE) ** 2) / 2) * (whole > 1)
    return (near * np.minimum(found.prominence / found.prominence[:, None], 1)).sum(axis=1)


def _student(
    log_period: np.ndarray, middle: float | np.ndarray, scale: float | np.ndarray
) -> np.ndarray:
    """Returns Student's t density of log periods."""
    away = (log_period - middle) / scale
    return _DENSITY * (1 + away**2 / _DEGREES) ** (-(_DEGREES + 1) / 2) / scale
