"""Summarises each method as a dictionary for JSON, and prints a table of the methods."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import rich.console
import rich.table
from rich.text import Text

from srd_jax.evaluation.cases import STATUSES, Case, column
from srd_jax.support.page import percent, text
from srd_jax.support.terminal import print_line
from srd_jax.tasks.period import scores

# By field of `Case`: edges of half-open bins, the last without end.
_EDGES = {
    "layers": (0.0, 4.0, 6.0, 8.0, 12.0, 16.0),
    "contrast": (0.0, 0.02, 0.05, 0.1, 0.2, 0.3),
    "noise": (0.0, 1.0, 1.5, 2.0, 3.0, 5.0),
    "true_px": (0.0, 12.0, 16.0, 20.0, 25.0, 30.0, 40.0),
}

Summary = dict[str, Any]


def summarise(cases: Sequence[Case]) -> list[Summary]:
    """Returns the summary of each method, in the order of its first case.

    Keys: method; crops, measured, and the number of each status; `all` and `only_ok` (cases with
    status ok), each with error scores in px, percent, nm and frame_px (px of the 476-row frame) and
    the shares of mistakes; sd, empty for a method without; percent_by, the binned error by trait.
    See `scores` for the numbers.
    """
    methods = dict.fromkeys(case.method for case in cases)
    return [_summary(name, [case for case in cases if case.method == name]) for name in methods]


def _summary(method: str, cases: Sequence[Case]) -> Summary:
    measured = [case for case in cases if case.status != "failed"]
    with_sd = [case for case in measured if case.sd_px is not None]
    counts = {status: sum(case.status == status for case in cases) for status in STATUSES}
    return {
        "method": method,
        "crops": len(cases),
        "measured": len(measured),
        **counts,
        "all": _errors(measured),
        "only_ok": _errors([case for case in measured if case.status == "ok"]),
        "sd": _sd(with_sd) if with_sd else {},
        "percent_by": {
            field: scores.binned(column(measured, field), column(measured, "error_percent"), edges)
            for field, edges in _EDGES.items()
        },
    }


def _errors(cases: Sequence[Case]) -> Summary:
    errors = column(cases, "error_px")
    nm = errors / column(cases, "px_per_nm")
    return {
        "px": scores.error_scores(errors),
        "percent": scores.error_scores(column(cases, "error_percent")),
        "nm": scores.error_scores(nm[np.isfinite(nm)]),
        "frame_px": scores.error_scores(errors * column(cases, "frame_scale")),
        "mistakes": scores.mistakes(column(cases, "true_px"), column(cases, "period_px")),
    }


def _sd(cases: Sequence[Case]) -> Summary:
    errors, sd = column(cases, "error_px"), column(cases, "sd_px")
    observed = scores.coverage(errors, sd)
    return {
        **scores.sd_scores(errors, sd),
        "by_sd": scores.by_sd(errors, sd),
        "by_quintile": scores.by_quintile(errors, sd),
        "reliability": [
            {"nominal": level, "observed": float(share)}
            for level, share in zip(scores.LEVELS, observed, strict=True)
        ],
    }


def flat(summary: Summary) -> dict[str, Any]:
    """Flattens a summary: joins nested keys by dots, leaves out lists."""
    row: dict[str, Any] = {}
    for key, value in summary.items():
        if isinstance(value, dict):
            row |= {f"{key}.{inner}": item for inner, item in flat(value).items()}
        elif not isinstance(value, list):
            row[key] = value
    return row


def print_table(console: rich.console.Console, summaries: Sequence[Summary]) -> None:
    """Prints a line for each method: counts, errors of all measured crops and of the ok ones."""
    table = rich.table.Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("method", overflow="fold")
    for header in (
        "measured",
        "ok",
        "MAE\npx",
        "median\n%",
        "p95\n%",
        "beyond\n15 %",
        "bias\npx",
        "MAE px\nof ok",
    ):
        table.add_column(header, justify="right", no_wrap=True)
    for one in summaries:
        every = one["all"]
        table.add_row(
            Text(one["method"]),
            f"{one['measured']}/{one['crops']}",
            str(one["ok"]),
            text(every["px"]["mae"]),
            text(every["percent"]["median"]),
            text(every["percent"]["p95"]),
            percent(every["mistakes"]["beyond_15_percent"]),
            text(every["px"]["bias"]),
            text(one["only_ok"]["px"]["mae"]),
        )
    with console.capture() as capture:
        console.print(table)
    for line in capture.get().splitlines():
        print_line(console, Text.from_ansi(line))
