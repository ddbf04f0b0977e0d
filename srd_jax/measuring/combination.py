"""Combines two measurements of a granum: the network's, and the peaks of its autocorrelation.

By Bayes' rule, the network's answer is the prior of the period, the peaks are its likelihood, and
the posterior is computed on a grid of log periods. docs/methods.md, "The combined method", says why
and how.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from srd_jax.imaging.crop import Crop
from srd_jax.measuring.measurement import Measurement, Method, nearest, with_grey
from srd_jax.measuring.peaks import Peaks, doubts, lack, often_seen, peaks
from srd_jax.support.errors import InputError
from srd_jax.support.parallel import mapped

# Logarithms of periods from 2 to 1000 px of the crop. The step is half of the width of clear peaks.
_GRID = np.arange(math.log(2.0), math.log(1000.0), 0.001)

# Degrees of freedom of Student's t. They are few, because in both measurements errors of several
# times the usual size are more frequent than in a normal distribution.
_DEGREES = 4.0
_DENSITY = math.gamma((_DEGREES + 1) / 2) / (
    math.gamma(_DEGREES / 2) * math.sqrt(_DEGREES * math.pi)
)

# Where the network takes a fraction of the period for the period: in multiples of its answer, what
# the period is, and how often.
_TAKEN_FOR = {2: 0.6, 3: 0.25, 4: 0.15}

# The sd is the radius around the period that holds this share of the posterior, divided by 1.7.
# docs/methods.md has the reasons.
_SHARE, _RADIUS = 0.9, 1.7

# Sd of the logarithm of a multiple around the exact multiple of a period.
_OFF_MULTIPLE = 0.08

# Density of a log period that could be any: uniform between 4 and 1000 px.
_ANYWHERE = 1 / math.log(1000 / 4)
# Greatest clarity, and least sureness of a peak: nothing is certain.
_CLEAREST, _LEAST_SURE = 0.999, 1e-3


@dataclasses.dataclass(frozen=True)
class Belief:
    """How far the peaks of an autocorrelation are believed beside the network.

    The likelihood of a log period is a mixture of Student's t densities, one for each peak.
    docs/methods.md, "The combined method", has the formulas of these numbers; height, layers and so
    on are the fields of `Peaks`.

    Attributes:
      log_widening: log of the factor on the network's sd, where the crop shows lamellae.
      log_elsewhere: log of the probability that the network takes a fraction of the period for the
        period, and of the one that it is all wrong.
      by_multiple: change of the log of a peak's share where it is a multiple of an earlier peak.
      by_partial: change of the log of a peak's share where a later peak is twice as high.
      log_missing: log of the prominence that stands for "no peak shows the period", at clarity 0.
      by_clarity: exponent of 1 - clarity in this prominence.
      by_sure: exponent in a peak's share of how sure it is that noise doesn't make the peak.
      ends_shift: divided by layers, added to the log of a peak's own period.
      mean_ends_shift: divided by layers, added to the log of the mean local period.
      mean_odds: log of the weight of the mean local period against the peak's own, at 1 layer.
      mean_by_layers: exponent of layers in this weight.
      log_scale: log of a density's scale, before the factors of the next two lines.
      by_height, by_faint: coefficients of height and faint in the log of the scale.
      by_layers, by_width, by_spread, by_change, by_dislocations: exponents in the scale of layers,
        width, spread, change and 1 + dislocations.
      log_inclined: log of the factor on shortening, which is added to the scale in quadrature.
      log_odds: log odds that the crop shows lamellae, at prominence 0.
      by_prominence: coefficient of the greatest prominence in the log odds.
    """

    log_widening: float
    log_elsewhere: float
    by_multiple: float
    by_partial: float
    log_missing: float
    by_clarity: float
    by_sure: float
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


# Fitted to drawn crops by `python benchmarks/combination.py`, except log_widening, log_elsewhere,
# log_missing and by_sure: these make two measurements that contradict each other uncertain, and
# drawn crops say little about them.
BELIEF = Belief(
    log_widening=0.7,
    log_elsewhere=-3.5,
    by_multiple=-7.467,
    by_partial=-46.15,
    log_missing=-2.3,
    by_clarity=2.661,
    by_sure=2.5,
    ends_shift=0.01732,
    mean_ends_shift=0.03,
    mean_odds=-5.932,
    mean_by_layers=3.636,
    log_scale=1.042,
    by_height=-0.8454,
    by_faint=1.461,
    by_layers=-0.5488,
    by_width=-0.2532,
    by_spread=0.471,
    by_change=0.3249,
    by_dislocations=0.1209,
    log_inclined=-0.5141,
    log_odds=-1.507,
    by_prominence=5.267,
)


class Combined(Method[Any]):
    """Measures each crop by a network and by its autocorrelation, and combines the two.

    Scale, box and attention of a measurement are the network's.
    """

    def __init__(self, network: Method[Any]):
        """Takes an estimator that gives an sd, from `estimator.load`, or `tta.Augmented` of it."""
        self.network = network
        self.batch_size = network.batch_size
        self.geometry = network.geometry
        self.digest = network.digest

    def prepare(self, image: np.ndarray | Crop) -> tuple[Any, np.ndarray, np.ndarray]:
        """Returns the network's input for one crop, its grey values and its mask."""
        return with_grey(self.network.prepare, image)

    def preparing(self) -> Callable[[np.ndarray | Crop], tuple[Any, np.ndarray, np.ndarray]]:
        """Returns `prepare` as a function that other processes can be sent, without weights."""
        return functools.partial(with_grey, self.network.preparing())

    def measure(
        self, prepared: Sequence[tuple[Any, np.ndarray, np.ndarray]], with_attention: bool = False
    ) -> list[Measurement]:
        """Measures prepared crops.

        Raises:
          InputError: the network gives no sd, or the device's memory doesn't suffice.
        """
        measured = self.network.measure([one for one, _, _ in prepared], with_attention)
        _, grey, mask = zip(*prepared, strict=True) if prepared else ((), (), ())
        return mapped(_combined, measured, grey, mask)


