"""The compression of a section by the knife, from the periods of its grana by direction."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from scipy import optimize

from srd_jax.analysis.granum import Granum, Strain, Value

# A strain is significant if chance makes one as large in fewer cases than this.
SIGNIFICANT = 0.01
_LEAST_GRANA = 6
# Greatest condition number of the weighted equations: directions must differ.
_CONDITION = 25.0
# Residuals beyond so many sds count as these (Huber's function), which leaves such a share of the
# variance of a normal distribution; and rounds of the fit.
_HUBER, _KEPT, _ROUNDS = 1.5, 0.7785, 20
# Random exchanges of directions, at most, and directions in them.
_EXCHANGES, _DIRECTIONS = 9999, 2_000_000
# Least relative sd of a period, and greatest amount.
_LEAST_SD, _MOST = 1e-3, 0.9


def of_grana(grana: Iterable[Granum]) -> Strain | None:
    """Returns the strain of a section by its grana that are ok; see `fit`."""
    pairs = [
        (one.period_px, one.direction_deg)
        for one in grana
        if one.status == "ok" and one.period_px is not None and one.direction_deg is not None
    ]
    return fit(
        [period.value for period, _ in pairs],
        [period.sd for period, _ in pairs],
        [turn.value for _, turn in pairs],
    )


def fit(
    period: Sequence[float], sd: Sequence[float], direction_deg: Sequence[float]
) -> Strain | None:
    """Fits the strain of a section to the periods of its grana; None where they can't tell.

    A strain of amount e turns the logarithm of a period into a + log |1 + e exp 2i(d − axis)|, see
    `granum.Strain`; its first order a + e cos 2(d − axis) is linear in two numbers, and the rest is
    subtracted. The periods' own scatter, beside their sds, is such that the residuals are as large
    as expected (Paule and Mandel 1982).

    The strain is significant if its probability is below SIGNIFICANT. This is the share of random
    exchanges of the directions among the grana that make a strain as large (a permutation test),
    and so correct whatever the distribution of the periods.

    Args:
      period: of each granum, any unit.
      sd: of each; where it isn't known, NaN, their median is taken.
      direction_deg: of the lamellae of each, degrees.
    """
    if len(period) < _LEAST_GRANA:
        return None
    log, own = np.log(np.asarray(period, float)), np.asarray(sd, float) / np.asarray(period, float)
    known = own[np.isfinite(own)]
    own = np.where(np.isfinite(own), own, np.median(known) if len(known) else 0.0)
    own = np.maximum(own, _LEAST_SD)
    turn = 2 * np.deg2rad(np.asarray(direction_deg, float))
    design = np.stack([np.ones_like(turn), np.cos(turn), np.sin(turn)], 1)
    weight = 1 / (own**2 + np.median(own) ** 2)
    if np.linalg.cond(design * np.sqrt(weight)[:, None]) > _CONDITION:
        return None
    found = np.zeros(3)
    for _ in range(_ROUNDS):
        found = _solve(design, log - _beyond_first_order(found, turn), weight)
        rest = log - design @ found - _beyond_first_order(found, turn)
        total = np.sqrt(own**2 + _scatter(rest, own, 3))
        weight = np.minimum(1, _HUBER * total / np.maximum(abs(rest), 1e-12)) / total**2
    covariance = np.linalg.inv(design.T @ (design * weight[:, None]))
    return _strain(found, covariance, _probability(log, own, turn), len(log))


def _solve(design: np.ndarray, log: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return np.linalg.solve(design.T @ (design * weight[:, None]), design.T @ (weight * log))


def _beyond_first_order(found: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Returns log |1 + e exp i(turn − axis)| less its first order in e."""
    strain = complex(found[1], found[2])
    strain *= min(1.0, _MOST / max(abs(strain), 1e-12))
    wave = np.conj(strain) * np.exp(1j * turn)
    return np.log(abs(1 + wave)) - wave.real


def _scatter(rest: np.ndarray, own: np.ndarray, fitted: int) -> float:
    """Returns the variance beside the sds that makes residuals as large as they are."""
    free = _KEPT * (len(rest) - fitted)

    def excess(scatter: float) -> float:
        return float(np.minimum(rest**2 / (own**2 + scatter), _HUBER**2).sum()) - free

    most = float(np.max(rest**2)) * len(rest) + 1e-12
    if not excess(0.0) > 0 > excess(most):
        return 0.0
    return float(optimize.brentq(excess, 0.0, most))  # pyright: ignore[reportArgumentType]


def _probability(log: np.ndarray, own: np.ndarray, turn: np.ndarray) -> float:
    """Returns how often directions exchanged at random make so large a strain."""
    rest = log - np.median(log)
    total = np.sqrt(own**2 + _scatter(rest, own, 1))
    # Without outliers.
    rest = np.clip(rest, -2 * _HUBER * total, 2 * _HUBER * total)
    weight = 1 / total**2
    rest -= np.average(rest, weights=weight)
    count = max(min(_EXCHANGES, _DIRECTIONS // len(log)), 99)
    order = np.random.default_rng(0).permuted(np.tile(np.arange(len(log)), (count, 1)), axis=1)
    explained = _explained(np.concatenate([turn[None], turn[order]]), rest, weight)
    return float(np.mean(explained >= explained[0] * (1 - 1e-9)))


def _explained(turn: np.ndarray, rest: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Returns the weighted sum of squares that cosine and sine explain, for each row of turns."""
    cosine, sine = np.cos(turn), np.sin(turn)
    cosine = cosine - (cosine @ weight / weight.sum())[:, None]
    sine = sine - (sine @ weight / weight.sum())[:, None]
    cc, ss, cs = cosine**2 @ weight, sine**2 @ weight, (cosine * sine) @ weight
    c, s = cosine @ (weight * rest), sine @ (weight * rest)
    return (c**2 * ss - 2 * c * s * cs + s**2 * cc) / np.maximum(cc * ss - cs**2, 1e-12)


def _strain(found: np.ndarray, covariance: np.ndarray, probability: float, count: int) -> Strain:
    """Returns amount and axis of a fit with their sds, by the first order of errors."""
    b, c = float(found[1]), float(found[2])
    amount = math.hypot(b, c)
    along = np.array([b, c]) / max(amount, 1e-12)
    across = np.array([-along[1], along[0]])
    part = covariance[1:, 1:]
    amount_sd = math.sqrt(float(along @ part @ along))
    turn_sd = math.sqrt(float(across @ part @ across)) / max(amount, 1e-12)
    axis = math.degrees(math.atan2(c, b)) / 2 % 180
    # Of an angle that could be any, the sd is that of a uniform distribution over 180 degrees.
    axis_sd = min(math.degrees(turn_sd) / 2, 180 / math.sqrt(12))
    return Strain(Value(min(amount, _MOST), amount_sd), Value(axis, axis_sd), probability, count)
