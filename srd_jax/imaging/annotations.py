"""Reads the CSV of annotations that comes with a set of real grana.

Columns are found by name; others are ignored:
  granum_image: file of the image.
  period_px: px of the crop; or period_nm (nm), whose product with px_per_nm is the period in px.
  px_per_nm: scale; beside period_px it may be empty or missing.
  angle: direction of the lamellae, degrees counter-clockwise from the vertical, above 0 and at most
    180; 90 is horizontal, and the value where the column is missing.
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

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Line:
    """A line of the file.

    Attributes:
      number: of the line.
      name: of the image.
      cells: by column.
    """

    number: int
    name: str
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Annotation:
    """What is known of one crop.

    Attributes:
      line: number of its line in the file.
      name: of the image.
      angle: direction of the lamellae, degrees counter-clockwise from the vertical.
      period_px: px of the crop.
      px_per_nm: scale, None where it isn't known.
    """

    line: int
    name: str
    angle: float
    period_px: float
    px_per_nm: float | None


def read_periods(path: str | os.PathLike[str]) -> dict[str, float]:
    """Returns the known periods, px of the crop, by the name of the image.

    An image has no known period where that cell is empty. Angles aren't read, nor are scales beside
    period_px.

    Args:
      path: the CSV file.

    Raises:
      InputError: as `each_line`, or a period or scale isn't a number above 0.
    """

    def period(line: Line) -> tuple[str, float | None]:
        known = line.cells["period_px" if "period_px" in line.cells else "period_nm"]
        return line.name, _period_px(line.cells) if known else None

    return {name: value for name, value in each_line(path, period) if value is not None}


def read_annotations(path: str | os.PathLike[str]) -> list[Annotation]:
    """Returns the annotations of all crops, in the order of the file.

    Args:
      path: the CSV file.

    Raises:
      InputError: as `each_line` and `annotation`.
    """
    return each_line(path, annotation)


def annotation(line: Line) -> Annotation:
    """Returns the annotation of a line.

    Raises:
      InputError: the period or the scale isn't a number above 0, or the angle isn't a number above
        0 and at most 180.
    """
    cells = line.cells
    return Annotation(
        line=line.number,
        name=line.name,
        angle=_number(cells, "angle", 180.0) if "angle" in cells else HORIZONTAL,
        period_px=_period_px(cells),
        px_per_nm=_number(cells, "px_per_nm") if cells.get("px_per_nm") else None,
    )


def each_line(path: str | os.PathLike[str], convert: Callable[[Line], _Result]) -> list[_Result]:
    """Returns the result of `convert` for each line below the header, in the order of the file.

    All lines are converted even where some are bad, so that the message tells how many are.

    Args:
      path: the CSV file.
      convert: raises InputError for a bad line; its message need not name the file and the line.

    Raises:
      InputError: the file or a column is missing, it isn't CSV or has a header only, a line has
        more or fewer cells than the header, an image is there twice or has no name, or `convert`
        raises it.
    """
    header, lines = _read(path)
    numbers: dict[str, int] = {}
    found, problems = [], []
    for number, cells in lines:
        try:
            line = _line(f"{path}: row {number}", number, header, cells, numbers)
            found.append(_converted(f"{path}: row {number} ({line.name})", line, convert))
        except InputError as error:
            problems.append(str(error))
    if problems:
        more = f" ({len(problems) - 1} more of {len(lines)} rows are bad)" if problems[1:] else ""
        raise InputError(problems[0] + more)
    return found


def _read(path: str | os.PathLike[str]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Returns the header, and number and cells of each line that isn't empty."""
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
    twice = [name for name in dict.fromkeys(header) if name and header.count(name) > 1]
    if twice:
        raise InputError(
            f"{path}: has {', '.join(twice)} in its header more than once; accepted is each column "
            "once, as it isn't known which one counts"
        )
    if not filled[1:]:
        raise InputError(f"{path}: has no row below its header; accepted is one row an image")
    return header, filled[1:]


def _line(
    where: str, number: int, header: list[str], cells: list[str], numbers: dict[str, int]
) -> Line:
    """Returns a line, and notes its number under the image's name in `numbers`."""
    if len(cells) != len(header):
        raise InputError(
            f"{where} has {len(cells)} cells; accepted are {len(header)}, as in the "
            "header (a decimal comma would make two of one number)"
        )
    by_column = dict(zip(header, cells, strict=True))
    name = by_column["granum_image"]
    if not name or name in numbers:
        found = f"{name}, as in row {numbers[name]}" if name else "empty"
        raise InputError(f"{where}: granum_image is {found}; accepted is one row an image")
    numbers[name] = number
    return Line(number, name, by_column)


def _converted(where: str, line: Line, convert: Callable[[Line], _Result]) -> _Result:
    """Returns the result of `convert`; a message of its InputError begins with `where`."""
    try:
        return convert(line)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _period_px(cells: Mapping[str, str]) -> float:
    if "period_px" in cells:
        return _number(cells, "period_px")
    return _number(cells, "period_nm") * _number(cells, "px_per_nm")


def _number(cells: Mapping[str, str], column: str, most: float = math.inf) -> float:
    """Returns the number of a cell, which is above 0 and at most `most`."""
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
