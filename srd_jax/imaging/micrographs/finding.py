"""Finds the micrographs among files and folders."""

import os
import pathlib
from collections.abc import Iterable

from srd_jax.imaging.folders import Found, find_images
from srd_jax.imaging.formats import MICROSCOPE_SUFFIXES, SUFFIXES

# The table of an analysis, whose subfolders hold pictures, labels and outlines.
RESULTS = "grana.csv"

# What TIFF files that are written here have in their tag Software.
SOFTWARE = "srd_jax"
_HEAD_BYTES = 4096


def find_micrographs(paths: Iterable[str | os.PathLike[str]]) -> Found:
    """Lists the micrographs among files and folders; see `folders.find_images`.

    Left out are, beside masks and drawn pictures, all that lies in the subfolders of an analysis,
    and TIFF files that are written here, such as labels.

    Raises:
      InputError: see `folders.find_images`.
    """
    known: dict[pathlib.Path, bool] = {}
    return find_images(
        paths,
        (*SUFFIXES, *MICROSCOPE_SUFFIXES),
        lambda path: _is_of_analysis(path, known) or _is_written_here(path),
        "micrographs",
    )


def _is_of_analysis(path: pathlib.Path, known: dict[pathlib.Path, bool]) -> bool:
    """Tells whether a file lies in a subfolder of an analysis, and remembers its folder."""
    folder = path.absolute().parent
    if folder not in known:
        # Micrographs may lie beside the table itself.
        known[folder] = (folder.parent / RESULTS).is_file() and (folder.parent / _PAGE).is_file()
    return known[folder]


_PAGE = "report.html"


def _is_written_here(path: pathlib.Path) -> bool:
    if not path.name.lower().endswith((".tif", ".tiff")):
        return False
    try:
        with path.open("rb") as file:
            return SOFTWARE.encode() + b"\0" in file.read(_HEAD_BYTES)
    except OSError:
        return False
