"""Reads choices of the user about files: groups, and grana that are left out."""

import pathlib
from collections.abc import Iterable, Mapping, Sequence

from srd_jax.analysis.output.names import output_names
from srd_jax.support.csv_files import read_table
from srd_jax.support.errors import InputError
from srd_jax.support.names import Files

_ACCEPTED = "accepted is a CSV with the columns file and group"


def read_groups(
    path: str, files: Sequence[pathlib.Path]
) -> tuple[dict[pathlib.Path, str], list[str]]:
    """Reads which file belongs to which group.

    Args:
      path: of a CSV with the columns file and group; files are named as in annotations.
      files: micrographs.

    Returns:
      Groups by file; and lines about rows that name none of the files, and files without a row.

    Raises:
      InputError: the CSV can't be read; a row lacks its group, means several files, or gives a file
        a second group; or no row names a file.
    """
    try:
        table = read_table(path, [("file", "group")])
    except InputError as error:
        raise InputError(f"{error}; {_ACCEPTED}") from error
    file_at, group_at = table.header.index("file"), table.header.index("group")
    known, found, lost = Files(files), {}, []
    for line, cells in table.rows:
        cells = [*cells, *[""] * len(table.header)]
        name, group = cells[file_at], cells[group_at]
        if not name or not group:
            raise InputError(
                f"{path}: row {line} lacks its {'group' if name else 'file'}; {_ACCEPTED}"
            )
        file = _only(known, name, f"{path}: row {line}")
        if file is None:
            lost.append(f"row {line} ({name})")
        elif found.setdefault(file, group) != group:
            raise InputError(
                f"{path}: row {line} puts {name} into {group}, but it is in {found[file]} already; "
                "accepted is one group a file"
            )
    if not found:
        raise InputError(f"{path}: names none of the {len(files)} micrographs; {_ACCEPTED}")
    said = []
    if lost:
        said.append(
            f"{path}: {len(lost)} of {len(table.rows)} rows match no micrograph, first {lost[0]}"
        )
    if missing := [file for file in files if file not in found]:
        said.append(
            f"{path}: {len(missing)} of {len(files)} micrographs have no group, first {missing[0]}"
        )
    return found, said


def read_excluded(
    texts: Iterable[str], files: Sequence[pathlib.Path]
) -> dict[pathlib.Path, tuple[int, ...]]:
    """Reads which grana are left out, of which micrographs.

    Args:
      texts: such as NAME:3,7; NAME is that of the outputs, or means the file as in annotations.
      files: micrographs.

    Returns:
      Sorted numbers by file.

    Raises:
      InputError: a text is something else, or names none of the files or several.
    """
    known, found = Files(files), {}
    own = {name: file for file, name in output_names(files).items()}
    for text in texts:
        name, _, numbers = text.rpartition(":")
        parts = numbers.replace(" ", "").split(",")
        if not name or not all(part.isascii() and part.isdecimal() for part in parts):
            raise InputError(
                f"--exclude {text}: isn't a name and numbers; accepted is NAME:3,7, numbers of "
                "grana of a micrograph as in grana.csv"
            )
        file = own.get(name) or _only(known, name, f"--exclude {text}")
        if file is None:
            raise InputError(
                f"--exclude {text}: {name} is none of the {len(files)} micrographs; accepted are "
                f"their names, the first is {files[0].name}"
            )
        found.setdefault(file, set()).update(map(int, parts))
    return {file: tuple(sorted(numbers)) for file, numbers in found.items()}


def _only(files: Files, name: str, where: str) -> pathlib.Path | None:
    """Returns the file that a name means, None if there is none.

    Raises:
      InputError: it means several.
    """
    named = files.named(name)
    if named[1:]:
        raise InputError(
            f"{where}: {len(named)} micrographs are named {name}; accepted is a name with as many "
            "of its folders as tell them apart"
        )
    return named[0] if named else None


def unknown_numbers(
    excluded: Mapping[pathlib.Path, Sequence[int]], grana: Mapping[pathlib.Path, int]
) -> list[str]:
    """Returns lines about excluded numbers that no granum has.

    Args:
      excluded: numbers by file.
      grana: number of grana by file.
    """
    return [
        f"--exclude: {file.name} has no granum {number}, but {grana[file]}; nothing is left out"
        for file, numbers in excluded.items()
        for number in numbers
        if not 1 <= number <= grana[file]
    ]
