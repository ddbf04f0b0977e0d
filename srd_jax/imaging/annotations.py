"""The CSV of annotations that comes with a set of real grana.

Columns are found by their names, others are passed over: granum_image, the image's file; period_px
(px of the crop), or period_nm (nm) with px_per_nm, whose product is the period in px; px_per_nm,
the scale, which may be empty or missing beside period_px; angle, the direction of the lamellae in
degrees counter-clockwise from the vertical, above 0 and at most 180, so that 90 is horizontal,
which it is where the column is missing.
"""

import csv
import math
import os
import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from srd_jax.support.errors import InputError, one_line

HORIZONTAL = 90.0

_ACCEPTED = (
    "accepted is a CSV file in UTF-8, its cells separated by commas, with the columns "
    "granum_image and period_px, or granum_image, period_nm and px_per_nm"
)

Result = TypeVar("Result")


@dataclass(frozen=True)
class Row:
    """A row of the file: its line, the image that it is of, and its cells by column."""

    line: int
    name: str
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Annotation:
    """What is known of one crop.

    Attributes:
      row: line of the file.
      name: of the image.
      angle: direction of the lamellae, degrees counter-clockwise from the vertical.
      period_px: px of the crop.
      px_per_nm: scale, None where it isn't known.
    """

    row: int
    name: str
    angle: float
    period_px: float
    px_per_nm: float | None


def read_periods(path: str | os.PathLike[str]) -> dict[str, float]:
    """Returns the known periods, px of the crop, by the name of the image.

    An image whose cell of the period is empty has no known period; angles and, beside period_px,
    scales aren't looked at.

    Args:
      path: the CSV file.

    Raises:
      InputError: as `each_row`, or a number is none above 0.
    """

    def period(row: Row) -> tuple[str, float | None]:
        known = row.cells["period_px" if "period_px" in row.cells else "period_nm"]
        return row.name, _period_px(row.cells) if known else None

    return {name: value for name, value in each_row(path, period) if value is not None}


def read_annotations(path: str | os.PathLike[str]) -> list[Annotation]:
    """Returns the annotations of all crops, in the order of the file.

    Args:
      path: the CSV file.

    Raises:
      InputError: as `each_row` and `annotation`.
    """
    return each_row(path, annotation)


def annotation(row: Row) -> Annotation:
    """Returns the annotation that a row states.

    Raises:
      InputError: the period or the scale isn't a number above 0, or the angle isn't one above 0 and
        at most 180.
    """
    cells = row.cells
    return Annotation(
        row=row.line,
        name=row.name,
        angle=_number(cells, "angle", 180.0) if "angle" in cells else HORIZONTAL,
        period_px=_period_px(cells),
        px_per_nm=_number(cells, "px_per_nm") if cells.get("px_per_nm") else None,
    )


def each_row(path: str | os.PathLike[str], convert: Callable[[Row], Result]) -> list[Result]:
    """Returns what `convert` makes of each row, in the order of the file.

    All rows are converted even where some are bad, so that the message tells how many are.

    Args:
      path: the CSV file.
      convert: raises InputError for a bad row, in words that need not name file and row.

    Raises:
      InputError: the file or a column is missing, it isn't CSV or has no rows, a row has more or
        fewer cells than the header, an image is there twice or has no name, or `convert` refuses.
    """
    header, rows = _read(path)
    lines: dict[str, int] = {}
    found, problems = [], []
    for line, cells in rows:
        try:
            row = _row(f"{path}: row {line}", line, header, cells, lines)
            found.append(_converted(f"{path}: row {line} ({row.name})", row, convert))
        except InputError as error:
            problems.append(str(error))
    if problems:
        more = f" ({len(problems) - 1} more of {len(rows)} rows are bad)" if problems[1:] else ""
        raise InputError(problems[0] + more)
    return found


def _read(path: str | os.PathLike[str]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Returns the header, and the line and the cells of each row that isn't empty."""
    try:
        with pathlib.Path(path).open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file, strict=True)
            rows = [(lines.line_num, [cell.strip() for cell in cells]) for cells in lines]
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {_ACCEPTED}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: isn't such a file ({one_line(error)}); {_ACCEPTED}") from error
    filled = [(line, cells) for line, cells in rows if any(cells)]
    header = filled[0][1] if filled else []
    of_period = "period_px" in header or {"period_nm", "px_per_nm"} <= set(header)
    if "granum_image" not in header or not of_period:
        found = ", ".join(header) or "none"
        raise InputError(f"{path}: has the columns {found}; {_ACCEPTED}")
    if not filled[1:]:
        raise InputError(f"{path}: has no row below its header; accepted is one row an image")
    return header, filled[1:]


def _row(where: str, line: int, header: list[str], cells: list[str], lines: dict[str, int]) -> Row:
    """Returns a row, and notes its line by the image's name in `lines`."""
    if len(cells) != len(header):
        raise InputError(
            f"{where} has {len(cells)} cells; accepted are {len(header)}, as in the "
            "header (a decimal comma would make two of one number)"
        )
    row = dict(zip(header, cells, strict=True))
    name = row["granum_image"]
    if not name or name in lines:
        found = f"{name}, as in row {lines[name]}" if name else "empty"
        raise InputError(f"{where}: granum_image is {found}; accepted is one row an image")
    lines[name] = line
    return Row(line, name, row)


def _converted(where: str, row: Row, convert: Callable[[Row], Result]) -> Result:
    """Returns what a row becomes, or refuses it in a message that begins with `where`."""
    try:
        return convert(row)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _period_px(cells: Mapping[str, str]) -> float:
    if "period_px" in cells:
        return _number(cells, "period_px")
    return _number(cells, "period_nm") * _number(cells, "px_per_nm")


def _number(cells: Mapping[str, str], column: str, most: float = math.inf) -> float:
    """Returns the number above 0 that a cell holds."""
    try:
        value = float(cells[column])
    except ValueError:
        value = math.nan
    if not (0 < value <= most and value < math.inf):
        limit = "" if math.isinf(most) else f" and at most {most:g}"
        raise InputError(
            f"{column} is {cells[column]!r}; accepted is a number above 0{limit} "
            "with a decimal point"
        )
    return value
