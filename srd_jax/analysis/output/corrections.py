"""Reads grana that were outlined or corrected elsewhere: masks, label images, ImageJ's ROIs."""

import pathlib
import zipfile
from collections.abc import Iterable

import numpy as np

from srd_jax.imaging.formats import read_picture
from srd_jax.imaging.masks import mask_labels
from srd_jax.support.errors import InputError, naming, one_line

_PICTURES, _ROIS = (".tif", ".tiff", ".png"), (".zip", ".roi")
_ACCEPTED = f"accepted are NAME with one of {', '.join((*_PICTURES, *_ROIS))}"


def corrected_file(folder: pathlib.Path, names: Iterable[str]) -> pathlib.Path | None:
    """Returns the file of a folder that holds the grana of a micrograph; None if there is none.

    Args:
      folder: of masks.
      names: of the micrograph, without a suffix; the first that has a file counts.

    Raises:
      InputError: there are several for one name.
    """
    for name in names:
        paths = [folder / f"{name}{suffix}" for suffix in (*_PICTURES, *_ROIS)]
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
    if not any(one.suffix.lower() in (*_PICTURES, *_ROIS) for one in path.iterdir()):
        raise InputError(f"--masks {folder}: holds no masks; {_ACCEPTED}")
    return path


def read_labels(path: pathlib.Path, shape: tuple[int, int]) -> np.ndarray:
    """Reads grana as a label image.

    Polygons are numbered by their names, where these are different whole numbers, else in order.
    The parts of a mask of one value are grana of their own.

    Args:
      path: of a mask, a label image, or ROIs of ImageJ.
      shape: rows and columns of the micrograph.

    Returns:
      Whole numbers (rows, columns), 0 outside of grana.

    Raises:
      InputError: the file can't be read, or doesn't fit.
    """
    with naming(path):
        if path.suffix.lower() in _ROIS:
            return _drawn(path, shape)
    picture = read_picture(path)
    with naming(path):
        if picture.samples.shape[:2] != shape:
            rows, columns = picture.samples.shape[:2]
            raise InputError(
                f"the mask has {rows} x {columns} px (rows x columns); accepted is the size of its "
                f"micrograph without an information strip, {shape[0]} x {shape[1]} px"
            )
        if not picture.samples.any():
            return np.zeros(shape, np.uint16)
        labels, _ = mask_labels(picture)
    numbers, ranks = np.unique(labels, return_inverse=True)
    if np.count_nonzero(numbers) < 2:
        from scipy import ndimage

        parts = np.empty(shape, np.int32)
        ndimage.label(labels, output=parts)
        return parts
    # Numbers that don't fit into a label image of 16 bits lose their meaning.
    return labels if numbers[-1] < 2**16 else ranks.reshape(shape) + (numbers[0] > 0)


def _drawn(path: pathlib.Path, shape: tuple[int, int]) -> np.ndarray:
    """Draws ROIs into a label image."""
    import roifile
    from skimage.draw import polygon

    areas = {roifile.ROI_TYPE[one] for one in ("POLYGON", "RECT", "OVAL", "FREEHAND", "TRACED")}
    try:
        found = roifile.roiread(path)
    except (OSError, ValueError, TypeError, IndexError, zipfile.BadZipFile) as error:
        raise InputError(f"not ROIs of ImageJ ({one_line(error)})") from error
    rois = found if isinstance(found, list) else [found]
    for roi in rois:
        if roi.roitype not in areas:
            raise InputError(
                f"{roi.name} is of type {roi.roitype.name}; accepted are polygons, freehand, "
                "traced, rectangular and oval ones"
            )
    names = [roi.name for roi in rois]
    numbered = len(set(names)) == len(names) and all(
        name.isascii() and name.isdecimal() and 0 < int(name) < 2**16 for name in names
    )
    labels = np.zeros(shape, np.uint16)
    for order, roi in enumerate(rois, 1):
        # ImageJ counts from the corner of the first pixel, polygons are drawn from its centre.
        x, y = np.asarray(roi.coordinates(), float).T - 0.5
        labels[polygon(y, x, shape)] = int(roi.name) if numbered else order
    return labels
