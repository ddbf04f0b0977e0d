"""Masks of grana: where one lies, and whether it is large enough to show anything."""

import numpy as np
from scipy import ndimage

from srd_jax.support.errors import InputError

# Rows and columns, px: a single one has no slope.
MIN_LENGTH = 2


def tight_box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """Returns (row0, row1, column0, column1), the half-open tight box of a bool mask.

    Raises:
      InputError: nothing is inside of the mask.
    """
    if not mask.any():
        raise InputError(
            "nothing is inside of the mask; accepted are images with a granum inside of the mask"
        )
    ((rows, columns),) = ndimage.find_objects(mask.astype(np.uint8))
    return rows.start, rows.stop, columns.start, columns.stop


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
