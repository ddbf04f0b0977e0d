"""Finds the files of grana that were outlined or corrected elsewhere."""

import pathlib
from collections.abc import Iterable

from srd_jax.imaging.micrographs.masks import ROI_SUFFIXES
from srd_jax.support.errors import InputError

_PICTURES = (".tif", ".tiff", ".png")
_ACCEPTED = f"accepted are NAME with one of {', '.join((*_PICTURES, *ROI_SUFFIXES))}"


def corrected_file(folder: pathlib.Path, names: Iterable[str]) -> pathlib.Path | None:
    """Returns the file of a folder that holds the grana of a micrograph; None if there is none.

    Args:
      folder: of masks.
      names: of the micrograph, without a suffix; the first that has a file counts.

    Raises:
      InputError: there are several for one name.
    """
    for name in names:
        paths = [folder / f"{name}{suffix}" for suffix in (*_PICTURES, *ROI_SUFFIXES)]
        found = [path for path in paths if path.is_file()]
        if found[1:]:
            given = " and ".join(path.name for path in found)
            raise InputError(f"--masks {folder}: has {given}; accepted is one of them")
        if found:
            return found[0]
    return None


def check(folder: str) -> pathlib.Path:
    """Returns the path of a folder of masks.

    Raises:
      InputError: it is none, or holds nothing that could be one.
    """
    path = pathlib.Path(folder)
    if not path.is_dir():
        raise InputError(f"--masks {folder}: isn't a folder; {_ACCEPTED} in a folder")
    if not any(one.suffix.lower() in (*_PICTURES, *ROI_SUFFIXES) for one in path.iterdir()):
        raise InputError(f"--masks {folder}: holds no masks; {_ACCEPTED}")
    return path
