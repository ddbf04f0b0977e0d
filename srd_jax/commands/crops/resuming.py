"""Keeps the results of a run that is stopped, and takes them up again.

They are kept beside the table, a line a file, with the identity of the file and of the options.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from srd_jax.analysis.output import records
from srd_jax.imaging.mask_files import masks_of
from srd_jax.measuring.result import Result
from srd_jax.support.errors import InputError, one_line
from srd_jax.support.fields import from_dict
from srd_jax.support.journal import Journal, Unwritable

ENDING = ".partial"

_KIND = "results of an unfinished srd predict"

_OWNER = (
    "another srd predict is writing there; accepted is another --out, or this one when that has "
    "ended"
)


class Resuming:
    """The results of files that a run, or an earlier one that was stopped, has finished."""

    def __init__(
        self,
        journal: Journal | None,
        fixed: Mapping[str, Any],
        scales: Mapping[pathlib.Path, float],
    ):
        """Takes the options that all files have in common, and the scales of single ones.

        Args:
          journal: with the results; None where there is no place for one.
          fixed: all options that results depend on: plain values by name.
          scales: of annotations, by file.
        """
        self._journal, self._fixed, self._scales = journal, dict(fixed), scales
        self._made: dict[pathlib.Path, dict[str, Any]] = {}

    @property
    def keeps(self) -> bool:
        """Whether results outlive the process."""
        return self._journal is not None

    def kept(
        self, paths: Iterable[pathlib.Path], is_whole: Callable[[Sequence[Result]], bool]
    ) -> dict[pathlib.Path, list[Result]]:
        """Returns the results of an earlier run; those of files with errors are made again.

        Args:
          paths: of files.
          is_whole: tells whether all that belongs to the results of a file is there.
        """
        if self._journal is None:
            return {}
        places: dict[tuple[str, str], int] = {}
        for place, entry in self._journal.entries():
            places[str(entry.get("file")), _digest(entry.get("made"))] = place
        names = {name for name, _ in places}
        found, changed = {}, 0
        for path in paths:
            if str(path) not in names or (made := self._identity(path)) is None:
                continue
            place = places.get((str(path), _digest(made)))
            changed += place is None
            results = None if place is None else _results(path, self._journal.read(place))
            if results and is_whole(results):
                found[path] = results
        if found:
            _say(f"{len(found)} files are taken from {self._journal.path}, of a stopped run")
        if changed:
            _say(f"{changed} files of a stopped run are measured anew: they or options changed")
        return found

    def noted(self, paths: Iterable[pathlib.Path]) -> Iterator[pathlib.Path]:
        """Yields files, and notes the identity of each before it is read."""
        for path in paths:
            if self._journal is not None and (made := self._identity(path)) is not None:
                self._made[path] = made
            yield path

    def add(self, path: pathlib.Path, results: Sequence[Result]) -> None:
        """Keeps the results of a file that is done, as far as there is room."""
        made = self._made.pop(path, None)
        if self._journal is None or made is None:
            return
        rows = [dataclasses.asdict(one) for one in results]
        try:
            self._journal.append({"file": str(path), "made": made, "rows": rows})
        except InputError as error:
            _say(f"{one_line(error)}; the run goes on, but can't be taken up again from here")
            self._journal.close()
            self._journal = None

    def done(self) -> None:
        """Removes what was kept, as the table holds it."""
        if self._journal is not None:
            with contextlib.suppress(OSError):
                self._journal.remove()
            self._journal = None

    def close(self) -> None:
        """Lets other processes have what is kept; where that is nothing, no file stays."""
        if self._journal is not None and not self._journal.is_empty:
            self._journal.close()
        else:
            self.done()

    def _identity(self, path: pathlib.Path) -> dict[str, Any] | None:
        """Returns all that the results of a file depend on; None where it can't be read."""
        try:
            masks = {os.path.relpath(one, path.parent): one for one in masks_of(path)}
            own = {
                "annotated px_per_nm": self._scales.get(path),
                "masks": {name: records.sha256(mask) for name, mask in masks.items()},
            }
            beside = [path.with_name(f"{path.stem}.{ending}") for ending in ("txt", "TXT")]
            return records.identity(path, {**self._fixed, **own}, beside)
        except OSError:
            return None


@contextlib.contextmanager
def opened(
    out: str | None, fixed: Mapping[str, Any], scales: Mapping[pathlib.Path, float]
) -> Iterator[Resuming]:
    """Yields what is kept of a run; nothing is, where there is no place beside the table.

    Args:
      out: path of the table; None for standard output.
      fixed, scales: see `Resuming`.

    Raises:
      InputError: another process writes the same table.
    """
    journal = None
    if out is not None and is_of_files(pathlib.Path(out)):
        path = pathlib.Path(f"{out}{ENDING}")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            journal = Journal(path, _KIND, _OWNER)
        except Unwritable as error:
            _say(f"{one_line(error)}; the run goes on, but can't be taken up if it is stopped")
    kept = Resuming(journal, fixed, scales)
    try:
        yield kept
    finally:
        kept.close()


def is_of_files(path: pathlib.Path) -> bool:
    """Tells whether a path is, or will be, a regular file, no device or pipe."""
    return path.is_file() or not path.exists()


def _results(path: pathlib.Path, entry: Mapping[str, Any] | None) -> list[Result] | None:
    """Returns the results of a line; None for one of a file with errors, or a damaged line."""
    try:
        found = [from_dict(Result, row, "row") for row in (entry or {})["rows"]]
    except (InputError, KeyError, TypeError):
        return None
    if not found or any(one.status == "error" or one.file != str(path) for one in found):
        return None
    return found


def _digest(made: Any) -> str:
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()


def _say(line: str) -> None:
    print(line, file=sys.stderr)
