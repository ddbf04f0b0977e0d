"""The folder of an analysis: its files, and whose it is."""

import contextlib
import dataclasses
import json
import pathlib
import re
from collections.abc import Iterator

from srd_jax.analysis.granum import Analysis
from srd_jax.imaging.folders import ANALYSIS_MARK
from srd_jax.support.errors import InputError
from srd_jax.support.files import check_writable, read_json, unwritable, write_text

_MARK = {"folder_of": "srd analyse", "format": 1}
_ACCEPTED = "accepted is a new or an empty folder, or that of an earlier srd analyse"

_PARTS = ("records", "labels", "rois", "geojson", "micrographs", "grana")

# As `files.whole_file` names what it hasn't finished, which a killed process leaves.
_UNFINISHED = re.compile(r"\..{1,40}\.\w{8}(\.\w+)?", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Folder:
    """The paths of all files that an analysis writes.

    Attributes:
      root: of all files.
    """

    root: pathlib.Path

    @property
    def grana(self) -> pathlib.Path:
        """Table with a row a granum."""
        return self.root / "grana.csv"

    @property
    def micrographs(self) -> pathlib.Path:
        """Table with a row a micrograph."""
        return self.root / "micrographs.csv"

    @property
    def summary(self) -> pathlib.Path:
        """Table of means."""
        return self.root / "summary.csv"

    @property
    def workbook(self) -> pathlib.Path:
        """All tables for spreadsheets."""
        return self.root / "grana.xlsx"

    @property
    def report(self) -> pathlib.Path:
        """Page."""
        return self.root / "report.html"

    def record(self, name: str) -> pathlib.Path:
        """Record of a micrograph."""
        return self.root / "records" / f"{name}.json"

    def labels(self, name: str) -> pathlib.Path:
        """Label image of a micrograph."""
        return self.root / "labels" / f"{name}.tif"

    def rois(self, name: str) -> pathlib.Path:
        """Outlines for ImageJ."""
        return self.root / "rois" / f"{name}.zip"

    def geojson(self, name: str) -> pathlib.Path:
        """Outlines as GeoJSON."""
        return self.root / "geojson" / f"{name}.geojson"

    def annotated(self, name: str) -> pathlib.Path:
        """Picture of a micrograph with its grana."""
        return self.root / "micrographs" / f"{name}.jpg"

    def granum(self, name: str, number: int) -> pathlib.Path:
        """Picture of a granum."""
        return self.root / "grana" / f"{name}_{number:02}.png"

    def files(self, name: str, analysis: Analysis) -> list[pathlib.Path]:
        """Returns all files of a micrograph beside its record; none of one with an error."""
        if analysis.error:
            return []
        own = [one(name) for one in (self.labels, self.rois, self.geojson, self.annotated)]
        return own + [self.granum(name, granum.number) for granum in analysis.grana]

    def clear(self, name: str) -> None:
        """Removes all files of a micrograph, the record first, without which they don't count.

        Raises:
          InputError: one can't be removed.
        """
        own = [one(name) for one in (self.labels, self.rois, self.geojson, self.annotated)]
        of_grana = re.compile(re.escape(name) + r"_\d{2,}\.png")
        drawn = self.granum(name, 1).parent
        try:
            pictures = [path for path in _inside(drawn) if of_grana.fullmatch(path.name)]
            for path in (self.record(name), *own, *pictures):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(
                self.root, error, "give a folder whose files may be removed"
            ) from error


def _inside(folder: pathlib.Path) -> list[pathlib.Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


@contextlib.contextmanager
def opened(path: str) -> Iterator[Folder]:
    """Yields the folder of an analysis, marked as such, which no other process takes meanwhile.

    Raises:
      InputError: it can't be written, holds other files, or another process has it.
    """
    folder, mark = Folder(pathlib.Path(path)), pathlib.Path(path, ANALYSIS_MARK)
    check(path)
    if not mark.exists():
        write_text(mark, json.dumps(_MARK) + "\n")
    with _locked(mark, path):
        try:
            for parent in (folder.root, *(folder.root / part for part in _PARTS)):
                for left in _inside(parent):
                    if _UNFINISHED.fullmatch(left.name) and left.is_file():
                        left.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(path, error, "give a folder that can be read and written") from error
        yield folder


def check(path: str) -> None:
    """Checks that a folder is new, empty or that of an earlier analysis, and can be written.

    Raises:
      InputError: it isn't, or can't.
    """
    root, mark = pathlib.Path(path), pathlib.Path(path, ANALYSIS_MARK)
    try:
        if root.exists() and not root.is_dir():
            raise InputError(f"--out {path}: is a file; {_ACCEPTED}")
        # Systems put hidden files into folders that look empty.
        if not mark.exists() and any(not one.name.startswith(".") for one in _inside(root)):
            raise InputError(f"--out {path}: is a folder with other files; {_ACCEPTED}")
    except OSError as error:
        raise InputError(f"--out {path}: cannot be read ({error.strerror}); {_ACCEPTED}") from error
    if mark.exists() and read_json(mark) != _MARK:
        raise InputError(f"--out {path}: {ANALYSIS_MARK} is of another version; {_ACCEPTED}")
    check_writable(mark)


@contextlib.contextmanager
def _locked(mark: pathlib.Path, path: str) -> Iterator[None]:
    """Keeps other processes off a folder, where the system can."""
    with mark.open("rb") as file:
        try:
            import fcntl  # absent on Windows

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                f"--out {path}: another srd analyse is writing there; accepted is another folder, "
                "or this one when that has ended"
            ) from error
        except (ImportError, OSError):  # not by every file system
            pass
        yield
