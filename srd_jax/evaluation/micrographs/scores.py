"""Scores comparisons of micrographs, as nested dictionaries for JSON.

A score is None where nothing is known of it. Shares are 0..1.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from srd_jax.evaluation.cases import column
from srd_jax.evaluation.micrographs.cases import (
    AS_ONE,
    FOUND,
    MISSING,
    POSSIBLE,
    WRONG,
    Case,
    Compared,
)
from srd_jax.tasks.period import scores

Scores = dict[str, Any]

# Errors within these limits are counted, as shares.
DIRECTION_DEG, PERIOD_PERCENT, LAYERS = 5.0, 8.0, 1.0
_OK = "ok"


def score(compared: Sequence[Compared]) -> Scores:
    """Returns the scores of some micrographs together.

    Keys: files, failed (files that couldn't be analysed); detection, see `detection`; pixels, see
    `pixels`; direction, period, period_of_ok, layers and sizes: errors of the grana that were found
    each by itself. See docs/micrographs.md for the numbers.
    """
    cases = [case for one in compared for case in one.cases]
    paired = [case for case in cases if case.outcome == FOUND]
    ok = [case for case in paired if case.status == _OK]
    return {
        "files": len(compared),
        "failed": sum(bool(one.error) for one in compared),
        "detection": detection(cases),
        "pixels": pixels(compared),
        "direction": _direction(paired),
        "period": _period(paired),
        "period_of_ok": _period(ok),
        "layers": _layers(paired),
        "layers_of_ok": _layers(ok),
        "sizes": {
            name: scores.error_scores(_known(paired, f"{name}_error_percent"))
            for name in ("area", "height", "diameter")
        },
    }


def detection(cases: Sequence[Case]) -> Scores:
    """Returns precision, recall and F1, and counts.

    Precision is the share of right ones among the found grana but those in possible ones; recall
    the share of found ones among the sure grana. Those found as one count as found, and the granum
    that holds them as right; `_one_to_one` counts neither. `readable` are sure grana whose period
    is known; `ok` is the share of them that was found and has status ok.
    """
    count = {
        outcome: sum(case.outcome == outcome for case in cases)
        for outcome in (FOUND, AS_ONE, MISSING, WRONG)
    }
    alone = {_key(case) for case in cases if case.outcome == FOUND}
    # A found granum that holds several true ones counts once.
    joint = {_key(case) for case in cases if case.outcome == AS_ONE} - alone
    sure = count[FOUND] + count[AS_ONE] + count[MISSING]
    readable = [
        case for case in cases if case.outcome in (FOUND, AS_ONE, MISSING) and case.true_period_px
    ]
    right = len(alone) + len(joint)
    return {
        "sure": sure,
        "right": right,
        "found": count[FOUND],
        "found_as_one": count[AS_ONE],
        "missing": count[MISSING],
        "wrong": count[WRONG],
        "in_possible": sum(case.outcome == POSSIBLE and case.number is not None for case in cases),
        **_precision_and_recall(right, count[WRONG], count[FOUND] + count[AS_ONE], sure),
        **{
            f"{name}_one_to_one": value
            for name, value in _precision_and_recall(
                len(alone), count[WRONG] + len(joint), count[FOUND], sure
            ).items()
        },
        "mean_iou": _mean(_known([case for case in cases if case.outcome == FOUND], "iou")),
        "precision_of_ok": _precision_of_ok(cases),
        "readable": len(readable),
        "ok": _share(sum(_is_found_ok(case) for case in readable), len(readable)),
    }


def _key(case: Case) -> tuple[str, int | None]:
    return case.file, case.number


def _is_found_ok(case: Case) -> bool:
    return case.outcome in (FOUND, AS_ONE) and case.status == _OK


def _precision_and_recall(right: int, wrong: int, found: int, sure: int) -> Scores:
    precision, recall = _share(right, right + wrong), _share(found, sure)
    f1 = None
    if precision is not None and recall is not None:
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def _precision_of_ok(cases: Sequence[Case]) -> float | None:
    """Returns the share of right ones among the found grana with status ok."""
    right = {_key(case) for case in cases if _is_found_ok(case)}
    wrong = {_key(case) for case in cases if case.outcome == WRONG and case.status == _OK}
    return _share(len(right), len(right) + len(wrong))


def pixels(compared: Iterable[Compared]) -> Scores:
    """Returns shares of areas, for grana whose borders aren't clear.

    precision: of the found area but that in possible grana, the share in sure ones; recall: of the
    sure grana's area, the found share; outside: of the found area, the share outside of sure and
    possible grana; on_striped: of the area of stripes that are no grana, the share taken for grana.
    Each micrograph counts by its area in px of its grid.
    """
    every = [one.pixels for one in compared]
    total = {
        name: sum(getattr(one, name) for one in every)
        for name in ("sure", "found", "right", "possible", "striped", "on_striped")
    }
    outside = total["found"] - total["right"] - total["possible"]
    return {
        "precision": _share(total["right"], total["right"] + outside),
        "recall": _share(total["right"], total["sure"]),
        "outside": _share(outside, total["found"]),
        "on_striped": _share(total["on_striped"], total["striped"]),
    }


def _direction(cases: Sequence[Case]) -> Scores:
    errors, sd = _with_sd(cases, "direction_error_deg", "direction_sd_deg")
    known = _known(cases, "direction_error_deg")
    return {
        "count": known.size,
        **scores.error_scores(known),
        "within_5_deg": _mean(np.abs(known) <= DIRECTION_DEG),
        **_coverage(errors, sd),
    }


def _period(cases: Sequence[Case]) -> Scores:
    readable = [case for case in cases if case.true_period_px]
    percent = _known(readable, "period_error_percent")
    true = column(readable, "true_period_px")
    error, sd = column(readable, "period_px") - true, column(readable, "period_sd_px")
    known = np.isfinite(error + sd)
    good = np.abs(column(readable, "period_error_percent")) <= PERIOD_PERCENT
    doubted = np.array([case.status != _OK for case in readable], bool)
    return {
        "count": percent.size,
        **scores.error_scores(percent),
        **_mistakes(readable),
        "within_8_percent_or_doubted": _mean(good | doubted),
        **_coverage(error[known], sd[known]),
    }


def _mistakes(cases: Sequence[Case]) -> Scores:
    measured = [case for case in cases if case.period_px is not None]
    return scores.mistakes(column(measured, "true_period_px"), column(measured, "period_px"))


def _layers(cases: Sequence[Case]) -> Scores:
    errors, sd = _with_sd(cases, "layers_error", "layers_sd")
    known = _known(cases, "layers_error")
    return {
        "count": known.size,
        **scores.error_scores(known),
        # Counts needn't be whole numbers.
        "within_1": _mean(np.abs(np.rint(known)) <= LAYERS),
        **_coverage(errors, sd),
    }


def _with_sd(cases: Sequence[Case], error: str, sd: str) -> tuple[np.ndarray, np.ndarray]:
    errors, sds = column(cases, error), column(cases, sd)
    known = np.isfinite(errors + sds)
    return errors[known], sds[known]


def _coverage(errors: np.ndarray, sd: np.ndarray) -> Scores:
    """Returns the shares of errors within 1 and 1.96 sd, nominally 0.683 and 0.95."""
    found = scores.sd_scores(errors, sd)
    return {name: found[name] for name in ("coverage_68", "coverage_95")}


def _known(cases: Sequence[Case], field: str) -> np.ndarray:
    values = column(cases, field)
    return values[np.isfinite(values)]


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if values.size else None


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
