"""Makes the tables of the report; each has a caption, headers, and rows of text."""

import math
from collections.abc import Callable, Sequence

from srd_jax.evaluation.cases import STATUSES, Case
from srd_jax.evaluation.summary import Summary
from srd_jax.support.page import Column, Table, percent, table, text

_METHOD: Column = ("method", lambda one: one["method"])
_TRAITS = {
    "layers": "layers",
    "contrast": "contrast",
    "noise": "noise",
    "true_px": "true period, px of the crop",
}


def errors(summaries: Sequence[Summary], part: str, caption: str) -> Table:
    """Makes the table of error scores, of `all` or `only_ok` cases, in all units."""

    def cell(unit: str, score: str) -> Column:
        return (score.upper() if score == "mae" else score), lambda one: text(
            one[part][unit][score]
        )

    every = ["mae", "median", "p95", "bias"]
    units = [("px", "px of the crop", every), ("percent", "% of the true period", every)]
    units.append(("frame_px", "frame px", ["mae"]))
    if any(one["all"]["nm"]["mae"] is not None for one in summaries):
        units.append(("nm", "nm", every))
    columns = [_METHOD, *(cell(unit, score) for unit, _, scores in units for score in scores)]
    groups = [(name, len(scores)) for _, name, scores in units]
    return table(caption, columns, summaries, groups)


def counts(summaries: Sequence[Summary]) -> Table:
    """Makes the table of statuses and gross mistakes."""

    def share(status: str) -> Column:
        header = status.replace("_", " ")
        return header, lambda one: f"{one[status]} ({percent(one[status] / one['crops'])})"

    def mistake(header: str, kind: str) -> Column:
        return header, lambda one: percent(one["all"]["mistakes"][kind])

    columns = [
        _METHOD,
        *map(share, STATUSES),
        mistake("all", "beyond_15_percent"),
        *(mistake(kind, kind) for kind in ("doubling", "halving", "other")),
    ]
    groups = [("crops", len(STATUSES)), ("errors beyond 15 % of the true period", 4)]
    return table("Status, and gross mistakes among the measured crops", columns, summaries, groups)


def sd_scores(summaries: Sequence[Summary]) -> Table:
    """Makes the table of spread, coverage and likelihood of predicted sds."""

    def cell(header: str, score: str, show: Callable[[float], str] = text) -> Column:
        return header, lambda one: show(one["sd"][score])

    columns = [
        _METHOD,
        cell("mean", "mean"),
        cell("sd", "sd"),
        cell("1 sd (68.3 %)", "coverage_68", percent),
        cell("1.96 sd (95 %)", "coverage_95", percent),
        cell("predicted sd", "nll"),
        cell("constant sd", "nll_of_constant_sd"),
        cell("px of the crop", "best_constant_sd"),
    ]
    groups = [("predicted sd, px", 2), ("errors within", 2), ("NLL", 2), ("best constant sd", 1)]
    return table("Does the predicted sd tell the errors?", columns, summaries, groups)


def sd_classes(summaries: Sequence[Summary]) -> Table:
    """Makes the table of errors by class of the predicted sd."""

    def cell(index: int, limit: float | None) -> Column:
        def show(one: Summary) -> str:
            row = one["sd"]["by_sd"][index]
            return f"{text(row['mae'])} ({row['count']})"

        return ("all" if limit is None else f"sd < {limit:g} px"), show

    limits = [row["sd_below"] for row in summaries[0]["sd"]["by_sd"]]
    columns = [_METHOD, *(cell(index, limit) for index, limit in enumerate(limits))]
    caption = "MAE, px of the crop (and number of crops), by class of the predicted sd"
    return table(caption, columns, summaries)


def sd_quintiles(summaries: Sequence[Summary]) -> Table:
    """Makes the table of errors by fifths of the crops, from the least predicted sd."""

    def cell(index: int) -> Column:
        def show(one: Summary) -> str:
            rows = one["sd"]["by_quintile"]
            if index >= len(rows):
                return "–"
            row = rows[index]
            return f"{text(row['mae'])} ({text(row['sd_from'])} to {text(row['sd_to'])})"

        return f"fifth {index + 1}", show

    columns = [_METHOD, *map(cell, range(5))]
    caption = "MAE, px of the crop (and range of the sd), by fifths of the crops from the least sd"
    return table(caption, columns, summaries)


# Tables for methods that predict an sd.
CONFIDENCE = (sd_scores, sd_classes, sd_quintiles)


def by_traits(summaries: Sequence[Summary]) -> list[Table]:
    """Makes a table for each trait: the error in each bin that holds measured crops."""
    return [_by_trait(summaries, field, name) for field, name in _TRAITS.items()]


def _by_trait(summaries: Sequence[Summary], field: str, name: str) -> Table:
    def cell(low: float, high: float) -> Column:
        def show(one: Summary) -> str:
            rows = {row["from"]: row for row in one["percent_by"][field]}
            return f"{text(rows[low]['mae'])} ({rows[low]['count']})" if low in rows else "–"

        return (f"from {low:g}" if math.isinf(high) else f"{low:g} to {high:g}"), show

    rows = [row for one in summaries for row in one["percent_by"][field]]
    bins = {row["from"]: math.inf if row["to"] is None else row["to"] for row in rows}
    columns = [_METHOD, *(cell(low, high) for low, high in sorted(bins.items()))]
    caption = f"MAE, % of the true period (and number of crops), by {name}"
    return table(caption, columns, summaries)


def failures(cases: Sequence[Case]) -> Table:
    """Makes the table of crops that a method could not measure, with reasons."""
    columns: list[Column] = [
        ("crop", lambda case: case.name),
        ("method", lambda case: case.method),
        ("true period, px", lambda case: text(case.true_px)),
        ("reason", lambda case: case.reason),
    ]
    failed = [case for case in cases if case.status == "failed"]
    return table("Crops that a method could not measure", columns, failed)
