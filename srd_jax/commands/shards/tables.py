"""Joins the tables that `srd predict --shard` has written."""

import csv
import itertools
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from srd_jax.analysis.output.records import sha256
from srd_jax.commands import saving
from srd_jax.commands.shards import description
from srd_jax.commands.shards.description import Description
from srd_jax.commands.shards.shard import Shard
from srd_jax.measuring.result import Result
from srd_jax.support.errors import InputError
from srd_jax.support.files import write_table

ENDING = ".shard.json"


def describe(
    out: str,
    shard: Shard,
    every: Sequence[pathlib.Path],
    options: Mapping[str, Any],
    paths: Sequence[pathlib.Path],
    results: Iterable[Result],
) -> None:
    """Writes the description of a table beside it.

    Args:
      out: path of the table.
      shard: which part it is.
      every: files of all parts.
      options: that results depend on.
      paths: files of this part.
      results: rows of the table, those of a file together.

    Raises:
      InputError: it can't be written.
    """
    rows = {file: len(list(of)) for file, of in itertools.groupby(results, lambda one: one.file)}
    content = {"sha256": sha256(pathlib.Path(out)), "rows": [rows[str(path)] for path in paths]}
    # Overlays of all parts may go into one folder, or each into its own.
    options = {name: value for name, value in options.items() if not name.startswith("overlay")}
    made = description.describe(description.PREDICT, shard, every, options)
    description.write(_beside(out), description.done(made, content))


def _beside(table: str) -> pathlib.Path:
    return pathlib.Path(f"{table}{ENDING}")


def merge(out: str, parts: Sequence[str]) -> str:
    """Writes the rows of all parts, in the order of the whole command; tells how many.

    Args:
      out: path of the new table, or - for standard output.
      parts: paths of the tables.

    Raises:
      InputError: parts are missing, changed, there twice, or of other commands; or the new table
        can't be written.
    """
    described = {part: description.read(_beside(part), part) for part in parts}
    names = description.check(described)
    saving.check(out, parts)
    for name in names:
        _check_unchanged(name, described[name])
    files = described[names[0]].files
    rows = [iter(_rows(name)) for name in names]
    header, *_ = [next(one) for one in rows]
    write_table(out, header, _in_order(names, described, rows))
    return f"{files} files of {len(names)} parts"


def _check_unchanged(part: str, one: Description) -> None:
    """Checks that a table is the one that was described.

    Raises:
      InputError: it isn't.
    """
    try:
        found = sha256(pathlib.Path(part))
    except OSError as error:
        raise InputError(f"{part}: cannot be read ({error.strerror})") from error
    content = one.content or {}
    rows, files = content.get("rows"), len(range(one.number - 1, one.files, one.count))
    if found != content.get("sha256") or not isinstance(rows, list) or len(rows) != files:
        raise InputError(
            f"{part}: has changed since srd predict wrote it; accepted is the table as it was"
        )


def _rows(part: str) -> list[list[str]]:
    """Returns header and rows of a table as it was written."""
    path = pathlib.Path(part)
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.reader(file))


def _in_order(
    names: Sequence[str],
    described: Mapping[str, Description],
    rows: Sequence[Iterator[list[str]]],
) -> Iterator[list[str]]:
    """Yields the rows of the first file of each part, of the second, and so on."""
    counts = [(described[name].content or {})["rows"] for name in names]
    for place in range(described[names[0]].files):
        part, index = place % len(names), place // len(names)
        yield from itertools.islice(rows[part], counts[part][index])