def _combined(measured: Measurement, grey: np.ndarray, mask: np.ndarray) -> Measurement:
    if measured.sd_px is None:
        raise InputError(
            "these weights give no sd, which a combination needs; accepted: weights that do, or "
            "the network alone"
        )
    views = measured.views or (measured,)
    period, sd = (np.array([getattr(one, key) for one in views]) for key in ("period_px", "sd_px"))
    proper = np.isfinite(period) & np.isfinite(sd) & (period > 0) & (sd > 0)
    # A number that isn't a period is reported as an error later on.
    if not proper.any():
        return measured
    period, sd = period[proper], sd[proper]
    try:
        found = peaks(grey, mask, list(period))
    except InputError:  # too low or narrow for an autocorrelation: the network alone is left
        return measured
    combined, sd_px = combine(period, sd, found)
    return dataclasses.replace(
        nearest(views, combined), period_px=combined, sd_px=sd_px, doubts=doubts(combined, found)
    )


def combine(
    period_px: ArrayLike, sd_px: ArrayLike, found: Peaks, belief: Belief | None = None
) -> tuple[float, float]:
    """Returns the combined period and its sd, px of the crop.

    The period is the median of the posterior for a crop that shows lamellae. The sd is the radius
    around it that holds 90 % of the posterior for a crop that may show none, divided by 1.7.

    Args:
      period_px: the network's period, or (views,) of them, px of the crop.
      sd_px: the network's sd, or (views,) of them, px of the crop.
      found: peaks of the crop's autocorrelation.
      belief: how far the peaks are believed; None for BELIEF.
    """
    certain, doubtful = posteriors(_GRID, period_px, sd_px, found, belief or BELIEF)
    below = np.cumsum(certain) - certain / 2
    period = math.exp(np.interp(0.5, below / certain.sum(), _GRID))
    away = np.abs(np.exp(_GRID) - period)
    order = np.argsort(away, kind="stable")
    within = np.cumsum(doubtful[order])
    return period, float(np.interp(_SHARE, within / within[-1], away[order])) / _RADIUS


