"""Results as a CSV file and as a table on the terminal."""

import dataclasses
import os
import pathlib
import textwrap
from collections.abc import Iterable, Mapping, Sequence

import rich.console
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from srd_jax.measuring.result import Result
from srd_jax.support.files import table_bytes, write_table
from srd_jax.support.terminal import print_line

_COLUMNS = tuple(field.name for field in dataclasses.fields(Result))
# Longer tables scroll out of sight; the CSV holds every result.
TABLE_ROWS = 50

_STYLES = {"ok": "green", "low_confidence": "yellow", "error": "red"}
_GAP = "  "


def write_csv(path: str | os.PathLike[str], results: Sequence[Result]) -> None:
    """Writes one row a result; see `files.write_table`.

    Raises:
      InputError: the file cannot be written.
    """
    write_table(path, _COLUMNS, map(dataclasses.astuple, results))


def csv_bytes(results: Sequence[Result]) -> bytes:
    """Returns what `write_csv` writes."""
    return table_bytes(_COLUMNS, map(dataclasses.astuple, results))


def print_table(
    console: rich.console.Console,
    results: Sequence[Result],
    truth: Mapping[str, float] | None = None,
    rows: int = TABLE_ROWS,
) -> None:
    """Prints results in lines, each with its reason below, and the error against known periods.

    Empty columns are left out; a reason that all results share is printed once. A name that is too
    long for the console has a line of its own.

    Args:
      console: to print on.
      results: the first ones are printed, the others counted.
      truth: known periods by the result's file, px of the crop, for a column of their own.
      rows: number of results printed at most.
    """
    truth = truth or {}
    shown = results[:rows]
    numbers = {
        "true px": [_known(result, truth) for result in shown],
        "period px": [result.period_px for result in shown],
        "sd px": [result.sd_px for result in shown],
        "period nm": [result.period_nm for result in shown],
        "sd nm": [result.sd_nm for result in shown],
        "quality 0..1": [result.quality for result in shown],
    }
    columns = {
        header: [_short(value) for value in values]
        for header, values in numbers.items()
        if any(value is not None for value in values)
    }
    lines = _lines(console.width, shown, columns)
    if hidden := results[rows:]:
        errors = sum(result.status == "error" for result in hidden)
        lines.append(Text(f"and {len(hidden)} more, {errors} of them with errors"))
    if error := _error_line(results, truth):
        lines.append(Text(error))
    for line in lines:
        print_line(console, line)


def _lines(
    width: int, results: Sequence[Result], columns: Mapping[str, Sequence[str]]
) -> list[Text]:
    """Lays out names, numbers, status and reasons in lines.

    Args:
      width: of the console, characters.
      results: in order.
      columns: numbers as text, by a header of a word and a unit.
    """
    names = _names(results)
    widths = [max(map(len, [*header.split(), *cells])) for header, cells in columns.items()]

    def between(cells: Iterable[str]) -> str:
        padded = [cell.rjust(size) for cell, size in zip(cells, widths, strict=True)]
        return _GAP.join(["", *padded, ""])

    room = width - len(between("" for _ in widths)) - max(map(len, _STYLES))
    name_width = max([len("file"), *(size for size in map(cell_len, names) if size <= room)])
    quantities = between(header.split()[0] for header in columns)
    units = between(header.split()[1] for header in columns)
    lines = [Text(set_cell_size("file", name_width) + quantities + "status", "bold")]
    if columns:
        lines.append(Text(" " * name_width + units.rstrip(), "bold"))
    shared = len(results) > 1 and len({result.reason for result in results}) == 1
    for index, (result, name) in enumerate(zip(results, names, strict=True)):
        start = name
        if cell_len(name) > name_width:
            lines.append(Text(name))
            start = ""
        line = Text(set_cell_size(start, name_width) + between(c[index] for c in columns.values()))
        lines.append(line.append(result.status, _STYLES[result.status]))
        if not shared:
            lines += _reason_lines(result.reason, width)
    if shared and results[0].reason:
        lines += _reason_lines(f"all: {results[0].reason}", width)
    return lines


def _reason_lines(reason: str, width: int) -> list[Text]:
    # Paths in a reason stay whole, so that they can be copied.
    wrapped = textwrap.wrap(
        reason, max(width - len(_GAP), 1), break_long_words=False, break_on_hyphens=False
    )
    return [Text(_GAP + part, "dim") for part in wrapped]


def _names(results: Sequence[Result]) -> list[str]:
    """Returns the names of the files, or their paths if two names are equal, and the labels."""
    labels = ["" if result.label is None else f" {result.label}" for result in results]
    names = [pathlib.Path(result.file).name for result in results]
    names = [name + label for name, label in zip(names, labels, strict=True)]
    if len(set(names)) == len(names):
        return names
    return [result.file + label for result, label in zip(results, labels, strict=True)]


def _known(result: Result, truth: Mapping[str, float]) -> float | None:
    """Returns the known period of a file; none of a granum among several of a file."""
    return truth.get(result.file) if result.label is None else None


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _error_line(results: Sequence[Result], truth: Mapping[str, float]) -> str:
    """Returns the mean absolute error over results with a known period; empty without any."""
    errors = [
        (abs(result.period_px - known), result.status)
        for result in results
        if result.period_px is not None and (known := _known(result, truth)) is not None
    ]
    trusted = [error for error, status in errors if status == "ok"]
    if not errors:
        return ""
    mean = sum(error for error, _ in errors) / len(errors)
    line = f"mean absolute error {mean:.2f} px over {len(errors)} of {len(results)} crops"
    if trusted:
        line += f"; only ok ones: {sum(trusted) / len(trusted):.2f} px over {len(trusted)}"
    return line


def summary(results: Sequence[Result]) -> str:
    """Returns how many grana were measured, and how many have which status."""
    counts = {status: sum(result.status == status for result in results) for status in _STYLES}
    measured = len(results) - counts["error"]
    found = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return f"{measured} of {len(results)} measured ({found})"
