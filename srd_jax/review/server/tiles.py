"""The tiles of micrographs: made when first asked for, in a limited process, and kept on disk."""

import asyncio
import contextlib
import dataclasses
import hashlib
import pathlib
import re
import shutil
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
_AT_ONCE = 2


@dataclasses.dataclass(frozen=True)
class Limits:
    """What decoding one file may take: bytes of memory, seconds."""

    memory: int = 4_000_000_000
    seconds: int = 120


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

    def __init__(self, folder: pathlib.Path, limits: Limits):
        """Takes the folder of the cache."""
        self._folder, self._limits = folder, limits
        self._known: dict[str, Picture] = {}
        self._failed: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._few = asyncio.Semaphore(_AT_ONCE)

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
        return found

    def tile(self, digest: str, level: str, name: str) -> pathlib.Path:
        """Returns the file of a tile.

        Raises:
          HTTPException: there is none.
        """
        place = _TILE.fullmatch(name)
        if digest in self._known and _HASH.fullmatch(digest) and _LEVEL.fullmatch(level) and place:
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
