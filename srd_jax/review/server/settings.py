"""The micrographs of the app with their scales and groups, kept in the folder of the analysis."""

import collections
import dataclasses
import os
import pathlib
from collections.abc import Collection, Mapping, Sequence

from srd_jax.analysis.output import records
from srd_jax.analysis.output.folder import Folder
from srd_jax.analysis.output.names import output_names
from srd_jax.review.server.safe_names import folded
from srd_jax.support.errors import InputError
from srd_jax.support.fields import from_dict, to_json
from srd_jax.support.files import read_json, write_text

UPLOADS = "uploads"


@dataclasses.dataclass(frozen=True)
class Entry:
    """A micrograph.

    Attributes:
      name: of its outputs.
      path: absolute, or below the folder of the analysis.
      px_per_nm: its scale; None takes the bar, or the file's own tags.
      bar_nm: length of the bar that is burnt into it.
      group: that it belongs to; "" for none.
    """

    name: str
    path: str
    px_per_nm: float | None = None
    bar_nm: float | None = None
    group: str = ""

    @property
    def scale(self) -> tuple[float | None, float | None]:
        """What is given on the scale."""
        return self.px_per_nm, self.bar_nm

    def file(self, root: pathlib.Path) -> pathlib.Path:
        """Returns the absolute path."""
        return root / self.path


@dataclasses.dataclass(frozen=True)
class Settings:
    """The micrographs in order."""

    files: tuple[Entry, ...] = ()

    @property
    def by_name(self) -> dict[str, Entry]:
        """The micrographs by name."""
        return {one.name: one for one in self.files}

    def with_changed(self, changed: Mapping[str, Entry]) -> "Settings":
        """Returns settings in which some micrographs, by their former names, are changed."""
        return Settings(tuple(changed.get(one.name, one) for one in self.files))


def place(root: pathlib.Path) -> pathlib.Path:
    """Returns the path of the settings of a folder."""
    return root / "app" / "settings.json"


def write(root: pathlib.Path, settings: Settings) -> None:
    """Writes the settings whole or not at all.

    Raises:
      InputError: the file can't be written.
    """
    write_text(place(root), to_json(settings))


def read(root: pathlib.Path) -> Settings:
    """Returns the settings of a folder, with the micrographs of records that they lack.

    Raises:
      InputError: the file can't be read.
    """
    known = Settings()
    if place(root).exists():
        known = from_dict(Settings, read_json(place(root)), place(root).name)
        for one in known.files:
            if not _is_name(one.name):
                raise InputError(f"{place(root).name}: {one.name!r} is no name of outputs")
            if not _is_place(one.path):
                raise InputError(
                    f"{place(root).name}: {one.path!r} is neither an absolute path nor that of an "
                    "upload"
                )
    names = {folded(one.name) for one in known.files}
    return Settings(known.files + tuple(o for o in _recorded(root) if folded(o.name) not in names))


def _is_name(name: str) -> bool:
    return name not in ("", ".", "..") and not set(name) & set("/\\\0")


def _is_place(path: str) -> bool:
    """Tells whether a path is absolute or that of an upload, which the app may delete."""
    if os.path.isabs(path):  # noqa: PTH117
        return "\0" not in path
    folder, _, name = path.partition("/")
    return folder == UPLOADS and _is_name(name)


def _recorded(root: pathlib.Path) -> list[Entry]:
    """Returns the micrographs that `srd analyse` has analysed, with the scales it was given."""
    found: dict[str, Entry] = {}
    # A file may have had another name in an earlier run; the latest counts.
    paths = Folder(root).record("any").parent.glob("*.json")
    for path in sorted(paths, key=lambda one: one.stat().st_mtime_ns, reverse=True):
        record = records.read(path)
        # What isn't Unicode has no address in a browser.
        if record is not None and path.name.isprintable():
            file = os.path.abspath(record.analysis.file)  # noqa: PTH100
            px_per_nm, bar_nm = (record.made.get(name) for name in ("px_per_nm", "bar_nm"))
            found.setdefault(file, Entry(path.stem, file, px_per_nm, bar_nm))
    return sorted(found.values(), key=lambda one: one.name)


def add(
    settings: Settings, root: pathlib.Path, paths: Sequence[pathlib.Path], kept: Collection[str]
) -> Settings:
    """Returns settings with more micrographs; those that are there already stay.

    Names are those that `srd analyse` gives to all of them; see `output_names`.

    Args:
      settings: so far.
      root: folder of the analysis.
      paths: absolute, of micrographs.
      kept: names that must stay, as results have them.

    Raises:
      InputError: a new file would change one of these names.
    """
    entries = {one.file(root): one for one in settings.files}
    before = output_names(list(entries)) if entries else {}
    for path in paths:
        entries.setdefault(path, Entry("", str(path)))
    names = output_names(list(entries)) if entries else {}
    for path, one in entries.items():
        if one.name in kept:
            # Odd names, of an analysis of other files, are kept as they are.
            if names[path] != one.name and before[path] == one.name:
                raise _clash(one.name)
            names[path] = one.name
    counts = collections.Counter(map(folded, names.values()))
    if twice := [name for name in names.values() if counts[folded(name)] > 1]:
        raise _clash(twice[0])
    return Settings(tuple(dataclasses.replace(o, name=names[p]) for p, o in entries.items()))


def _clash(name: str) -> InputError:
    return InputError(
        f"{name}: a new file is named as this one, which has results; accepted are files of other "
        "names, or another folder of results (--workdir)"
    )
