"""Known periods of crops, from the CSV of annotations that comes with a set of real grana."""

import csv
import math
import os
import pathlib

from srd_jax.errors import InputError, one_line

_ACCEPTED = (
    "accepted is a CSV file in UTF-8, its cells separated by commas, with the columns "
    "granum_image and period_px, or granum_image, period_nm and px_per_nm"
)


def read_periods(path: str | os.PathLike[str]) -> dict[str, float]:
    """Returns the known periods, px of the crop, by the name of the image.

    Columns are found by their names, others are passed over: granum_image, and period_px (px of
    the crop) or period_nm (nm) with px_per_nm, whose product is the period in px. An image whose
    cell of the period is empty has no known period.

    Args:
      path: the CSV file.

    Raises:
      InputError: the file or a column is missing, it isn't CSV, a row has more or fewer cells than
        the header, an image is there twice or has no name, or a number is none above 0.
    """
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
    in_px = "period_px" in header
    if "granum_image" not in header or not (in_px or {"period_nm", "px_per_nm"} <= set(header)):
        found = ", ".join(header) or "none"
        raise InputError(f"{path}: has the columns {found}; {_ACCEPTED}")
    periods, lines_of = {}, {}
    for line, cells in filled[1:]:
        if len(cells) != len(header):
            raise InputError(
                f"{path}: row {line} has {len(cells)} cells; accepted are {len(header)}, as in the "
                "header (a decimal comma would make two of one number)"
            )
        row = dict(zip(header, cells, strict=True))
        name = row["granum_image"]
        if not name or name in lines_of:
            found = f"{name}, as in row {lines_of[name]}" if name else "empty"
            raise InputError(
                f"{path}: row {line}: granum_image is {found}; accepted is one row an image"
            )
        lines_of[name] = line
        if row["period_px" if in_px else "period_nm"]:
            columns = ("period_px",) if in_px else ("period_nm", "px_per_nm")
            where = f"{path}: row {line} ({name})"
            periods[name] = math.prod(_positive(row[c], f"{where}: {c}") for c in columns)
    return periods


def _positive(text: str, where: str) -> float:
    """Returns the number that a cell holds."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise InputError(f"{where} is {text!r}; accepted is a number above 0 with a decimal point")
    return value
