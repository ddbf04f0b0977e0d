"""A folder under review: all its micrographs, what is decided on them, and edits of these."""

import dataclasses
import datetime
import hashlib
import json
import pathlib
import threading
from collections.abc import Callable, Iterable
from typing import Any

from srd_jax.analysis.granum import Granum
from srd_jax.analysis.output import records
from srd_jax.analysis.output.folder import Folder
from srd_jax.review.state import changes, edits, files, operations, views
from srd_jax.review.state.changes import Change
from srd_jax.review.state.entries import Entry
from srd_jax.review.state.files import File
from srd_jax.review.state.log import Log
from srd_jax.review.state.operations import ANALYSED
from srd_jax.review.state.views import FileView, GranumView
from srd_jax.review.state.worker import Measure, Source, Worker
from srd_jax.support.errors import InputError
from srd_jax.support.files import whole_file

_LONGEST = 200  # characters of a key and of a name


class Stale(Exception):
    """The micrograph was changed by another edit meanwhile; `revision` is the present one."""

    def __init__(self, revision: int):
        """Takes the present revision."""
        super().__init__(f"was changed meanwhile; accepted is an edit of revision {revision}")
        self.revision = revision


class NoSuchFile(InputError):
    """No micrograph has this name."""


class Review:
    """The state of a review, which may be used by several threads.

    Attributes:
      folder: of the analysis.
      revision: number of the last entry of the log; 0 for none.
      notes: what was found wrong with the log and the records, each a phrase.
    """

    def __init__(
        self,
        workdir: str | pathlib.Path,
        measure: Measure | None = None,
        read_only: bool = False,
        path_of: Callable[[str], pathlib.Path | None] | None = None,
    ):
        """Opens a folder of `srd analyse`.

        Args:
          workdir: the folder.
          measure: measures grana anew; None for a process of its own.
          read_only: edits are refused, and another process may make some.
          path_of: returns the path of a micrograph by its name, None where it may not be read; None
            for the paths of the records.

        Raises:
          InputError: another process edits there, or the log is damaged.
        """
        self.folder = Folder(pathlib.Path(workdir))
        self.read_only = read_only
        self._log = Log(self.folder.root / "app" / "log.jsonl", read_only)
        self._worker = None if measure else Worker()
        self._measure: Measure = measure or self._worker  # pyright: ignore[reportAttributeAccessIssue]
        self._path_of = path_of
        self._writing = threading.Lock()
        self._files: dict[str, File] = {}
        self._read: dict[str, tuple[int, int]] = {}
        self._unread: tuple[str, ...] = ()
        self._keys = {entry.key: entry for entry in self._log.entries}
        try:
            self.refresh()
        except BaseException:
            self._log.close()
            raise

    @property
    def revision(self) -> int:
        """Number of the last entry of the log; 0 for none."""
        return self._log.entries[-1].revision if self._log.entries else 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What was found wrong with the log and the records, each a phrase."""
        return (*self._log.notes, *self._unread)

    def warm(self) -> None:
        """Starts the process that measures, so that the first edit needn't wait for it."""
        if self._worker is not None and not self.read_only:
            self._worker.warm()

    def close(self) -> None:
        """Ends the process that measures, and lets other processes edit."""
        if self._worker is not None:
            self._worker.close()
        with self._writing:
            self._log.close()

    def refresh(self) -> None:
        """Reads records that are new or changed; that of a micrograph under review is logged.

        Raises:
          InputError: the log can't be written, or doesn't fit a record.
        """
        with self._writing:
            fresh = {entry.file for entry in self._log.reload()}
            self._keys |= {entry.key: entry for entry in self._log.entries} if fresh else {}
            paths = {one.stem: one for one in self.folder.record("x").parent.glob("*.json")}
            for name in self._files.keys() - paths.keys():
                del self._files[name], self._read[name]
            unread = []
            for name, path in sorted(paths.items()):
                try:
                    there = path.stat()
                except OSError:
                    continue
                stamp = (there.st_mtime_ns, there.st_size)
                if self._read.get(name) == stamp and name in self._files and name not in fresh:
                    continue
                record = records.read(path)
                if record is None:
                    unread.append(f"{name}: its record can't be read by this version")
                    self._files.pop(name, None)
                    continue
                self._load(name, record)
                self._read[name] = stamp
            self._unread = tuple(unread)

    def _load(self, name: str, record: records.Record) -> None:
        own = [entry for entry in self._log.entries if entry.file == name]
        file, known = files.of(name, record, own), self._files.get(name)
        before = known.digest if known else own[-1].record if own else file.digest
        if before != file.digest and not self.read_only:
            # Later edits of a page that shows the earlier analysis are stale.
            key = f"{ANALYSED} {name} {self.revision + 1}"
            entry = self._entry(file, edits.Edit({"do": ANALYSED}), key, "")
            self._log.append(entry)
            file = file.add(entry)
        self._files[name] = file

    def files(self) -> list[FileView]:
        """Returns the micrographs by name."""
        return [views.of_file(file) for _, file in sorted(dict(self._files).items())]

    def file(self, name: str) -> FileView:
        """Returns a micrograph.

        Raises:
          NoSuchFile: there is no such micrograph.
        """
        return views.of_file(self._file(name))

    def reviewed(self) -> list[File]:
        """Returns the micrographs by name, with all that was decided on them."""
        return [file for _, file in sorted(dict(self._files).items())]

    def entries(self) -> list[Entry]:
        """Returns all entries of the log."""
        return list(self._log.entries)

    def grana(self, name: str) -> list[GranumView]:
        """Returns the grana of a micrograph by number.

        Raises:
          NoSuchFile: there is no such micrograph.
        """
        file = self._file(name)
        return [views.of_granum(file, item.granum.number) for item in file.items]

    def _file(self, name: str) -> File:
        if name not in self._files:
            raise NoSuchFile(f"{name!r:.80}: no micrograph of this folder has this name")
        return self._files[name]

    def apply(self, name: str, op: Any, revision: int, key: str, who: str) -> Change:
        """Does an operation; when this returns, it is on the disk.

        Args:
          name: of the micrograph.
          op: see `operations`.
          revision: that its sender has seen; nothing has changed this micrograph since.
          key: that its sender chose for this operation, and sends again with it after a failure.
          who: does it.

        Raises:
          Stale: the micrograph was changed after the revision.
          NoSuchFile: there is no such micrograph.
          InputError: the operation can't be done.
        """
        op, file = operations.checked(op), self._file(name)
        for what, text in (("key", key), ("who", who)):
            if not isinstance(text, str) or len(text) > _LONGEST or (what == "key" and not text):
                raise InputError(f"{what} is {text!r:.40}; accepted is text of 1 to {_LONGEST}")
        if (earlier := self._earlier(name, op, key)) is not None:
            return self._change(earlier)
        self._check_fresh(file, revision)
        edit = edits.make(file, op, lambda tasks: self._measure(self._source(file), tasks))
        for granum, picture in edit.pictures:
            self._keep(granum, picture)
        with self._writing:
            # The same request may have come twice, and others may have been faster.
            if (earlier := self._earlier(name, op, key)) is not None:
                return self._change(earlier)
            if self._files.get(name) is not file:
                raise Stale(self.revision)
            entry = self._entry(file, edit, key, who)
            changed = file.add(entry)
            self._log.append(entry)
            self._files[name], self._keys[key] = changed, entry
        return self._change(entry)

    def _check_fresh(self, file: File, revision: int) -> None:
        if not isinstance(revision, int) or not file.last <= revision <= self.revision:
            raise Stale(self.revision)

    def _entry(self, file: File, edit: edits.Edit, key: str, who: str) -> Entry:
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        where = (file.name, file.digest, edit.op, edit.before, edit.after)
        return Entry(self.revision + 1, key, now, who, *where)

    def _earlier(self, name: str, op: dict[str, Any], key: str) -> Entry | None:
        """Returns the entry that was made of the same request; None if there is none."""
        entry = self._keys.get(key)
        if entry is None:
            return None
        if entry.file != name or {**entry.op, "entry": 0} != {**op, "entry": 0}:
            raise InputError(f"key {key!r:.40} is that of another edit; accepted is a new one")
        return entry

    def _change(self, entry: Entry) -> Change:
        return changes.of_entry(self._file(entry.file), entry, self._log.entries)

    def _source(self, file: File) -> Source:
        """Returns the micrograph of a file, where it still is.

        Raises:
          InputError: it isn't there.
        """
        analysis = file.record.analysis
        stated = pathlib.Path(analysis.file)
        given = stated if self._path_of is None else self._path_of(file.name)
        uploaded = self.folder.root / "uploads" / stated.name
        for path in _there([given, uploaded]):
            sha256 = str(file.record.made.get("file", ""))
            scale = (analysis.px_per_nm, analysis.px_per_nm_source)
            return Source(path, stated.name, sha256, *scale)
        raise InputError(
            f"{file.name}: the micrograph isn't where it was, so nothing is measured; accepted are "
            "accept, reject and delete"
        )

    def _keep(self, granum: Granum, picture: bytes) -> None:
        if picture:
            with whole_file(self._drawn(granum)) as temporary:
                temporary.write_bytes(picture)

    def _drawn(self, granum: Granum) -> pathlib.Path:
        """Returns where the picture of a granum that was measured anew lies, by its numbers."""
        content = json.dumps(dataclasses.asdict(granum), sort_keys=True)
        name = hashlib.sha256(content.encode()).hexdigest()[:32]
        return self.folder.root / "app" / "pictures" / f"{name}.png"

    def picture(self, name: str, number: int) -> bytes | None:
        """Returns the PNG of a granum as it is now; None where there is none.

        Raises:
          NoSuchFile: there is no such micrograph.
          InputError: there is no such granum.
        """
        file = self._file(name)
        granum = file.item(number).granum
        machine = granum == file.machine.get(number)
        path = self.folder.granum(name, number) if machine else self._drawn(granum)
        try:
            return path.read_bytes()
        except OSError:
            return None


def _there(paths: Iterable[pathlib.Path | None]) -> list[pathlib.Path]:
    return [path for path in paths if path is not None and path.is_file()]
