"""Reads the CSV of annotations that comes with a set of real grana.

Columns are found by name, whatever their capitals and spaces; others are ignored:
  granum_image: file of the image.
  period_px: px of the crop; or period_nm (nm), whose product with px_per_nm is the period in px.
  px_per_nm: scale; beside period_px it may be empty or missing.
  angle: direction of the lamellae, degrees counter-clockwise from the vertical, from -360 to 360; a
    direction and its opposite are one. 90 is horizontal, and the value where the column is missing.
"""

import itertools
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from srd_jax.support import csv_files
from srd_jax.support.errors import InputError
from srd_jax.support.names import parts_of

HORIZONTAL = 90.0

_NAME, _PX, _NM, _SCALE, _ANGLE = "granum_image", "period_px", "period_nm", "px_per_nm", "angle"
_NEEDED = ((_NAME, _PX), (_NAME, _NM, _SCALE))
_NUMBERS = (_PX, _NM, _SCALE, _ANGLE)

# How far period_px and period_nm times px_per_nm may differ by rounding, as a share.
_ROUNDING = 0.05

_ACCEPTED = (
    "accepted is a CSV file with the columns granum_image and period_px, or granum_image, "
    "period_nm and px_per_nm"
)

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Line:
    """A line of the file.

    Attributes:
      number: of the line.
      name: of the image.
      cells: by column.
      unclear: cells whose comma or point may be one of thousands.
    """

    number: int
    name: str
    cells: Mapping[str, str]
    unclear: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Annotation:
    """What is known of one crop.

    Attributes:
      line: number of its line in the file.
      name: of the image.
      angle: direction of the lamellae, degrees counter-clockwise from the vertical, above 0 and at
        most 180.
      period_px: px of the crop.
      px_per_nm: scale, None where it isn't known.
    """

    line: int
    name: str
    angle: float
    period_px: float
    px_per_nm: float | None


@dataclass(frozen=True)
class Known:
    """Period and scale of one crop, None where they aren't known; see `Annotation`."""

    line: int
    name: str
    period_px: float | None
    px_per_nm: float | None


@dataclass(frozen=True)
class Bad:
    """A line that cannot be used.

    Attributes:
      number: of the line.
      name: of the image; "" where it isn't known.
      reason: why.
    """

    number: int
    name: str
    reason: str

    def __str__(self) -> str:
        """Returns the line with its reason, for a message."""
        return f"row {self.number}{self.name and f' ({self.name})'}: {self.reason}"


