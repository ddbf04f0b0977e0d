"""Decides on the scale of a micrograph: what is given, a table of scales, a bar, the file's tags.

A table is a CSV file with the column file and px_per_nm or nm_per_px, or both, which then agree. A
name may be a path, lack the suffix, or differ in capitals, as `support.names` has it.
"""

import dataclasses
import math
import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from srd_jax.imaging.micrographs.scale_bar import measure_bar
from srd_jax.imaging.pixel_size import Scale
from srd_jax.support import csv_files
from srd_jax.support.errors import InputError
from srd_jax.support.names import Files, parts_of

_FILE, _PX_PER_NM, _NM_PER_PX = "file", "px_per_nm", "nm_per_px"
_ACCEPTED = f"accepted is a CSV file with the columns {_FILE} and {_PX_PER_NM} or {_NM_PER_PX}"
# Two scales that differ by a greater share contradict each other.
_MAX_DIFFERENCE = 0.01


@dataclasses.dataclass(frozen=True)
class ScaleOptions:
    """What is given on the scale of micrographs; the first that is there counts.

    Attributes:
      table: px per nm by file, as the files are given.
      px_per_nm: of all files.
      bar_nm: length of the bar that is burnt into each, nm.
      table_name: of the file that the table comes from.
    """

    table: Mapping[pathlib.Path, float] = dataclasses.field(default_factory=dict)
    px_per_nm: float | None = None
    bar_nm: float | None = None
    table_name: str = "a table"


def decide(
    path: pathlib.Path,
    options: ScaleOptions,
    tag: Scale,
    picture: np.ndarray,
    strips: Sequence[np.ndarray],
) -> tuple[float | None, str, tuple[str, ...]]:
    """Returns px per nm, None if it isn't known, its source, and notes.

    A row of the table goes before the given scale, that before a bar, and that before the file's
    own tag.

    Args:
      path: of the micrograph.
      options: what is given.
      tag: what the file states.
      picture: grey values without strips, in which a bar is looked for.
      strips: information strips, in which it is looked for first.

    Raises:
      InputError: a bar is asked for, there is none or several, and the file states no scale.
    """
    notes: list[str] = []
    found, source = options.table.get(path), options.table_name
    if found is None and options.px_per_nm is not None:
        found, source = options.px_per_nm, "given"
    if found is None and options.bar_nm is not None:
        found, source, problem = _by_bar(options.bar_nm, picture, strips)
        if found is None and tag.px_per_nm is None:
            raise InputError(problem)
        notes += [problem] if problem else []
    if found is None:
        return tag.px_per_nm, tag.source, (*notes, *([tag.note] if tag.note else []))
    if tag.px_per_nm is not None and _differ(found, tag.px_per_nm):
        notes.append(
            f"the file states {tag.px_per_nm:.4g} px/nm ({tag.source}), {source} {found:.4g}"
        )
    return found, source, tuple(notes)


def _by_bar(
    nm: float, picture: np.ndarray, strips: Sequence[np.ndarray]
) -> tuple[float | None, str, str]:
    """Returns the scale by a bar and its source, or why there is none."""
    try:
        bar = measure_bar(picture, strips)
    except InputError as error:
        return None, "", str(error)
    if bar is None:
        problem = (
            "no scale bar is found; accepted are horizontal ones, black or white, or the scale by "
            "a table or a number"
        )
        return None, "", problem
    return bar.length / nm, f"bar of {nm:g} nm, {bar.length:.1f} px", ""


def _differ(one: float, other: float) -> bool:
    return max(one, other) > min(one, other) * (1 + _MAX_DIFFERENCE)


def read_scales(
    path: str | os.PathLike[str], files: Sequence[pathlib.Path]
) -> dict[pathlib.Path, float]:
    """Returns px per nm by file of a table of scales.

    Rows of other files that exist are passed over, and so are rows without a scale.

    Args:
      path: of the CSV file.
      files: the micrographs.

    Raises:
      InputError: the file can't be read, or a row is bad, of no file, of several, or repeated.
    """
    try:
        table = csv_files.read_table(path, ((_FILE, _PX_PER_NM), (_FILE, _NM_PER_PX)))
    except InputError as error:
        raise InputError(f"{error}; {_ACCEPTED}") from error
    if twice := [name for name in table.header if name and table.header.count(name) > 1]:
        raise InputError(f"{path}: has the column {twice[0]} more than once; {_ACCEPTED}")
    rows = [(number, dict(zip(table.header, cells, strict=False))) for number, cells in table.rows]
    if not rows:
        raise InputError(f"{path}: has no row below its header; accepted is one row a micrograph")
    numbers = [row.get(name, "") for _, row in rows for name in (_PX_PER_NM, _NM_PER_PX)]
    unclear = csv_files.ambiguous(numbers, table.delimiter)
    known, folder = Files(files), pathlib.Path(path).parent
    places = {os.path.realpath(file): file for file in files}
    found: dict[pathlib.Path, float] = {}
    first: dict[pathlib.Path, int] = {}
    for (number, row), (_, cells) in zip(rows, table.rows, strict=True):
        where = f"{path}: row {number} ({row.get(_FILE, '')})"
        if any(cells[len(table.header) :]):
            raise InputError(
                f"{where} has {len(cells)} cells; accepted are {len(table.header)}, as in the "
                "header (a decimal comma would make two of one number)"
            )
        file = _file(where, row.get(_FILE, ""), folder, places, known)
        scale = _px_per_nm(where, row, unclear)
        if file is None or scale is None:
            continue
        if file in first:
            raise InputError(
                f"{where}: means {file}, as row {first[file]} does; accepted is one row a "
                "micrograph"
            )
        first[file], found[file] = number, scale
    return found


def _file(
    where: str,
    name: str,
    folder: pathlib.Path,
    places: Mapping[str, pathlib.Path],
    known: Files,
) -> pathlib.Path | None:
    """Returns the micrograph that a row means; None for another file that exists."""
    if not name:
        raise InputError(f"{where}: has no name; accepted is the name of a micrograph")
    # From the table's folder first.
    place = folder.joinpath(*parts_of(name))
    if (real := os.path.realpath(place)) in places:
        return places[real]
    named = known.named(name)
    if len(named) > 1:
        raise InputError(
            f"{where}: means {named[0]} and {named[1]}; accepted is a path that tells them apart"
        )
    others = {file.parent / parts_of(name)[-1] for file in places.values()} if name else set()
    if not named and not any(other.exists() for other in (place, *others)):
        raise InputError(f"{where}: is no file that is there; accepted are names of micrographs")
    return named[0] if named else None


def _px_per_nm(where: str, row: Mapping[str, str], unclear: set[str]) -> float | None:
    """Returns the scale of a row, None where its cells are empty."""
    values = []
    for column in (_PX_PER_NM, _NM_PER_PX):
        if not (text := row.get(column, "")):
            continue
        value = csv_files.number(text)
        if value is None or not 0 < value < math.inf or text in unclear:
            raise InputError(
                f"{where}: {column} is {text!r}; accepted is a number above 0 with a decimal point "
                "and without marks of thousands"
            )
        values.append(value if column == _PX_PER_NM else 1 / value)
    if len(values) == 2 and _differ(*values):
        raise InputError(
            f"{where}: {_PX_PER_NM} is {row[_PX_PER_NM]}, but {_NM_PER_PX} is {row[_NM_PER_PX]}; "
            "accepted are values that agree"
        )
    return values[0] if values else None
