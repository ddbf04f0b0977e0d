"""Finds the micrographs among files and folders."""

import os
import pathlib
from collections.abc import Iterable

from srd_jax.imaging.folders import Found, find_images
from srd_jax.imaging.formats import MICROSCOPE_SUFFIXES, SUFFIXES

# What TIFF files that are written here have in their tag Software, and where it is looked for.
SOFTWARE = "srd_jax"
_HEAD_BYTES = 4096


def find_micrographs(paths: Iterable[str | os.PathLike[str]]) -> Found:
    """Lists the micrographs among files and folders; see `folders.find_images`.

    TIFF files that are written here, such as labels, are left out, too.

    Raises:
      InputError: see `folders.find_images`.
    """
    return find_images(paths, (*SUFFIXES, *MICROSCOPE_SUFFIXES), _is_written_here, "micrographs")


def _is_written_here(path: pathlib.Path) -> bool:
    if not path.name.lower().endswith((".tif", ".tiff")):
        return False
    try:
        # To open a FIFO would wait for its writer.
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return SOFTWARE.encode() + b"\0" in file.read(_HEAD_BYTES)
    except OSError:
        return False
