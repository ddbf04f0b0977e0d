"""The app without HTTP: its folder, micrographs, review, tiles, uploads and analyses."""

import asyncio
import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException

from srd_jax.analysis.output import records
from srd_jax.analysis.output.folder import Folder
from srd_jax.review.server import reviewing, settings
from srd_jax.review.server.answers import shown
from srd_jax.review.server.events import Events
from srd_jax.review.server.jobs import Jobs
from srd_jax.review.server.settings import Entry, Settings
from srd_jax.review.server.tiles import Limits, Tiles, pictures_of
from srd_jax.review.server.uploads import Room, Uploads
from srd_jax.review.server.worker import running
from srd_jax.support.errors import InputError

_TABLES_SECONDS = 600.0
_AT_ONCE = 2
_FOLLOWING = 2.0  # s
_OTHER_SCALE = (
    "its scale was changed after the analysis: all values are by the earlier scale until it is "
    "analysed again"
)
_WITH_DECISIONS = ", and its decisions belong to that"
# By name, as it draws by JAX, which the app itself does without.
_DEMO = "srd_jax.review.server.worker.demo"


@dataclasses.dataclass(frozen=True)
class Config:
    """What an app is made of.

    Attributes:
      root: folder of the analysis.
      analysis: program that analyses its micrographs; with --tables it writes the tables only.
      allowed: files and folders of this machine that may be added.
      room: for uploads.
      limits: of decoding a file.
      demo: program that draws a micrograph: path, seed.
      open: opens the review.
      write_tables: writes the reviewed tables.
    """

    root: pathlib.Path
    analysis: Sequence[str]
    allowed: tuple[pathlib.Path, ...] = ()
    room: Room = dataclasses.field(default_factory=Room)
    limits: Limits = dataclasses.field(default_factory=Limits)
    demo: Sequence[str] = dataclasses.field(default_factory=lambda: running.program(_DEMO))
    open: reviewing.Open = reviewing.open_review
    write_tables: reviewing.WriteTables = reviewing.write_tables


