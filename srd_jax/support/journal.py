"""A file of JSON lines that a killed process leaves readable."""

import json
import os
import pathlib
import time
from collections.abc import Iterator
from typing import Any

from srd_jax.support.errors import InputError
from srd_jax.support.files import unwritable

# Lines and seconds after which they are put on the disk. What has been written outlives the
# process in any case; this is for a machine that stops.
_LINES, _SECONDS = 64, 2.0

_ADVICE = "give a path in a writable folder with room on its disk"


class Unwritable(InputError):
    """A journal has no place on the disk."""


class Journal:
    """Lines that one process at a time appends to a file.

    Attributes:
      path: of the file.
      size: of the file, bytes.
    """

    def __init__(self, path: pathlib.Path, kind: str, owner: str):
        """Opens the file, made where there is none, and drops what is unfinished at its end.

        Args:
          path: of the file.
          kind: what its lines are, which its first line says.
          owner: says in a message who else may be writing.

        Raises:
          Unwritable: it can't be written.
          InputError: it is a file of another kind, or another process has it.
        """
        self.path, self._owner = path, owner
        self._head = json.dumps({"journal": kind}).encode("ascii") + b"\n"
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._file: int = os.open(path, flags, 0o666)
        except OSError as error:
            raise _unwritable(path, error) from error
        try:
            self._lock()
            self._begin(kind)
            self._drop_unfinished()
        except OSError as error:
            self.close()
            raise _unwritable(path, error) from error
        except BaseException:
            self.close()
            raise
        self._unsynced, self._synced = 0, time.monotonic()

    def _lock(self) -> None:
        """Keeps other processes off the file, where the system can.

        Raises:
          InputError: another process has it.
        """
        try:
            import fcntl  # absent on Windows

            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(f"{self.path}: {self._owner}") from error
        except (ImportError, OSError):  # not by every file system
            pass

    def _begin(self, kind: str) -> None:
        """Writes the first line where it isn't there.

        Raises:
          InputError: the file is another one.
        """
        with self.path.open("rb") as file:
            found = file.read(len(self._head))
        if not self._head.startswith(found):
            raise InputError(
                f"{self.path}: is there already and doesn't hold {kind}; accepted is another --out"
            )
        if found != self._head:
            os.ftruncate(self._file, 0)
            os.write(self._file, self._head)
        self.size = os.fstat(self._file).st_size

    @property
    def is_empty(self) -> bool:
        """Whether it holds no lines but the first."""
        return self.size == len(self._head)

    def _drop_unfinished(self) -> None:
        """Cuts the file behind its last line's end."""
        with self.path.open("rb") as file:
            end = 0
            for line in file:
                end += len(line) if line.endswith(b"\n") else 0
        if end < self.size:
            os.ftruncate(self._file, end)
            self.size = end

    def entries(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yields place and content of each line; damaged ones are passed over."""
        place = 0
        with self.path.open("rb") as file:
            for line in file:
                if (entry := _parsed(line)) is not None:
                    yield place, entry
                place += len(line)

    def read(self, place: int) -> dict[str, Any] | None:
        """Returns the line at a place; None where it is damaged."""
        with self.path.open("rb") as file:
            file.seek(place)
            return _parsed(file.readline())

    def append(self, entry: dict[str, Any]) -> None:
        """Appends a line, which stays if the process is killed.

        Raises:
          Unwritable: it can't be written; then the file is as it was.
        """
        text = json.dumps(entry, allow_nan=False, default=_plain, separators=(",", ":"))
        content = memoryview(text.encode("ascii") + b"\n")
        try:
            written = 0
            while written < len(content):
                written += os.write(self._file, content[written:])
            self._unsynced += 1
            late = time.monotonic() - self._synced > _SECONDS
            if self._unsynced >= _LINES or late:
                self.sync()
        except OSError as error:
            os.ftruncate(self._file, self.size)
            raise _unwritable(self.path, error) from error
        self.size += len(content)

    def sync(self) -> None:
        """Puts all lines on the disk."""
        os.fsync(self._file)
        self._unsynced, self._synced = 0, time.monotonic()

    def close(self) -> None:
        """Lets other processes have the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def remove(self) -> None:
        """Removes the file, and closes it."""
        if os.name == "nt":  # where an open file can't be removed
            self.close()
        self.path.unlink(missing_ok=True)
        self.close()


def _unwritable(path: pathlib.Path, error: OSError) -> Unwritable:
    return Unwritable(str(unwritable(path, error, _ADVICE)))


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _plain(value: Any) -> Any:
    """Returns a number of NumPy as Python's."""
    if hasattr(value, "item"):
        return value.item()
    raise TypeError(f"{type(value).__name__} in a journal")
