"""Reads a table of scales, for folders of micrographs of several magnifications."""

import pathlib
from collections.abc import Sequence

from srd_jax.support.csv_files import number, read_table
from srd_jax.support.errors import InputError
from srd_jax.support.names import Files

_PX, _NM = "px_per_nm", "nm_per_px"
_ACCEPTED = f"accepted is a CSV with the columns file and {_PX} or {_NM}"


def read_scales(
    path: pathlib.Path, files: Sequence[pathlib.Path]
) -> tuple[dict[pathlib.Path, float], list[str]]:
    """Reads the scales of files.

    Args:
      path: of a CSV with the columns file and px_per_nm or nm_per_px; names as in annotations.
      files: micrographs.

    Returns:
      px per nm by file, and a line about rows that name none of the files.

    Raises:
      InputError: the CSV can't be read; a row has no number above 0, means several files, or
        gives a file a second scale; or no row names a file.
    """
    try:
        table = read_table(path, [("file", _PX), ("file", _NM)])
    except InputError as error:
        raise InputError(f"{error}; {_ACCEPTED}") from error
    column = _PX if _PX in table.header else _NM
    file_at, scale_at = table.header.index("file"), table.header.index(column)
    known, found, lost = Files(files), {}, []
    for line, cells in table.rows:
        cells = [*cells, *[""] * len(table.header)]
        where, value = f"{path}: row {line}", number(cells[scale_at])
        if value is None or not 0 < value < float("inf"):
            raise InputError(
                f"{where}: {column} is {cells[scale_at]!r}; accepted is a number above 0"
            )
        named = known.named(cells[file_at])
        if named[1:]:
            raise InputError(
                f"{where}: {len(named)} micrographs are named {cells[file_at]}; accepted is a name "
                "with as many of its folders as tell them apart"
            )
        if not named:
            lost.append(f"row {line} ({cells[file_at]})")
            continue
        scale = value if column == _PX else 1 / value
        if found.setdefault(named[0], scale) != scale:
            raise InputError(f"{where}: {cells[file_at]} has another scale already")
    if not found:
        raise InputError(f"{path}: names none of the {len(files)} micrographs; {_ACCEPTED}")
    said = f"{path}: {len(lost)} of {len(table.rows)} rows match no micrograph, first "
    return found, [said + lost[0]] if lost else []
