"""Joins the folders that `srd analyse --shard` has written: tables anew, from all records."""

import dataclasses
import os
import pathlib
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from srd_jax.analysis.granum import Analysis
from srd_jax.analysis.output import folder as folders
from srd_jax.analysis.output import records
from srd_jax.analysis.output.folder import Folder
from srd_jax.analysis.output.quantities import with_excluded
from srd_jax.analysis.output.table import Named
from srd_jax.commands.shards import description
from srd_jax.commands.shards.description import Description
from srd_jax.commands.shards.shard import Shard
from srd_jax.support.errors import InputError
from srd_jax.support.fields import from_dict
from srd_jax.support.files import unwritable, whole_folder

NAME = "shard.json"

# The folder of a review, see `srd app`.
_REVIEW = "app"


@dataclasses.dataclass(frozen=True)
class Content:
    """What joins the folder of a part to others.

    Attributes:
      names: of the outputs of each micrograph, in order.
      groups: of each; "" for none.
      origin: versions, weights and options, for the report.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    origin: dict


def begin(
    folder: Folder,
    shard: Shard | None,
    paths: Sequence[pathlib.Path],
    options: Mapping[str, Any],
) -> Description | None:
    """Marks a folder as that of a part which isn't done.

    Args:
      folder: of the results.
      shard: which part it is; None for all files.
      paths: of all parts.
      options: that results depend on.

    Raises:
      InputError: it is the folder of another part, or can't be written.
    """
    path = folder.root / NAME
    if shard is None:
        path.unlink(missing_ok=True)
        return None
    before = _shard_of(path)
    if before not in (None, shard):
        raise InputError(
            f"--out {folder.root}: is the folder of part {before}; accepted is another one for "
            f"part {shard}"
        )
    made = description.describe(description.ANALYSE, shard, paths, options)
    description.write(path, made)
    return made


def _shard_of(path: pathlib.Path) -> Shard | None:
    """Returns the part that a folder was made for; None where none is known."""
    try:
        return description.read(path, str(path.parent)).shard
    except InputError:
        return None


def end(
    folder: Folder, made: Description, micrographs: Sequence[Named], origin: Mapping[str, str]
) -> None:
    """Marks the folder of a part as done.

    Raises:
      InputError: it can't be written.
    """
    names = [named.name for named in micrographs]
    content = {
        "names": names,
        "groups": [named.group for named in micrographs],
        "origin": dict(origin),
    }
    description.write(folder.root / NAME, description.done(made, content))


def merge(out: str, parts: Sequence[str]) -> str:
    """Joins the folders of all parts in a new one; tells how many.

    Args:
      out: path of the new folder.
      parts: paths of the folders.

    Raises:
      InputError: parts are missing, changed, there twice, or of other commands; or the new folder
        isn't empty, or can't be written.
    """
    described = {part: description.read(pathlib.Path(part, NAME), part) for part in parts}
    names = description.check(described)
    contents = [_content(name, described[name]) for name in names]
    with whole_folder(out) as temporary, folders.opened(str(temporary)) as folder:
        micrographs = []
        for place in range(described[names[0]].files):
            part, index = place % len(names), place // len(names)
            source = Folder(pathlib.Path(names[part]))
            content = contents[part]
            analysis = _taken(source, folder, content.names[index])
            micrographs.append(Named(analysis, content.names[index], content.groups[index]))
        # Late, as drawing takes its time to load.
        from srd_jax.analysis.report import results

        results.write(folder, micrographs, contents[0].origin)
    for name in names:
        if pathlib.Path(name, _REVIEW).is_dir():
            print(f"{name}: its review isn't taken over; it stays there", file=sys.stderr)
    return f"{len(micrographs)} micrographs of {len(names)} parts"


def _content(part: str, one: Description) -> Content:
    """Returns what joins a part to others.

    Raises:
      InputError: it is damaged.
    """
    found = from_dict(Content, one.content, f"{part}/{NAME}: content")
    files = len(range(one.number - 1, one.files, one.count))
    if not len(found.names) == len(found.groups) == files:
        raise InputError(
            f"{part}/{NAME}: names {len(found.names)} micrographs, of {files}; accepted is the "
            "file as srd analyse wrote it"
        )
    return found


def _taken(source: Folder, folder: Folder, name: str) -> Analysis:
    """Takes over all files of a micrograph; returns its analysis as the tables show it.

    Raises:
      InputError: its record isn't there, or a file can't be copied.
    """
    record = records.read(source.record(name))
    if record is None or record.excluded is None:
        raise InputError(
            f"{source.record(name)}: is missing or not whole; accepted is to start the command of "
            "that part again, which mends it"
        )
    pairs = zip(
        (source.record(name), *source.files(name, record.analysis)),
        (folder.record(name), *folder.files(name, record.analysis)),
        strict=True,
    )
    for before, after in pairs:
        if before.is_file():  # a picture that couldn't be drawn isn't there
            _copy(before, after)
    bare = [dataclasses.replace(granum, outline=()) for granum in record.analysis.grana]
    return with_excluded(dataclasses.replace(record.analysis, grana=tuple(bare)), record.excluded)


def _copy(before: pathlib.Path, after: pathlib.Path) -> None:
    """Gives a file a second name where the disk allows it, as files are replaced, not changed."""
    try:
        after.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(before.resolve(), after)
        except OSError:
            shutil.copy2(before, after)
    except OSError as error:
        raise unwritable(after, error, "give a folder on a disk with room") from error
