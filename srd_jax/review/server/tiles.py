"""The tiles of micrographs: made in a limited process when asked for, kept while there is room."""

import asyncio
import contextlib
import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import time
from collections.abc import Iterable

from starlette.exceptions import HTTPException

from srd_jax.analysis.output import records
from srd_jax.review.server.settings import Entry
from srd_jax.review.server.worker import decode, pyramid, running
from srd_jax.support.errors import InputError

_VERSION = "1"  # of the tiles' content
_HASH = re.compile(r"[0-9a-f]{32}")
_TILE = re.compile(r"(\d{1,4})_(\d{1,4})\.jpg", re.ASCII)
_LEVEL = re.compile(r"\d{1,2}", re.ASCII)
# Seconds for which the tiles of a picture stay after they were asked for.
_RESTING = 60.0


@dataclasses.dataclass(frozen=True)
class Limits:
    """What decoding one file may take: bytes of memory, seconds; and bytes of all tiles on disk."""

    memory: int = 4_000_000_000
    seconds: int = 120
    tiles: int = 2_000_000_000


@dataclasses.dataclass(frozen=True)
class Picture:
    """A micrograph to be cut into tiles.

    Attributes:
      path: of the file.
      kind: inner, as it is analysed, or whole, with information strips.
      sha256: that the file must have; "" for any.
    """

    path: pathlib.Path
    kind: str
    sha256: str = ""


class Tiles:
    """The tiles of a folder's micrographs, by a digest that changes with the file."""

    def __init__(self, folder: pathlib.Path, limits: Limits, few: asyncio.Semaphore):
        """Takes the folder of the cache, and a semaphore of processes that decode."""
        self._folder, self._limits, self._few = folder, limits, few
        self._sizes: dict[str, int] = {}  # bytes
        self._known: dict[str, Picture] = {}
        self._failed: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def clear(self) -> None:
        """Removes what an earlier app has left unfinished."""
        for left in self._folder.glob(".*"):
            shutil.rmtree(left, ignore_errors=True)

    def digest(self, picture: Picture) -> str | None:
        """Returns the digest by which the tiles of a picture are asked for; None without a file."""
        try:
            there = picture.path.stat()
        except OSError:
            return None
        parts = (
            picture.path,
            there.st_size,
            there.st_mtime_ns,
            picture.kind,
            picture.sha256,
            _VERSION,
        )
        digest = hashlib.sha256("\0".join(map(ascii, map(str, parts))).encode()).hexdigest()[:32]
        self._known[digest] = picture
        return digest

    def keep_only(self, digests: Iterable[str]) -> None:
        """Forgets all others."""
        known = set(digests)
        for name in (self._known, self._failed, self._locks):
            for digest in set(name) - known:
                name.pop(digest, None)

    async def info(self, digest: str) -> pathlib.Path:
        """Returns the file of the sizes, after all tiles are made.

        Raises:
          HTTPException: there is no such micrograph, or it can't be shown.
        """
        if not _HASH.fullmatch(digest) or digest not in self._known:
            raise HTTPException(404, "there is no such picture")
        found = self._folder / digest / pyramid.INFO
        async with self._locks.setdefault(digest, asyncio.Lock()):
            if not found.is_file():
                if digest in self._failed:
                    raise HTTPException(422, self._failed[digest])
                await self._make(digest)
        self._use(digest)
        return found

    async def tile(self, digest: str, level: str, name: str) -> pathlib.Path:
        """Returns the file of a tile; those of a picture that were removed meanwhile are made anew.

        Raises:
          HTTPException: there is none.
        """
        place = _TILE.fullmatch(name)
        if digest in self._known and _HASH.fullmatch(digest) and _LEVEL.fullmatch(level) and place:
            if not (self._folder / digest).is_dir():
                await self.info(digest)
            self._use(digest)
            column, row = map(int, place.groups())
            found = self._folder / digest / str(int(level)) / f"{column}_{row}.jpg"
            if found.is_file():
                return found
        raise HTTPException(404, "there is no such tile")

    async def _make(self, digest: str) -> None:
        picture = self._known[digest]
        try:
            async with self._few:
                await self._cut(picture, self._folder / digest)
        except (InputError, OSError) as error:
            why = str(error) if isinstance(error, InputError) else f"({error.strerror})"
            self._failed[digest] = f"{picture.path.name}: cannot be shown: {why}"
            raise HTTPException(422, self._failed[digest]) from error

        await asyncio.to_thread(self._prune)

    def _use(self, digest: str) -> None:
        with contextlib.suppress(OSError):
            os.utime(self._folder / digest / pyramid.INFO)

    def _prune(self) -> None:
        """Removes the tiles that were used longest ago, until there is room for the others."""
        found = []
        for one in self._folder.iterdir():
            with contextlib.suppress(OSError):  # another app may have removed it
                found.append(((one / pyramid.INFO).stat().st_mtime, one))
        left = sum(self._size(one) for _, one in found)
        for used, one in sorted(found):
            if left <= self._limits.tiles or time.time() - used < _RESTING:
                return
            left -= self._sizes.pop(one.name)
            # Whole or not at all, for those who ask for it now.
            gone = one.with_name(f".{one.name}.gone")
            with contextlib.suppress(OSError):
                one.rename(gone)
                shutil.rmtree(gone)

    def _size(self, folder: pathlib.Path) -> int:
        if folder.name not in self._sizes:
            files = (one for one in folder.rglob("*") if one.is_file())
            self._sizes[folder.name] = sum(one.stat().st_size for one in files)
        return self._sizes[folder.name]

    async def _cut(self, picture: Picture, target: pathlib.Path) -> None:
        if picture.sha256:
            found = await asyncio.to_thread(records.sha256, picture.path)
            if found != picture.sha256:
                raise InputError("the file has changed since it was analysed; accepted is to "
                                 "analyse it again")  # fmt: skip
        # What a killed app may have left.
        await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
        limits = self._limits
        given = (picture.path, limits.memory, limits.seconds, target, picture.kind)
        command = [*running.program(decode.__name__), decode.TILES, *map(str, given)]
        try:
            await running.answer_of(command, 2 * limits.seconds)
        finally:
            for left in target.parent.glob(f".{target.name}.*"):
                with contextlib.suppress(OSError):
                    shutil.rmtree(left)


def pictures_of(entry: Entry, root: pathlib.Path, sha256: str = "") -> tuple[Picture, Picture]:
    """Returns the inner and the whole picture of a micrograph."""
    path = entry.file(root)
    return Picture(path, decode.INNER, sha256), Picture(path, decode.WHOLE)