class Service:
    """The state of the app; all but the review lives in the thread of the server."""

    def __init__(self, config: Config):
        """Opens the folder; where another app has it, for reading only.

        Raises:
          InputError: the folder can't be opened.
        """
        self.config, self.root = config, config.root
        self._settings = settings.read(config.root)
        self.review, self.read_only = self._opened()
        self.events = Events()
        # Of processes that decode or draw, each of which may take much memory.
        self.few = asyncio.Semaphore(_AT_ONCE)
        self.tiles = Tiles(self.root / "app" / "tiles", config.limits, self.few)
        self.uploads = Uploads(self.root, config.room, config.limits, self.few)
        self._editors = reviewing.Editors()
        self._made: dict[str, tuple[tuple[int, int], Mapping[str, Any]]] = {}
        command = [*config.analysis, str(self.root)]
        log = self.root / "app" / "analysis.txt"
        self.jobs = Jobs(command, log, self.events.tell, self.refreshed)
        if not self.read_only:
            self.uploads.clear()
            self.tiles.clear()
            self._keep(self._settings)

    def _opened(self) -> tuple[reviewing.Reviewing, bool]:
        try:
            return self.config.open(self.root, False, self.path_of), False
        except InputError:
            return self.config.open(self.root, True, self.path_of), True

    @property
    def settings(self) -> Settings:
        """The micrographs; as the other app has them, if this one only reads."""
        return settings.read(self.root) if self.read_only else self._settings

    def path_of(self, name: str) -> pathlib.Path | None:
        """Returns the path of a micrograph; None for an unknown name."""
        entry = self._settings.by_name.get(name)
        return None if entry is None else entry.file(self.root)

    def _keep(self, changed: Settings) -> None:
        settings.write(self.root, changed)
        self._settings = changed
        self.events.tell()

    async def refreshed(self) -> None:
        """Takes new results of an analysis."""
        await asyncio.to_thread(self.review.refresh)
        self.events.tell()

    async def follow(self) -> None:
        """Shows what the app that writes to this folder does, as long as this one only reads."""
        known = None
        while True:
            with contextlib.suppress(InputError, OSError):  # in the midst of a change
                await asyncio.to_thread(self.review.refresh)
                files = [(one.name, one.revision, one.record) for one in self.review.files()]
                seen = (self.review.revision, files, self.settings)
                if seen != known:
                    self.events.tell()
                known = seen
            await asyncio.sleep(_FOLLOWING)

    async def edit(self, name: str, given: reviewing.Edit, who: str) -> Any:
        """Carries out a command.

        Raises:
          Stale: the micrograph was changed after the revision of the command.
          InputError: it can't be done.
        """
        values = (name, given.op, given.revision, given.key, who)
        return await self._editors.run(name, self.review.apply, *values)

    # Micrographs

    def add(self, paths: Sequence[pathlib.Path]) -> list[str]:
        """Adds micrographs; returns the names of the new ones.

        Raises:
          InputError: there are too many, or their names clash with analysed ones.
        """
        before = {one.file(self.root) for one in self._settings.files}
        self._check_number(len(before | set(paths)))
        kept = {one.name for one in self.review.files()}
        self._keep(settings.add(self._settings, self.root, paths, kept))
        return [o.name for o in self._settings.files if o.file(self.root) not in before]

    def _check_number(self, number: int) -> None:
        if number + self.uploads.number > self.config.room.files:
            raise InputError(f"the app has {len(self._settings.files)} files; accepted are at most "
                             f"{self.config.room.files}")  # fmt: skip

    def add_upload(self, path: pathlib.Path, stem: str, px_per_nm: float | None = None) -> str:
        """Moves a decoded file to the others and returns its name.

        Raises:
          InputError: there are too many.
        """
        self._check_number(len(self._settings.files))
        taken = (
            *self._settings.by_name,
            *(pathlib.Path(o.path).stem for o in self._settings.files),
        )
        place = self.uploads.put(path, stem, taken)
        entry = Entry(place.stem, place.as_posix(), px_per_nm)
        self._keep(Settings((*self._settings.files, entry)))
        return entry.name

    def change(self, changed: Mapping[str, Entry]) -> None:
        """Takes scales and groups of micrographs by name."""
        self._keep(self._settings.with_changed(changed))

    def remove(self, name: str) -> None:
        """Removes a micrograph that has no results; an uploaded file is deleted.

        Raises:
          HTTPException: there is none, or it has results.
        """
        entry = self._settings.by_name.get(name)
        if entry is None:
            raise HTTPException(404, "there is no such micrograph")
        if name in {one.name for one in self.review.files() if not one.error} or self.jobs.busy:
            raise HTTPException(409, "the micrograph has results, or an analysis is running")
        if not os.path.isabs(entry.path):  # noqa: PTH117
            entry.file(self.root).unlink(missing_ok=True)
        Folder(self.root).clear(name)
        self._keep(Settings(tuple(o for o in self._settings.files if o.name != name)))

    # What pages show

    def state(self) -> dict[str, Any]:
        """Returns what all pages show."""
        found, files = self.settings, []
        views = {one.name: one for one in self.review.files()}
        digests: list[str | None] = []
        for name, view in views.items():
            files.append(self.file(view, found.by_name.get(name)))
            digests += [files[-1]["tiles"], files[-1]["whole"]]
        pending = []
        for entry in found.files:
            if entry.name not in views:
                whole = self.tiles.digest(pictures_of(entry, self.root)[1])
                given = {"px_per_nm": entry.px_per_nm, "bar_nm": entry.bar_nm, "group": entry.group}
                about = {"name": entry.name, "file": self._shown(entry), **given, "whole": whole}
                pending.append(about)
                digests.append(whole)
        self.tiles.keep_only(filter(None, digests))
        latest, room = self.jobs.latest, self.config.room
        return {
            "revision": self.review.revision,
            "files": files,
            "pending": pending,
            "job": None if latest is None else latest.told(),
            "queue": self.jobs.waiting,
            "read_only": self.read_only,
            "limits": {"megabytes": room.megabytes, "files": room.files},
        }

    def file(self, view: Any, entry: Entry | None) -> dict[str, Any]:
        """Returns what pages show of an analysed micrograph."""
        found = reviewing.plain(view)
        found["error"] = shown(view.error, self._folders()) or None
        found["notes"] = [shown(note, self._folders()) for note in view.notes]
        made = self._how_made(view.name)
        before = made.get("px_per_nm"), made.get("bar_nm")
        if entry is None:
            entry = Entry(view.name, view.file, *before)
        changed = bool(made) and entry.scale != before
        if changed:
            found["notes"].append(_OTHER_SCALE + (_WITH_DECISIONS if view.decided else ""))
        sha256 = made.get("file")
        inner, whole = pictures_of(entry, self.root, sha256 if isinstance(sha256, str) else "")
        return {
            **found,
            "file": self._shown(entry),
            "group": entry.group,
            "given": {"px_per_nm": entry.px_per_nm, "bar_nm": entry.bar_nm},
            # Its results don't belong to the scale that is set.
            "changed": changed,
            "tiles": self.tiles.digest(inner),
            "whole": self.tiles.digest(whole),
        }

    def _how_made(self, name: str) -> Mapping[str, Any]:
        """Returns the identity of an analysis, which is read again when it has changed."""
        path = Folder(self.root).record(name)
        try:
            there = path.stat()
        except OSError:
            return {}
        stamp = (there.st_mtime_ns, there.st_size)
        if self._made.get(name, (None,))[0] != stamp:
            record = records.read(path)
            self._made[name] = (stamp, {} if record is None else record.made)
        return self._made[name][1]

    def _folders(self) -> Iterable[pathlib.Path]:
        return (self.root, *self.config.allowed)

    def _shown(self, entry: Entry) -> str:
        """Returns the path of a micrograph below what was allowed, else its name alone."""
        path = entry.file(self.root)
        for folder in (self.root / "uploads", *self.config.allowed):
            if path != folder and path.is_relative_to(folder):
                return path.relative_to(folder).as_posix()
        return path.name

    async def write_tables(self) -> None:
        """Writes all tables anew, with the groups and decisions as they are now.

        Raises:
          HTTPException: an analysis runs, or there are no results.
          InputError: a table can't be written.
        """
        if self.jobs.busy:
            raise HTTPException(409, "an analysis is running; accepted is to download when it has "
                                "ended, or to stop it")  # fmt: skip
        if not self.review.files():
            raise HTTPException(409, "there are no results yet; accepted is to run the analysis")
        if self.read_only:  # those of the other app
            return
        command = [*self.config.analysis, str(self.root), "--tables"]
        await running.answer_of(command, _TABLES_SECONDS, "written", single=False)
        groups = {one.name: one.group for one in self.settings.files}
        await asyncio.to_thread(self.config.write_tables, self.root, self.review, groups)

    async def close(self) -> None:
        """Ends all that runs."""
        self.events.close()
        await self.jobs.close()
        await asyncio.to_thread(self.review.close)
        self._editors.close()
