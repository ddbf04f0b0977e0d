"""Computes scores of measured periods, as plain numbers that JSON can hold.

Errors are measured - true period. A function takes them in any unit and returns scores in the same
unit. A score is None where there are no values.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import special

from srd_jax.training.task import Score

Number = float | int | None

# By which training is judged.
MAE = Score("mae", "MAE", "px of the frame")

# An error beyond this share of the period is a mistake: harmonics lie further off, noise nearer.
MISTAKE = 0.15
# Upper limits of the sd, px of the crop, for which the GRANA application counts its errors.
_SD_LIMITS = (1.0, 2.0, 3.0, 4.0, 5.0)
# Nominal coverage of central intervals in a reliability diagram.
LEVELS = (*(percent / 100 for percent in range(5, 100, 5)), 0.99)
# Half of the central interval that holds 95 % of a normal distribution, sd.
_REACH_95 = float(special.ndtri(0.975))
# Least sd in a likelihood: the root of the least variance in `losses.gaussian_nll`.
_LEAST_SD = 1e-3


def error_scores(errors: np.ndarray) -> dict[str, Number]:
    """Returns mean, median and 95th percentile of the absolute error, and the mean error.

    Args:
      errors: (N,) any unit.

    Returns:
      mae, median, p95 and bias, in the unit of the errors.
    """
    size = np.abs(errors)
    return {
        "mae": _number(np.mean, size),
        "median": _number(np.median, size),
        "p95": _number(lambda values: np.percentile(values, 95), size),
        "bias": _number(np.mean, errors),
    }


def mistakes(true: np.ndarray, measured: np.ndarray) -> dict[str, Number]:
    """Returns the share of errors beyond 15 % of the true period, and the shares of their kinds.

    A doubling is within 15 % of twice the true period, a halving within 15 % of half of it; `other`
    are the remaining errors beyond 15 %.

    Args:
      true: (N,) periods, any length.
      measured: (N,) periods, in the same unit.
    """
    ratio = measured / true
    beyond, doubling, halving = (
        np.abs(ratio - 1) > MISTAKE,
        np.abs(ratio / 2 - 1) <= MISTAKE,
        np.abs(ratio * 2 - 1) <= MISTAKE,
    )
    kinds = {
        "beyond_15_percent": beyond,
        "doubling": doubling,
        "halving": halving,
        "other": beyond & ~doubling & ~halving,
    }
    return {name: _number(np.mean, which) for name, which in kinds.items()}


def by_sd(errors: np.ndarray, sd: np.ndarray) -> list[dict[str, Number]]:
    """Returns count and mae of all errors, and of those with a predicted sd below each limit.

    Args:
      errors: (N,) px of the crop.
      sd: (N,) px of the crop.

    Returns:
      Rows of sd_below (px of the crop; None for all), count and mae (px of the crop).
    """
    rows: list[dict[str, Number]] = []
    for limit in (*_SD_LIMITS, None):
        chosen = np.abs(errors if limit is None else errors[sd < limit])
        rows.append({"sd_below": limit, "count": chosen.size, "mae": _number(np.mean, chosen)})
    return rows


def by_quintile(errors: np.ndarray, sd: np.ndarray) -> list[dict[str, Number]]:
    """Returns the errors of fifths of the crops, in the order of the predicted sd.

    Where the sd tells how good a measurement is, the errors rise from fifth to fifth.

    Args:
      errors: (N,) any length.
      sd: (N,) in the same unit.

    Returns:
      Rows of sd_from, sd_to, count and `error_scores`; a fifth without crops is left out.
    """
    fifths = np.array_split(np.argsort(sd, kind="stable"), 5)
    return [
        {"sd_from": float(sd[one].min()), "sd_to": float(sd[one].max()), "count": one.size}
        | error_scores(errors[one])
        for one in fifths
        if one.size
    ]


def sd_scores(errors: np.ndarray, sd: np.ndarray) -> dict[str, Number]:
    """Returns scores of the predicted sd: its spread, coverage and likelihood.

    The likelihoods leave out the constant ½ log 2π, as the loss does. The best constant sd knows
    nothing of the crop; a predicted sd with a lower nll holds information.

    Args:
      errors: (N,) any length.
      sd: (N,) in the same unit.

    Returns:
      mean and sd of the predicted sd; coverage_68 and coverage_95, the shares of errors within 1
      and 1.96 sd (nominally 0.6827 and 0.95); nll; best_constant_sd and its nll.
    """
    constant = np.full_like(sd, np.sqrt(np.mean(np.square(errors)))) if errors.size else sd
    within = np.abs(errors) / np.maximum(sd, _LEAST_SD)
    return {
        "mean": _number(np.mean, sd),
        "sd": _number(np.std, sd),
        "coverage_68": _number(np.mean, within <= 1),
        "coverage_95": _number(np.mean, within <= _REACH_95),
        "nll": _number(np.mean, gaussian_nll(errors, sd)),
        "best_constant_sd": _number(np.mean, constant),
        "nll_of_constant_sd": _number(np.mean, gaussian_nll(errors, constant)),
    }


def gaussian_nll(errors: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Returns log sd + errors² / (2 sd²), (N,), with an sd of at least 0.001 and no ½ log 2π."""
    sd = np.maximum(sd, _LEAST_SD)
    return np.log(sd) + 0.5 * np.square(errors / sd)


def coverage(errors: np.ndarray, sd: np.ndarray, levels: Sequence[float] = LEVELS) -> np.ndarray:
    """Returns the share of errors within the central normal interval of each nominal level.

    Args:
      errors: (N,) any length, N at least 1.
      sd: (N,) in the same unit.
      levels: nominal coverage, each between 0 and 1.

    Returns:
      (levels,) observed coverage.
    """
    reach = special.ndtri((1 + np.asarray(levels)) / 2)
    return np.mean(np.abs(errors) <= reach[:, None] * np.maximum(sd, _LEAST_SD), axis=1)


def binned(
    values: np.ndarray, errors: np.ndarray, edges: Sequence[float]
) -> list[dict[str, Number]]:
    """Returns count, mean value and error scores of each half-open bin that has a value.

    Args:
      values: (N,) by which the errors are sorted into bins.
      errors: (N,) any unit.
      edges: rising; the last bin has no end.

    Returns:
      Rows of from, to (None for the last), count, mean (of the values) and `error_scores`.
    """
    rows: list[dict[str, Number]] = []
    for low, high in zip(edges, (*edges[1:], np.inf), strict=True):
        inside = (values >= low) & (values < high)
        if inside.any():
            edge = None if np.isinf(high) else high
            row = {"from": low, "to": edge, "count": int(inside.sum())}
            mean = _number(np.mean, values[inside])
            rows.append(row | {"mean": mean} | error_scores(errors[inside]))
    return rows


def _number(function: Callable[[np.ndarray], float], values: np.ndarray) -> Number:
    return float(function(values)) if values.size else None