def posteriors(
    log_period: np.ndarray, period_px: ArrayLike, sd_px: ArrayLike, found: Peaks, belief: Belief
) -> tuple[np.ndarray, np.ndarray]:
    """Returns two posterior densities of log periods, each (N,) and not normalised.

    The first is for a crop that shows lamellae, the second for a crop that may show none.

    Args:
      log_period: (N,) of periods in px of the crop.
      period_px: the network's period, or (views,) of them, px of the crop.
      sd_px: the network's sd, or (views,) of them, px of the crop.
      found: peaks of the crop's autocorrelation.
      belief: how far the peaks are believed.
    """
    period = np.atleast_1d(np.asarray(period_px, np.float64))
    middle, sd = np.log(period), np.atleast_1d(np.asarray(sd_px, np.float64)) / period
    alone = _student(log_period[:, None], middle, sd).mean(axis=1)
    if not len(found.period_px):
        return alone, alone
    elsewhere = math.exp(belief.log_elsewhere)
    sd = sd * math.exp(belief.log_widening)
    prior = (1 - 2 * elsewhere) * _student(log_period[:, None], middle, sd).mean(axis=1)
    for times, share in _TAKEN_FOR.items():
        at = middle + math.log(times)
        prior += elsewhere * share * _student(log_period[:, None], at, sd).mean(axis=1)
    prior += elsewhere * _ANYWHERE
    shown = prior * _likelihood(log_period, found, belief)
    odds = math.exp(belief.log_odds + belief.by_prominence * found.prominence.max())
    return shown, alone + odds * shown


def _likelihood(log_period: np.ndarray, found: Peaks, belief: Belief) -> np.ndarray:
    """Returns the likelihood of each log period by the peaks, (N,)."""
    whole = np.exp(belief.by_partial * lack(found) ** 2)
    often = often_seen(found)
    share = found.prominence * whole * _sure(found) ** belief.by_sure
    share *= np.exp(belief.by_multiple * _multiple(found, whole))
    odds = np.exp(belief.mean_odds) * found.layers**belief.mean_by_layers
    at_peak = np.log(found.period_px) + belief.ends_shift / found.layers
    at_mean = np.log(found.mean_px) + belief.mean_ends_shift / found.layers
    middle = (at_peak + odds * at_mean) / (1 + odds)
    clarity = min(float((found.height * whole * often).max(initial=0.0)), _CLEAREST)
    missing = math.exp(belief.log_missing) * (1 - clarity) ** belief.by_clarity
    likelihood = _student(log_period[:, None], middle, _scale(found, belief)) @ share
    return (likelihood + missing * _ANYWHERE) / (share.sum() + missing)


def _scale(found: Peaks, belief: Belief) -> np.ndarray:
    """Returns the scale of each peak's density, (N,)."""
    scale = np.exp(
        belief.log_scale + belief.by_height * found.height + belief.by_faint * found.faint
    )
    scale *= found.layers**belief.by_layers * found.width**belief.by_width
    scale *= found.spread**belief.by_spread * found.change**belief.by_change
    scale *= (1 + found.dislocations) ** belief.by_dislocations
    return np.hypot(scale, math.exp(belief.log_inclined) * found.shortening)


def _sure(found: Peaks) -> np.ndarray:
    """Returns how sure it is that noise doesn't make each peak, (N,), up to 1.

    The variance of a correlation of n independent pairs is about 1 / n, so the square of the height
    counts, times the number of layers that have another one below.
    """
    sure = np.clip(found.height, 0, 1) ** 2 * (found.layers - 1)
    return np.clip(sure, _LEAST_SURE, 1.0)


def _multiple(found: Peaks, whole: np.ndarray) -> np.ndarray:
    """Returns how far each peak is a multiple of earlier peaks, (N,); 0 is no multiple.

    A peak at exactly a half, a third, … of its shift adds 1 if it is at least as prominent and
    everything repeats there, that is `whole` is 1.
    """
    times = found.period_px[:, None] / found.period_px
    number = np.maximum(np.round(times), 1)
    near = np.exp(-((np.log(times / number) / _OFF_MULTIPLE) ** 2) / 2) * (number > 1)
    ratio = np.minimum(found.prominence / found.prominence[:, None], 1)
    return (near * ratio * whole).sum(axis=1)


def _student(
    log_period: np.ndarray, middle: float | np.ndarray, scale: float | np.ndarray
) -> np.ndarray:
    """Returns Student's t density of log periods, around `middle` and with `scale`."""
    away = (log_period - middle) / scale
    return _DENSITY * (1 + away**2 / _DEGREES) ** (-(_DEGREES + 1) / 2) / scale
