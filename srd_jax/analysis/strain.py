"""The compression of a section by the knife, from the periods of its grana by direction."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
from scipy import stats

from srd_jax.analysis.granum import Granum, Strain, Value

# A strain is significant if chance makes one as large in fewer cases than this.
SIGNIFICANT = 0.01
_LEAST_GRANA = 6
# Greatest condition number of the weighted equations: directions must differ.
_CONDITION = 25.0
# Residuals beyond so many sds count less (Huber's weights), and times the weights are fitted.
_HUBER, _ROUNDS = 1.5, 20


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

    To first order, a strain makes the logarithm of a period a + b cos 2d + c sin 2d in the
    direction d of its lamellae. The periods' own scatter is estimated from the residuals. The
    probability is that of an F test of b = c = 0 with n - 3 degrees of freedom.

    Args:
      period: of each granum, any unit.
      sd: of each.
      direction_deg: of the lamellae of each, degrees.
    """
    if len(period) < _LEAST_GRANA:
        return None
    log, own = np.log(np.asarray(period)), np.asarray(sd) / np.asarray(period)
    turn = 2 * np.deg2rad(np.asarray(direction_deg))
    design = np.stack([np.ones_like(turn), np.cos(turn), np.sin(turn)], 1)
    weight = 1 / (own**2 + np.median(own) ** 2)
    if np.linalg.cond(design * np.sqrt(weight)[:, None]) > _CONDITION:
        return None
    found, scatter = np.zeros(3), 0.0
    for _ in range(_ROUNDS):
        found = _solve(design, log, weight)
        rest = log - design @ found
        scatter = math.sqrt(max(float(np.sum(rest**2) / (len(log) - 3) - np.mean(own**2)), 0.0))
        total = np.sqrt(own**2 + scatter**2 + 1e-12)
        weight = np.minimum(1, _HUBER * total / np.maximum(abs(rest), 1e-12)) / total**2
    rest = log - design @ found
    free = len(log) - 3
    variance = float(np.sum(weight * rest**2)) / free
    mean = np.sum(weight * log) / weight.sum()
    without = float(np.sum(weight * (log - mean) ** 2)) - variance * free
    probability = float(stats.f.sf(max(without, 0.0) / 2 / max(variance, 1e-12), 2, free))
    covariance = np.linalg.inv(design.T @ (design * weight[:, None])) * max(variance, 1.0)
    return _strain(found, covariance, probability, len(log))


def _solve(design: np.ndarray, log: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return np.linalg.solve(design.T @ (design * weight[:, None]), design.T @ (weight * log))


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
    return Strain(Value(amount, amount_sd), Value(axis, axis_sd), probability, count)
