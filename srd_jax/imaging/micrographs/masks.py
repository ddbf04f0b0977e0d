"""Reads grana that were outlined elsewhere: masks, label images, ImageJ's ROIs."""

import logging
import pathlib
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from skimage.measure import label

from srd_jax.imaging.formats import open_file, read_picture
from srd_jax.imaging.masks import mask_labels
from srd_jax.imaging.micrographs.reading import MAX_BYTES, MAX_PIXELS
from srd_jax.support.errors import InputError, naming, one_line

ROI_SUFFIXES = (".zip", ".roi")
_AREAS = ("POLYGON", "RECT", "OVAL", "FREEHAND", "TRACED")
_MOST = np.iinfo(np.uint16).max
_MAX_ROI_BYTES, _MAX_ROIS_BYTES = 10_000_000, 200_000_000

_Labels = tuple[np.ndarray, tuple[str, ...]]


def read_labels(
    path: pathlib.Path, shape: tuple[int, int], strips: tuple[int, int] = (0, 0)
) -> _Labels:
    """Reads grana as a label image, and notes.

    ROIs are numbered by their names, where these are different whole numbers, else in order; where
    several overlap, the first one keeps the pixels. The parts of a mask of one value are grana of
    their own.

    Args:
      path: of a mask, a label image, or ROIs of ImageJ, whose coordinates are those of the whole
        file.
      shape: rows and columns of the micrograph.
      strips: rows that were cut off above and below it; a mask may have them.

    Returns:
      uint16 (rows, columns), 0 outside of grana, and notes.

    Raises:
      InputError: the file can't be read, or doesn't fit.
    """
    whole = (shape[0] + sum(strips), shape[1])
    if path.suffix.lower() in ROI_SUFFIXES:
        with naming(path):
            labels, notes = _drawn(list(_rois(path)), whole)
        return labels[strips[0] : strips[0] + shape[0]], notes
    picture = read_picture(path, MAX_PIXELS, MAX_BYTES)
    with naming(path):
        rows, columns = picture.samples.shape[:2]
        if (rows, columns) not in (shape, whole):
            raise InputError(
                f"the mask has {rows} x {columns} px (rows x columns); accepted is the size of its "
                f"micrograph without an information strip, {shape[0]} x {shape[1]} px"
            )
        above = strips[0] if rows != shape[0] else 0
        if not picture.samples.any():
            return np.zeros(shape, np.uint16), ()
        labels, notes = mask_labels(picture)
        return _numbered(labels[above : above + shape[0]]), notes


def _numbered(labels: np.ndarray) -> np.ndarray:
    """Returns numbers of 16 bits; those of its parts, if there is one number only."""
    numbers = np.unique(labels)
    numbers = numbers[numbers > 0]
    if len(numbers) < 2:
        labels = np.asarray(label(labels > 0, connectivity=1))
        numbers = np.arange(1, labels.max(initial=0) + 1)
    if len(numbers) > _MOST:
        raise InputError(f"the mask has {len(numbers)} grana; accepted are at most {_MOST}")
    if len(numbers) and numbers[-1] > _MOST:
        return np.searchsorted(np.append(0, numbers), labels).astype(np.uint16)
    return labels.astype(np.uint16)


def _rois(path: pathlib.Path) -> Iterator[Any]:
    """Yields the ROIs of a file.

    Raises:
      InputError: the file can't be read, one of its ROIs is damaged, or they are too large.
    """
    import roifile

    logger = logging.getLogger("roifile")
    disabled, logger.disabled = logger.disabled, True
    try:
        for name, data in _contents(path):
            roi = roifile.ImagejRoi.frombytes(data)
            roi.name = roi.name or pathlib.PurePosixPath(name).stem
            yield roi
    except InputError:
        raise
    # Damaged files lead to exceptions of many types.
    except Exception as error:
        raise InputError(
            f"not ROIs of ImageJ ({one_line(error)}); accepted are whole .roi and .zip files"
        ) from error
    finally:
        logger.disabled = disabled


def _contents(path: pathlib.Path) -> Iterator[tuple[str, bytes]]:
    """Yields name and content of each ROI."""
    with open_file(path, _MAX_ROIS_BYTES) as stream:
        if path.suffix.lower() == ".roi":
            yield path.name, stream.read(_MAX_ROI_BYTES)
            return
        with zipfile.ZipFile(stream) as file:
            entries = [one for one in file.infolist() if one.filename.lower().endswith(".roi")]
            large = any(one.file_size > _MAX_ROI_BYTES for one in entries)
            if large or sum(one.file_size for one in entries) > _MAX_ROIS_BYTES:
                raise InputError(
                    f"has ROIs of over {_MAX_ROI_BYTES / 1e6:g} MB, or of "
                    f"{_MAX_ROIS_BYTES / 1e6:g} MB in all; accepted are smaller ones"
                )
            for one in entries:
                yield one.filename, file.read(one)


def _drawn(rois: list[Any], shape: tuple[int, int]) -> _Labels:
    """Draws ROIs into a label image."""
    for roi in rois:
        if roi.roitype.name not in _AREAS:
            raise InputError(
                f"{roi.name} is of type {roi.roitype.name}; accepted are polygons, freehand, "
                "traced, rectangular and oval ones"
            )
    names = [roi.name for roi in rois]
    numbered = len(set(names)) == len(names) and all(
        name.isascii() and name.isdecimal() and 0 < int(name) <= _MOST for name in names
    )
    if len(rois) > _MOST:
        raise InputError(f"has {len(rois)} ROIs; accepted are at most {_MOST}")
    labels, overlapping, outside = np.zeros(shape, np.uint16), 0, 0
    for order, roi in enumerate(rois, 1):
        rows, columns = _inside(roi, shape)
        free = labels[rows, columns] == 0
        overlapping += not free.all()
        outside += not free.any()
        labels[rows[free], columns[free]] = int(roi.name) if numbered else order
    notes = []
    if overlapping:
        notes.append(f"{overlapping} ROIs overlap earlier ones, which keep the pixels")
    if outside:
        notes.append(f"{outside} of {len(rois)} ROIs have no pixel of their own in the micrograph")
    return labels, tuple(notes)


def _inside(roi: Any, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the rows and columns of the pixels inside of a ROI; of a composite, by even-odd."""
    from skimage.draw import polygon

    parts = []
    for points in roi.coordinates(multi=True):
        points = np.asarray(points, np.float64)
        if not np.isfinite(points).all():
            raise InputError(
                f"{roi.name} has coordinates that are NaN or infinite; accepted are finite ones"
            )
        # ImageJ counts from the corner of the first pixel, polygons are drawn from its centre.
        rows, columns = polygon(points[:, 1] - 0.5, points[:, 0] - 0.5, shape)
        parts.append(rows * shape[1] + columns)
    pixels, times = np.unique(np.concatenate(parts or [np.empty(0, int)]), return_counts=True)
    rows, columns = np.divmod(pixels[times % 2 == 1].astype(np.intp), shape[1])
    return rows, columns
