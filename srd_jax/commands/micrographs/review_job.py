"""The program by which the review app analyses its micrographs: JSON lines of progress on stdout.

It ends in order when its standard input is closed; results so far stay. With --tables it only
writes the tables anew.
"""

import _thread
import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from srd_jax.analysis.output import folder as folders
from srd_jax.analysis.output import records
from srd_jax.analysis.output.folder import Folder
from srd_jax.analysis.output.quantities import with_excluded
from srd_jax.analysis.output.records import Record
from srd_jax.analysis.output.run import Plan, analyse_files
from srd_jax.analysis.output.table import Named
from srd_jax.commands.micrographs import planning
from srd_jax.commands.parsers.micrographs import add_detector
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.micrographs.reading import read
from srd_jax.imaging.micrographs.scales import ScaleOptions
from srd_jax.review.server import settings
from srd_jax.review.server.settings import Entry
from srd_jax.support.errors import InputError, one_line, unexpected

# What an analysis depends on that the app decides; the rest of an earlier one stays as it was.
_OWN = ("file", "files beside", "px_per_nm", "bar_nm")

Tell = Callable[..., None]


def main(given: Sequence[str]) -> int:
    """Analyses the micrographs of a folder that need it, or writes the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--tables", action="store_true")
    add_detector(parser)
    options = parser.parse_args(given)
    with _telling() as tell:
        try:
            with folders.opened(str(options.folder)) as folder:
                if options.tables:
                    _write_tables(folder)
                else:
                    _until_closed(sys.stdin)
                    _run(folder, options, tell)
        except KeyboardInterrupt:
            tell(step="stopped")
        except InputError as error:
            tell(error=one_line(error))
        except Exception as error:
            tell(error=f"the analysis could not be finished: {unexpected(error)}")
            raise
    return 0


@contextlib.contextmanager
def _telling() -> Iterator[Tell]:
    """Yields a function that prints a JSON line; what libraries print goes to stderr meanwhile."""
    said = False
    with contextlib.redirect_stdout(sys.stderr):

        def tell(**what: Any) -> None:
            nonlocal said
            said = True
            print(json.dumps(what), file=sys.__stdout__, flush=True)

        yield tell
        if not said:
            tell()


def _until_closed(stream: TextIO) -> None:
    """Interrupts the program when a stream ends, as when the app ends or stops it."""

    def watch() -> None:
        while os.read(stream.fileno(), 1024):
            pass
        _thread.interrupt_main()

    # Where the app was started in the background, interrupts may be ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=watch, daemon=True).start()


def _run(folder: Folder, options: argparse.Namespace, tell: Tell) -> None:
    """Analyses all files that have no result, or one of another file or scale; then the tables."""
    tell(step="loading")
    with contextlib.suppress(OSError, AttributeError):  # Windows
        os.nice(5)
    known = settings.read(folder.root).files
    # Without their files, results stay as they are.
    entries = {one.file(folder.root): one for one in known if one.file(folder.root).is_file()}
    usual = {"px_per_nm": None, "nm_per_px": None, "bar_nm": None, "scales": None}
    given = {**usual, "masks": None, "threshold": None, **vars(options)}
    plan, _ = planning.make(argparse.Namespace(**given), list(entries), {})
    old = {path: records.read(folder.record(one.name)) for path, one in entries.items()}
    made = {path: _identity(plan, path, one, old[path]) for path, one in entries.items()}
    todo = [path for path in entries if _needs(old[path], made[path])]
    own = _Telling(plan, entries, todo, tell)
    excluded = {path: one.excluded or () for path, one in old.items() if one is not None}
    plan = Plan(own.read, own.analyse, lambda path: _or_raise(made[path]), excluded)
    names = {path: one.name for path, one in entries.items()}
    try:
        for path, _ in zip(entries, analyse_files(list(entries), folder, plan, names), strict=True):
            own.finished(path)
    finally:
        # Also of a stopped run, for what it has done.
        tell(step="writing tables")
        _write_tables(folder)


def _identity(
    plan: Plan, path: pathlib.Path, entry: Entry, old: Record | None
) -> dict[str, Any] | OSError:
    """Returns the identity of an analysis: that of an earlier one unless file or scale differ.

    Decisions belong to an analysis, so another version or detector throws none away.
    """
    try:
        made = {**plan.made(path), "px_per_nm": entry.px_per_nm, "bar_nm": entry.bar_nm}
    except OSError as error:
        return error if old is None else dict(old.made)
    if old is None or old.analysis.error or any(old.made.get(n) != made[n] for n in _OWN):
        return made
    return dict(old.made)


def _needs(old: Record | None, made: dict[str, Any] | OSError) -> bool:
    return old is None or bool(old.analysis.error) or dict(old.made) != made


def _or_raise(made: dict[str, Any] | OSError) -> dict[str, Any]:
    if isinstance(made, OSError):
        raise made
    return made


@dataclasses.dataclass
class _Telling:
    """Tells the steps of the plan.

    Attributes:
      plan: how files are analysed.
      entries: settings by file.
      todo: files that need it.
      tell: prints progress.
      done: number of them that are done.
    """

    plan: Plan
    entries: Mapping[pathlib.Path, Entry]
    todo: Sequence[pathlib.Path]
    tell: Tell
    done: int = 0

    def _step(self, step: str, path: pathlib.Path) -> None:
        total = max(len(self.todo), self.done)
        self.tell(step=step, file=self.entries[path].name, done=self.done, total=total)

    def read(self, path: pathlib.Path) -> Micrograph:
        """Reads a micrograph with the scale that the app has for it."""
        self._step("reading", path)
        entry = self.entries[path]
        table = {} if entry.px_per_nm is None else {path: entry.px_per_nm}
        return read(path, options=ScaleOptions(table, None, entry.bar_nm, "given"))

    def analyse(self, micrograph: Micrograph) -> Any:
        """Finds and measures the grana of a micrograph."""
        path = pathlib.Path(micrograph.name)
        self._step("finding and measuring grana", path)
        result = self.plan.analyse(micrograph)
        self._step("drawing", path)
        return result

    def finished(self, path: pathlib.Path) -> None:
        """Counts a file that was analysed."""
        if path in self.todo:
            self.done += 1
            self._step("done", path)


def _write_tables(folder: Folder) -> None:
    """Writes all tables and the report from the records."""
    # Late, as drawing takes its time to load.
    from srd_jax.analysis.report import results

    found, origins = [], {}
    for entry in settings.read(folder.root).files:
        record = records.read(folder.record(entry.name))
        if record is not None:
            bare = [dataclasses.replace(one, outline=()) for one in record.analysis.grana]
            analysis = dataclasses.replace(
                record.analysis, file=str(entry.file(folder.root)), grana=tuple(bare)
            )
            excluded = with_excluded(analysis, record.excluded or ())
            found.append(Named(excluded, entry.name, entry.group))
            for name, value in record.made.items():
                if name not in (*_OWN, "mask"):
                    origins.setdefault(name, {})[str(value)] = None
    origin = {name: ", ".join(values) for name, values in origins.items()}
    results.write(folder, found, origin)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
