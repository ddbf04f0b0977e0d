"""Takes micrographs from browsers: streamed, counted, decoded in a limited process, then named."""

import asyncio
import contextlib
import dataclasses
import pathlib
import secrets
import shutil
from collections.abc import AsyncIterator, Iterable, Iterator

from starlette.exceptions import HTTPException

from srd_jax.review.server import safe_names
from srd_jax.review.server.tiles import Limits
from srd_jax.review.server.worker import decode, running
from srd_jax.support.errors import InputError

_MEGABYTE = 1_000_000
_DRAINED = 500 * _MEGABYTE  # bytes of a refused file that are read, so that the browser hears why
_LEAST_FREE = 500 * _MEGABYTE


@dataclasses.dataclass(frozen=True)
class Room:
    """What uploads may take.

    Attributes:
      megabytes: of one file.
      files: in number, with those of folders.
      total_megabytes: of all files together.
    """

    megabytes: int = 64
    files: int = 500
    total_megabytes: int = 20_000


class Uploads:
    """The folder of uploaded files, and those that are on their way."""

    def __init__(self, root: pathlib.Path, room: Room, limits: Limits, few: asyncio.Semaphore):
        """Takes the folder of the analysis, and a semaphore of processes that decode."""
        self._few = few
        self.folder, self._incoming = root / "uploads", root / "app" / "incoming"
        self.room, self._limits = room, limits
        self._coming = 0  # bytes
        self._number = 0

    def clear(self) -> None:
        """Removes what an earlier app has left unfinished."""
        shutil.rmtree(self._incoming, ignore_errors=True)

    @property
    def number(self) -> int:
        """Number of files on their way."""
        return self._number

    @contextlib.contextmanager
    def temporary(self, suffix: str) -> Iterator[pathlib.Path]:
        """Yields the path of a file that is removed at the end of the block."""
        self._incoming.mkdir(parents=True, exist_ok=True)
        path = self._incoming / f"{secrets.token_hex(16)}{suffix}"
        self._number += 1
        try:
            yield path
        finally:
            self._number -= 1
            path.unlink(missing_ok=True)

    async def receive(
        self, chunks: AsyncIterator[bytes], declared: str | None, path: pathlib.Path
    ) -> None:
        """Writes the bytes of one file.

        Raises:
          HTTPException: they are too many, or none.
        """
        most = self.room.megabytes * _MEGABYTE
        left = self.room.total_megabytes * _MEGABYTE - self._used() - self._coming
        free = shutil.disk_usage(self._incoming).free - _LEAST_FREE - self._coming
        size, refused, digits = 0, "", declared if declared and declared.isdecimal() else "0"
        expected = int(digits) if len(digits) < 16 else 10**16
        with path.open("wb") as file:
            try:
                async for chunk in chunks:
                    size += len(chunk)
                    self._coming += len(chunk)
                    refused = refused or self._why_not(max(size, expected), most, left, free)
                    if refused and max(size, expected) > _DRAINED:
                        break
                    if not refused:
                        file.write(chunk)
            finally:
                self._coming -= size
        if refused:
            raise HTTPException(413, refused)
        if not size:
            raise HTTPException(422, "the file is empty; accepted are micrographs")

    def _why_not(self, size: int, most: int, left: int, free: int) -> str:
        if size > most:
            return f"the file is larger than {self.room.megabytes} MB; accepted are smaller ones, "\
                "or the path of a folder on this machine"  # fmt: skip
        if size > left:
            return f"all uploads are more than {self.room.total_megabytes} MB; accepted is less"
        return "the disk of this machine is full; accepted is less" if size > free else ""

    def _used(self) -> int:
        return sum(one.stat().st_size for one in self.folder.glob("*") if one.is_file())

    async def check(self, path: pathlib.Path, name: str) -> None:
        """Decodes a file in a limited process.

        Raises:
          InputError: it isn't a micrograph.
        """
        limits = self._limits
        given = (path, limits.memory, limits.seconds)
        command = [*running.program(decode.__name__), decode.CHECK, *map(str, given)]
        try:
            async with self._few:
                await running.answer_of(command, limits.seconds)
        except InputError as error:
            raise InputError(f"{name}: {error}") from error

    def put(self, path: pathlib.Path, stem: str, taken: Iterable[str]) -> pathlib.Path:
        """Moves a file to the others; returns its path below the folder of the analysis.

        Args:
          path: of the file.
          stem: of its name, which gets a number if it is taken.
          taken: stems of other micrographs.
        """
        self.folder.mkdir(exist_ok=True)
        stems = {*taken, *(one.stem for one in self.folder.iterdir())}
        name = f"{safe_names.free_stem(stem, stems)}{path.suffix}"
        path.rename(self.folder / name)
        return pathlib.Path(self.folder.name, name)