def read_known(path: str | os.PathLike[str]) -> list[Known]:
    """Returns what is known of all crops, in the order of the file; angles aren't read.

    A period is unknown where its cells are empty.

    Args:
      path: the CSV file.

    Raises:
      InputError: as `each_line`, or as `annotation` for another reason than the angle.
    """

    def known(line: Line) -> Known:
        empty = not any(line.cells.get(column) for column in (_PX, _NM))
        period = None if empty else _period_px(line)
        return Known(line.number, line.name, period, _scale(line))

    return each_line(path, known)


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
      InputError: the period or the scale isn't a number above 0, both periods contradict each
        other, or the angle isn't a number from -360 to 360.
    """
    return Annotation(line.number, line.name, _angle(line), _period_px(line), _scale(line))


def each_line(path: str | os.PathLike[str], convert: Callable[[Line], _Result]) -> list[_Result]:
    """Returns the result of `convert` for each line below the header, in the order of the file.

    All lines are converted even where some are bad, so that the message tells how many are.

    Args:
      path: the CSV file.
      convert: raises InputError for a bad line; its message need not name the file and the line.

    Raises:
      InputError: see `good_lines`; or a line is bad.
    """
    found, bad = good_lines(path, convert)
    if bad:
        total = len(found) + len(bad)
        more = f" ({len(bad) - 1} more of {total} rows are bad)" if bad[1:] else ""
        raise InputError(f"{path}: {bad[0]}{more}")
    return found


def good_lines(
    path: str | os.PathLike[str], convert: Callable[[Line], _Result]
) -> tuple[list[_Result], list[Bad]]:
    """Returns the result of `convert` for each good line below the header, and the bad lines.

    A line is bad if it has more cells than the header, or fewer of those that are needed; if its
    image is there twice or has no name; or if `convert` raises InputError.

    Args:
      path: the CSV file; see `csv_files.read_table`.
      convert: raises InputError for a bad line; its message need not name the file and the line.

    Raises:
      InputError: the file cannot be read, a column is missing or there twice, or there is no line
        below the header.
    """
    table = _read(path)
    rows = [(number, _by_column(table.header, cells)) for number, cells in table.rows]
    good = [cells for _, cells in rows if not isinstance(cells, str)]
    numbers = [cells[column] for cells in good for column in _NUMBERS if column in cells]
    unclear = frozenset(csv_files.ambiguous(numbers, table.delimiter))
    first: dict[tuple[str, ...], Line] = {}
    found: dict[int, _Result] = {}
    bad = []
    for number, cells in rows:
        if isinstance(cells, str):
            bad.append(Bad(number, "", cells))
            continue
        line = Line(number, cells[_NAME], cells, unclear)
        before = first.setdefault(parts_of(line.name), line)
        try:
            if not line.name or before is not line:
                raise _not_one_row(line, before)
            found[number] = convert(line)
        except InputError as error:
            bad.append(Bad(number, line.name, str(error)))
            if found.pop(before.number, None) is not None:
                bad.append(Bad(before.number, before.name, str(_not_one_row(before, line))))
    return list(found.values()), bad


def _read(path: str | os.PathLike[str]) -> csv_files.Table:
    """Returns the table; checks its header."""
    try:
        table = csv_files.read_table(path, _NEEDED)
    except InputError as error:
        raise InputError(f"{error}; {_ACCEPTED}") from error
    used = (_NAME, *_NUMBERS)
    twice = [name for name in used if table.header.count(name) > 1]
    if twice:
        raise InputError(
            f"{path}: has {', '.join(twice)} in its header more than once; accepted is each column "
            "once, as it isn't known which one counts"
        )
    if not table.rows:
        raise InputError(f"{path}: has no row below its header; accepted is one row an image")
    return table


def _by_column(header: Sequence[str], cells: Sequence[str]) -> dict[str, str] | str:
    """Returns the cells of a line by column, or what is wrong with it.

    Spreadsheets leave out empty cells at the end of a line, or add some.
    """
    extra = [cell for cell in cells[len(header) :] if cell]
    filled = [*cells, *[""] * (len(header) - len(cells))]
    needed = {_NAME, _PX} if _PX in header else {_NAME, _NM, _SCALE}
    if extra or needed & set(header[len(cells) :]):
        return (
            f"has {len(cells)} cells; accepted are {len(header)}, as in the header (a decimal "
            "comma would make two of one number)"
        )
    names = [*header, *[""] * len(cells)]
    for (name, cell), (after, right) in itertools.pairwise(zip(names, filled, strict=False)):
        if name and not after and re.fullmatch(r"[+-]?\d+", cell) and re.match(r"\d", right):
            return (
                f"has {right!r} in a column without a name, right of {cell}; accepted is a decimal "
                "point, or a decimal comma in quotation marks"
            )
    return {name: cell for name, cell in zip(header, filled, strict=False) if name}


def _not_one_row(line: Line, other: Line) -> InputError:
    found = f"{line.name}, as in row {other.number}" if line.name else "empty"
    return InputError(f"{_NAME} is {found}; accepted is one row an image")


def _period_px(line: Line) -> float:
    cells = line.cells
    if not cells.get(_PX) and cells.get(_NM):
        return _number(line, _NM) * _number(line, _SCALE)
    period = _number(line, _PX if _PX in cells else _NM)
    nm, scale = (csv_files.number(cells.get(column, "")) for column in (_NM, _SCALE))
    if nm and scale and abs(nm * scale - period) > _ROUNDING * period:
        raise InputError(
            f"{_PX} is {cells[_PX]!r}, but {_NM} times {_SCALE} is {cells[_NM]} × {cells[_SCALE]} "
            f"= {nm * scale:.6g} px; accepted are values that agree"
        )
    return period


def _scale(line: Line) -> float | None:
    return _number(line, _SCALE) if line.cells.get(_SCALE) else None


def _angle(line: Line) -> float:
    if _ANGLE not in line.cells:
        return HORIZONTAL
    value = csv_files.number(line.cells[_ANGLE])
    if value is None or not -360 <= value <= 360:
        raise InputError(
            f"{_ANGLE} is {line.cells[_ANGLE]!r}; accepted is a number of degrees from -360 to 360 "
            "with a decimal point"
        )
    return value - 180 * (math.ceil(value / 180) - 1)


def _number(line: Line, column: str) -> float:
    """Returns the number of a cell, which is above 0."""
    text = line.cells[column]
    value = csv_files.number(text)
    if value is None or not 0 < value < math.inf:
        raise InputError(f"{column} is {text!r}; accepted is a number above 0 with a decimal point")
    if text in line.unclear:
        whole = text.replace(",", "").replace(".", "")
        raise InputError(
            f"{column} is {text!r}, which may be {value:g} or {whole}; accepted is a number with a "
            "decimal point and without marks of thousands"
        )
    return value
