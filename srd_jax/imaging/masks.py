"""Masks of grana: where a granum lies, and whether it is large enough to show anything."""

import numpy as np
from scipy import ndimage

from srd_jax.support.errors import InputError

# Rows and columns, px: a single one has no slope.
MIN_LENGTH = 2

# First row, end row, first column, end column: half-open, px of the crop.
Box = tuple[int, int, int, int]


def tight_box(mask: np.ndarray) -> Box:
    """Returns the tight box of a bool mask.

    Raises:
      InputError: nothing is inside of the mask.
    """
    if not mask.any():
        raise InputError(
            "nothing is inside of the mask; accepted are images with a granum inside of the mask"
        )
    ((rows, columns),) = ndimage.find_objects(mask.astype(np.uint8))
    return rows.start, rows.stop, columns.start, columns.stop


def slices(box: Box) -> tuple[slice, slice]:
    """Returns the slices that cut a box out of an image."""
    row0, row1, column0, column1 = box
    return slice(row0, row1), slice(column0, column1)


def check_lengths(rows: int, columns: int) -> None:
    """Checks the size of a granum, px.

    Raises:
      InputError: it has fewer than 2 rows or columns.
    """
    if min(rows, columns) < MIN_LENGTH:
        raise InputError(
            f"a granum of {rows} x {columns} px (rows x columns); "
            f"accepted are at least {MIN_LENGTH} x {MIN_LENGTH} px"
        )


def check_shapes(image: np.ndarray, mask: np.ndarray) -> None:
    """Checks that an image and its mask are of one size.

    Raises:
      InputError: they aren't, or have other axes than rows and columns.
    """
    if image.ndim != 2 or mask.shape != image.shape:
        raise InputError(
            f"image of shape {image.shape} with a mask of shape {mask.shape}; "
            "accepted are two arrays of the same (rows, columns)"
        )


def check_lamellae(image: np.ndarray, mask: np.ndarray) -> None:
    """Checks that a granum isn't blank.

    Args:
      image: (rows, columns) grey values.
      mask: bool (rows, columns), True inside of the granum; somewhere it is.

    Raises:
      InputError: every pixel has the same grey value.
    """
    values = image[mask]
    if values.min() == values.max():
        raise InputError(
            f"every pixel of the granum has the grey value {values[0]:.3g}; "
            "accepted is an image of lamellae"
        )


def extend(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Returns an image whose pixels outside of the mask have the nearest grey value inside.

    Args:
      image: (rows, columns).
      mask: bool (rows, columns), True inside of the granum; somewhere it is.
    """
    nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
    return image[tuple(np.asarray(nearest))]
