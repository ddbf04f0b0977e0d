"""Results of a prediction as a CSV file, a table on the terminal, and overlays."""

import dataclasses
import os
import pathlib
import textwrap
from collections.abc import Iterable, Mapping, Sequence

import rich.console
from rich.cells import cell_len, set_cell_size
from rich.text import Text

from srd_jax.imaging.crop import OVERLAY_ENDING
from srd_jax.measuring.estimator import Measured
from srd_jax.measuring.overlays import overlay_picture, spread
from srd_jax.measuring.result import SHORTEST_PERIOD_PX, Row
from srd_jax.networks.receptive_field import Geometry
from srd_jax.support.files import write_table
from srd_jax.support.terminal import print_line, printable

COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
# Longer tables scroll out of sight; the CSV holds every row.
TABLE_ROWS = 50

_STYLES = {"ok": "green", "low_confidence": "yellow", "error": "red"}
_GAP = "  "


def write_csv(path: str | os.PathLike[str], rows: Sequence[Row]) -> None:
    """Writes one line a row, whole or not at all; what isn't known is left empty.

    Raises:
      InputError: the file cannot be written.
    """
    write_table(path, COLUMNS, (dataclasses.astuple(row) for row in rows))


def print_table(
    console: rich.console.Console, rows: Sequence[Row], truth: Mapping[str, float] | None = None
) -> None:
    """Prints a line a row, its reason below it, and at the end the error against known periods.

    Columns that are empty in all rows are left out, and a reason that all rows share is said once.
    Nothing is cut off: a name that is too long for the console has a line of its own.

    Args:
      console: where to.
      rows: of the results.
      truth: known periods by file name, px of the crop, for a column beside the measured ones.
    """
    truth = truth or {}
    shown = rows[:TABLE_ROWS]
    numbers = {
        "true px": [truth.get(pathlib.Path(row.file).name) for row in shown],
        "period px": [row.period_px for row in shown],
        "sd px": [row.sd_px for row in shown],
        "period nm": [row.period_nm for row in shown],
        "sd nm": [row.sd_nm for row in shown],
        "quality 0..1": [row.quality for row in shown],
    }
    columns = {
        header: [_short(value) for value in values]
        for header, values in numbers.items()
        if any(value is not None for value in values)
    }
    lines = _lines(console.width, shown, columns)
    if hidden := rows[TABLE_ROWS:]:
        errors = sum(row.status == "error" for row in hidden)
        lines.append(Text(f"and {len(hidden)} more, {errors} of them with errors"))
    if error := _error_line(rows, truth):
        lines.append(Text(error))
    for line in lines:
        print_line(console, line)


def _lines(width: int, rows: Sequence[Row], columns: Mapping[str, Sequence[str]]) -> list[Text]:
    """Lays out names, numbers, status and reason in lines.

    Args:
      width: of the console, characters.
      rows: in the order of the lines.
      columns: numbers as texts by header, which is a word and its unit.
    """
    names = _names(rows)
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
    shared = len(rows) > 1 and len({row.reason for row in rows}) == 1
    for index, (row, name) in enumerate(zip(rows, names, strict=True)):
        start = name
        if cell_len(name) > name_width:
            lines.append(Text(name))
            start = ""
        line = Text(set_cell_size(start, name_width) + between(c[index] for c in columns.values()))
        lines.append(line.append(row.status, _STYLES[row.status]))
        if not shared:
            lines += _reason_lines(row.reason, width)
    if shared and rows[0].reason:
        lines += _reason_lines(f"all: {rows[0].reason}", width)
    return lines


def _reason_lines(reason: str, width: int) -> list[Text]:
    # Paths in a reason stay whole, to be copied.
    wrapped = textwrap.wrap(
        reason, max(width - len(_GAP), 1), break_long_words=False, break_on_hyphens=False
    )
    return [Text(_GAP + part, "dim") for part in wrapped]


def _names(rows: Sequence[Row]) -> list[str]:
    """Returns the names of the files, or their paths where two names are equal."""
    names = [pathlib.Path(row.file).name for row in rows]
    return names if len(set(names)) == len(names) else [row.file for row in rows]


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _error_line(rows: Sequence[Row], truth: Mapping[str, float]) -> str:
    """Returns the mean absolute error over the rows whose period is known, empty without any."""
    errors = [
        (abs(row.period_px - known), row.status)
        for row in rows
        if row.period_px is not None
        and (known := truth.get(pathlib.Path(row.file).name)) is not None
    ]
    trusted = [error for error, status in errors if status == "ok"]
    if not errors:
        return ""
    mean = sum(error for error, _ in errors) / len(errors)
    line = f"mean absolute error {mean:.2f} px over {len(errors)} of {len(rows)} crops"
    if trusted:
        line += f"; only ok ones: {sum(trusted) / len(trusted):.2f} px over {len(trusted)}"
    return line


def summary(rows: Sequence[Row]) -> str:
    """Returns how many files were measured, with what status."""
    counts = {status: sum(row.status == status for row in rows) for status in _STYLES}
    measured = len(rows) - counts["error"]
    found = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return f"{measured} of {len(rows)} measured ({found})"


def write_overlay(
    folder: pathlib.Path, root: pathlib.Path, one: Measured, field: Geometry | None
) -> None:
    """Writes the overlay of a measured crop to FOLDER/path from root/NAME.overlay.png.

    Args:
      folder: of the overlays.
      root: folder above all inputs, so that files of one name in two folders stay apart.
      one: measurement; an error has no picture, and one without attention no heads.
      field: geometry of the network; None for a method without attention.

    Raises:
      InputError: the file cannot be written.
    """
    crop, measurement, row = one.crop, one.measurement, one.row
    if crop is None or measurement is None:
        return
    caption = f"{printable(pathlib.Path(row.file).name)}\nperiod {_short(row.period_px)} px"
    if row.sd_px is not None:
        caption += f", sd {_short(row.sd_px)} px"
    if row.period_nm is not None:
        caption += f" = {_short(row.period_nm)} nm"
    if row.quality is not None:
        caption += f", quality {_short(row.quality)}"
    caption += "\n".join([f" ({row.status})", *row.reason.split("; ")])
    heads = None
    if measurement.attention is not None and field is not None:
        heads = spread(measurement.attention[0], field.receptive_field, field.stride)
    relative = pathlib.Path(row.file).resolve().relative_to(root)
    # A comb of shorter teeth couldn't be drawn.
    comb = measurement.period_px >= SHORTEST_PERIOD_PX
    overlay_picture(
        folder / relative.parent / f"{relative.name}{OVERLAY_ENDING}",
        crop.image,
        crop.mask,
        heads,
        measurement.box,
        caption,
        measurement.period_px if comb else None,
    )


def common_root(paths: Sequence[pathlib.Path]) -> pathlib.Path:
    """Returns the deepest folder above all files."""
    return pathlib.Path(os.path.commonpath([path.resolve().parent for path in paths]))
