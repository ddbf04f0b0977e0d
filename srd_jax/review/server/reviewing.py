"""The review as the server sees it: what it needs of `review.state.review.Review`, and edits."""

import asyncio
import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from srd_jax.review.server.answers import text
from srd_jax.review.state import tables
from srd_jax.review.state.review import Review
from srd_jax.support.errors import InputError


class Reviewing(Protocol):
    """The decisions on all grana of a folder; its methods may be called from any thread."""

    @property
    def revision(self) -> int:
        """Number of the latest decision."""
        ...

    def files(self) -> Sequence[Any]:
        """Returns the analysed micrographs, dataclasses."""
        ...

    def file(self, name: str) -> Any:
        """Returns an analysed micrograph; raises NoSuchFile."""
        ...

    def grana(self, name: str) -> Sequence[Any]:
        """Returns the grana of a micrograph, dataclasses."""
        ...

    def apply(self, name: str, op: Any, revision: int, key: str, who: str) -> Any:
        """Carries out a command; raises InputError, or Stale with the present revision."""
        ...

    def picture(self, name: str, number: int) -> bytes | None:
        """Returns the PNG of a granum as it is now; None where there is none."""
        ...

    def refresh(self) -> None:
        """Takes the results that an analysis has written meanwhile."""
        ...

    def warm(self) -> None:
        """Starts what makes the first edit fast."""
        ...

    def close(self) -> None:
        """Ends its processes and lets go of its files."""
        ...


_EDITORS = 16

# (folder, whether it may not be changed, path of a micrograph by its name) → review
Open = Callable[[pathlib.Path, bool, Callable[[str], pathlib.Path | None]], Reviewing]
# Writes the reviewed tables: (folder, review, group of each micrograph by its name).
WriteTables = Callable[[pathlib.Path, Any, Mapping[str, str]], None]


def plain(view: Any) -> dict[str, Any]:
    """Returns a file, a granum or a change as plain values for JSON."""
    return dataclasses.asdict(view)


def open_review(
    folder: pathlib.Path, read_only: bool, path_of: Callable[[str], pathlib.Path | None]
) -> Reviewing:
    """Opens the review of a folder.

    Raises:
      InputError: another process has it, or its log is damaged.
    """
    return Review(folder, read_only=read_only, path_of=path_of)


def write_tables(folder: pathlib.Path, review: Any, groups: Mapping[str, str]) -> None:
    """Writes the reviewed tables of a folder.

    Raises:
      InputError: one can't be written.
    """
    tables.write(folder, review, groups)


class Editors:
    """Carries out edits: those on one micrograph one after the other, those on others meanwhile."""

    def __init__(self):
        """Starts no thread yet."""
        self._turns: dict[str, asyncio.Lock] = {}
        # Of its own, so that edits that wait to be measured keep nothing else from its work.
        self._threads = ThreadPoolExecutor(_EDITORS, "edit")

    async def run(self, name: str, apply: Callable[..., Any], *values: Any) -> Any:
        """Calls a function in a thread, when it is the turn of the micrograph of this name."""
        async with self._turns.setdefault(name, asyncio.Lock()):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, apply, *values)

    def close(self) -> None:
        """Waits for the edits that are under way."""
        self._threads.shutdown()


@dataclasses.dataclass(frozen=True)
class Edit:
    """A command: what is done to which revision; one key is carried out once."""

    revision: int
    key: str
    op: dict[str, Any]


def checked_edit(given: dict[str, Any]) -> Edit:
    """Returns the command of a request.

    Raises:
      InputError: a field is missing, unknown or of another type.
    """
    if set(given) != {"revision", "key", "op"}:
        raise InputError("the edit: accepted are the fields revision, key and op")
    revision, op = given["revision"], given["op"]
    if type(revision) is not int or not 0 <= revision < 2**53:
        raise InputError("revision: accepted is a whole number from 0 on")
    if not (key := text(given["key"], "key", 100)):
        raise InputError("key: is empty; accepted is a text of its own for each edit")
    if not isinstance(op, dict) or not isinstance(op.get("do"), str):
        raise InputError("op: accepted is an object with the field do and those that it needs")
    return Edit(revision, key, op)
