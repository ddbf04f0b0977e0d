"""The append-only log of decisions: a file of lines, each on the disk before it counts."""

import os
import pathlib
from collections.abc import Sequence

from srd_jax.review.state.entries import Entry, line, parsed
from srd_jax.support.errors import InputError
from srd_jax.support.files import unwritable

_ADVICE = "accepted is a folder on a disk with room, which can be written"


class Log:
    """A log that one process at a time appends to.

    Attributes:
      entries: all of them, in order.
      notes: what was found wrong with the file, each a phrase.
    """

    def __init__(self, path: pathlib.Path, read_only: bool = False):
        """Reads the log; drops a line that a killed process left unfinished at its end.

        Args:
          path: of the file; it is made where there is none.
          read_only: nothing is written, and another process may append.

        Raises:
          InputError: the file can't be read or written, another process appends to it, or a line
            before the last one is damaged.
        """
        self._path, self._file = path, None
        try:
            if not read_only:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
                self._lock()
                _sync_folder(path.parent)
            content = path.read_bytes() if path.exists() else b""
        except OSError as error:
            self.close()
            raise unwritable(path, error, _ADVICE) from error
        try:
            self.entries, self._size = _read(path, content)
            torn = len(content) - self._size
            self.notes = (f"an unfinished line of {torn} bytes was dropped",) if torn else ()
            if torn and self._file is not None:
                os.ftruncate(self._file, self._size)
        except BaseException:
            self.close()
            raise

    def _lock(self) -> None:
        """Keeps other processes off the log, where the system can.

        Raises:
          InputError: another process has it.
        """
        assert self._file is not None
        try:
            import fcntl  # absent on Windows

            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise InputError(
                f"{self._path.parent.parent}: another srd app has this folder open; accepted is "
                "another folder, or this one when that has ended"
            ) from error
        except (ImportError, OSError):  # not by every file system
            pass

    def append(self, entry: Entry) -> None:
        """Appends an entry, which is on the disk when this returns.

        Raises:
          InputError: it can't be written; then the log is as it was.
        """
        if self._file is None:
            raise InputError("the review is open for reading alone; accepted are no edits")
        content = memoryview(line(entry))
        try:
            written = 0
            while written < len(content):
                written += os.write(self._file, content[written:])
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, self._size)
            raise unwritable(self._path.name, error, _ADVICE) from error
        self._size += len(content)
        self.entries.append(entry)

    def reload(self) -> Sequence[Entry]:
        """Returns what another process has appended since; [] for a log that is written here."""
        if self._file is not None or not self._path.exists():
            return []
        content = self._path.read_bytes() if self._path.stat().st_size != self._size else b""
        if not content:
            return []
        known = len(self.entries)
        self.entries, self._size = _read(self._path, content)
        return self.entries[known:]

    def close(self) -> None:
        """Lets other processes have the log."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _read(path: pathlib.Path, content: bytes) -> tuple[list[Entry], int]:
    """Returns the entries of a log, and the bytes that they take.

    Raises:
      InputError: a line before the last one is damaged, or revisions don't rise.
    """
    entries, size = [], 0
    lines = content.split(b"\n")
    # After the last line's end there is nothing, or a torn line.
    for number, text in enumerate(lines[:-1], 1):
        try:
            entry = parsed(text)
            if entries and entry.revision <= entries[-1].revision:
                raise InputError(f"has revision {entry.revision} after {entries[-1].revision}")
        except InputError as error:
            if number == len(lines) - 1 and not lines[-1]:
                break
            raise InputError(
                f"{path}: line {number} {error}; accepted is the log as it was written, or to move "
                "it away, with its decisions"
            ) from error
        entries.append(entry)
        size += len(text) + 1
    return entries, size


def _sync_folder(folder: pathlib.Path) -> None:
    """Puts the name of a new file on the disk, too."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
