"""Makes the tables of the report and of the terminal."""

from collections.abc import Callable, Sequence
from typing import Any

import rich.console
import rich.table
from rich.text import Text

from srd_jax.evaluation.cases import column
from srd_jax.evaluation.micrographs.cases import MISSING, POSSIBLE, WRONG, Case, Compared
from srd_jax.evaluation.micrographs.scores import Scores, score
from srd_jax.support.page import Column, Table, percent, table, text
from srd_jax.support.terminal import print_line

_WORST = 20
# Columns left out on the terminal.
_FILES = ("found as one", "mean IoU", "precision ", "recall ", "outside")
_ERRORS = ("mean", "bias", "1 sd (68.3 %)", "1.96 sd (95 %)")
# Row, group and field of the scores, the title of the column, and how it is written.
_DETECTION = (
    ("sure", "sure", str),
    ("found", "found", str),
    ("found as one", "found_as_one", str),
    ("missing", "missing", str),
    ("wrong", "wrong", str),
    ("precision", "precision", percent),
    ("recall", "recall", percent),
    ("F1", "f1", text),
    ("mean IoU", "mean_iou", text),
)


def files(compared: Sequence[Compared]) -> Table:
    """Makes the table of what was found on each micrograph, and on all."""
    rows = [(one.file, score([one])) for one in compared]
    if len(rows) > 1:
        rows.append(("all", score(compared)))

    def cell(group: str, name: str, show: Callable[[Any], str]) -> Callable[[Any], str]:
        return lambda row: show(row[1][group][name])

    columns: list[Column] = [("micrograph", lambda row: row[0])]
    columns += [(title, cell("detection", name, show)) for title, name, show in _DETECTION]
    columns += [
        # A space tells them from those of grana.
        (title, cell("pixels", title.strip(), percent))
        for title in ("precision ", "recall ", "outside")
    ]
    groups = [("grana", len(_DETECTION)), ("area", 3)]
    return table("Found grana, and their area", columns, rows, groups)


def _without(one: Table, left_out: Sequence[str]) -> Table:
    """Returns a table without some columns."""
    kept = [i for i, name in enumerate(one["columns"]) if name not in left_out]
    rows = [[row[i] for i in kept] for row in one["rows"]]
    return {**one, "columns": [one["columns"][i] for i in kept], "rows": rows}


def one_to_one(scores: Scores) -> Table:
    """Makes the table of detection in stricter ways of counting."""
    found = scores["detection"]
    rows = [
        ("touching grana may be found as one", "precision", "recall", "f1"),
        ("one to one", "precision_one_to_one", "recall_one_to_one", "f1_one_to_one"),
        ("found grana with status ok", "precision_of_ok", None, None),
        ("readable grana that are ok", None, "ok", None),
    ]

    def cell(place: int, show: Callable[[Any], str]) -> Callable[[Any], str]:
        return lambda row: "–" if row[place] is None else show(found[row[place]])

    columns = [
        ("counted", lambda row: row[0]),
        ("precision", cell(1, percent)),
        ("recall", cell(2, percent)),
        ("F1", cell(3, text)),
    ]
    return table("Ways of counting", columns, rows)


def errors(scores: Scores) -> Table:
    """Makes the table of the errors of the grana that were found each by itself."""
    sizes = scores["sizes"]
    rows = [
        ("direction, °", scores["direction"], "within_5_deg", "within 5°"),
        ("SRD, %", scores["period"], "within_8_percent_or_doubted", "within 8 % or doubted"),
        ("SRD of ok ones, %", scores["period_of_ok"], "beyond_15_percent", "beyond 15 %"),
        ("layers", scores["layers"], "within_1", "within ±1"),
        ("layers of ok ones", scores["layers_of_ok"], "within_1", "within ±1"),
        *((f"{name}, %", one, None, "") for name, one in sizes.items()),
    ]
    columns: list[Column] = [
        ("quantity", lambda row: row[0]),
        ("grana", lambda row: str(row[1].get("count", "–"))),
        ("median", lambda row: text(row[1]["median"])),
        ("mean", lambda row: text(row[1]["mae"])),
        ("p95", lambda row: text(row[1]["p95"])),
        ("bias", lambda row: text(row[1]["bias"])),
        ("share", lambda row: f"{percent(row[1][row[2]])} {row[3]}" if row[2] else "–"),
        ("1 sd (68.3 %)", lambda row: percent(row[1].get("coverage_68"))),
        ("1.96 sd (95 %)", lambda row: percent(row[1].get("coverage_95"))),
    ]
    groups = [("", 1), ("absolute error", 3), ("", 2), ("errors within", 2)]
    return table("Errors of the grana found each by itself", columns, rows, groups)


def worst(cases: Sequence[Case]) -> Table:
    """Makes the table of single grana: the largest wrong periods, then missing and wrong ones."""
    sizes = abs(column(cases, "period_error_percent"))
    measured = [case for case, size in zip(cases, sizes, strict=True) if size > 0]
    measured.sort(key=lambda case: -abs(case.period_error_percent or 0))
    bad = [case for case in cases if case.outcome in (MISSING, WRONG)]
    columns: list[Column] = [
        ("micrograph", lambda case: case.file),
        ("true", lambda case: case.true or "–"),
        ("found", lambda case: "–" if case.number is None else str(case.number)),
        ("outcome", lambda case: case.outcome.replace("_", " ")),
        ("x, y px", lambda case: f"{case.x_px:.0f}, {case.y_px:.0f}"),
        ("true SRD, px", lambda case: text(case.true_period_px)),
        ("SRD, px", lambda case: text(case.period_px)),
        ("error, %", lambda case: text(case.period_error_percent, 1)),
        ("direction error, °", lambda case: text(case.direction_error_deg, 1)),
        ("status", lambda case: (case.status or "–").replace("_", " ")),
        ("reason", lambda case: case.reason or ""),
    ]
    return table("Single grana", columns, [*measured[:_WORST], *bad[:_WORST]])


def failures(compared: Sequence[Compared], bad: Sequence[str]) -> Table:
    """Makes the table of micrographs that couldn't be analysed and annotations not read."""
    rows = [(one.file, one.error) for one in compared if one.error]
    rows += [("annotations", line) for line in bad]
    columns: list[Column] = [("what", lambda row: row[0]), ("reason", lambda row: row[1])]
    return table("Not evaluated", columns, rows)


def beside(cases: Sequence[Case]) -> Table:
    """Makes the table of known grana with the measured ones beside, then of those found wrongly."""
    scaled = all(case.px_per_nm for case in cases)
    unit = "nm" if scaled else "px"

    def length(field: str) -> Callable[[Case], str]:
        def cell(case: Case) -> str:
            value = getattr(case, field)
            scale = case.px_per_nm if scaled else None
            return text(None if value is None else value / (scale or 1))

        return cell

    columns: list[Column] = [
        ("granum", lambda case: "–" if case.number is None else str(case.number)),
        ("true", length("true_period_px")),
        (unit, length("period_px")),
        ("sd", length("period_sd_px")),
        ("true ", lambda case: text(case.true_direction_deg, 0)),
        ("°", lambda case: text(case.direction_deg, 0)),
        ("true  ", lambda case: text(case.true_layers, 0)),
        ("layers", lambda case: text(case.layers, 1)),
        ("found", lambda case: case.outcome.removeprefix("found_").replace("_", " ")),
        ("status", lambda case: (case.status or "–").replace("_", " ")),
    ]
    if len({case.file for case in cases}) > 1:
        columns.insert(0, ("micrograph", lambda case: case.file))
    known = [case for case in cases if case.outcome != POSSIBLE]
    return table("SRD, direction and layers of known grana, and as measured", columns, known)


def show_beside(console: rich.console.Console, compared: Sequence[Compared]) -> None:
    """Prints known grana with the measured ones beside, and how many were found."""
    cases = [case for one in compared for case in one.cases]
    shown = beside(cases)
    print_line(console, Text(shown["caption"]))
    _print(console, shown)
    found = score(compared)
    counts, error = found["detection"], found["period_of_ok"]["median"]
    words = f"{counts['found'] + counts['found_as_one']} of {counts['sure']} known grana found"
    words += f", {counts['wrong']} found that are none"
    if error is not None:
        words += f"; median error of the SRD of ok ones {error:.1f} %"
    print_line(console, Text(words))


def show(console: rich.console.Console, compared: Sequence[Compared]) -> None:
    """Prints the tables of what was found and of the errors, without their less needed columns."""
    scores = score(compared)
    shown = ((files(compared), _FILES), (one_to_one(scores), ()), (errors(scores), _ERRORS))
    for one in (_without(*each) for each in shown):
        _print(console, one)


def _print(console: rich.console.Console, one: Table) -> None:
    drawn = rich.table.Table(box=None, pad_edge=False, header_style="bold")
    for place, header in enumerate(one["columns"]):
        justify = "right" if place else "left"
        width = len(header)
        drawn.add_column(
            header, justify=justify, overflow="fold", no_wrap=bool(place), min_width=width
        )
    for row in one["rows"]:
        drawn.add_row(*(Text(cell) for cell in row))
    with console.capture() as capture:
        console.print(drawn)
    for line in (*capture.get().splitlines(), ""):
        print_line(console, Text.from_ansi(line))
