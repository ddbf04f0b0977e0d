"""Regions of micrographs that are fitted: boxes, parts of a mask, or the whole."""

import dataclasses

import numpy as np

from srd_jax.analysis.surfaces import LEAST_PX
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.support.errors import InputError

Box = tuple[int, int, int, int]


@dataclasses.dataclass(frozen=True)
class Region:
    """A part of a micrograph.

    Attributes:
      name: such as "box 1".
      box: x0, y0, x1, y1 in px of the file, half-open.
      grey: (rows, columns) float32, light is high.
      mask: (rows, columns) bool, True inside of the region.
      nm_per_px: None if it isn't known.
    """

    name: str
    box: Box
    grey: np.ndarray
    mask: np.ndarray
    nm_per_px: float | None = None


def whole(micrograph: Micrograph) -> Region:
    """Returns all of a micrograph but its information strips.

    Raises:
      InputError: it is too small.
    """
    rows, columns = micrograph.grey.shape
    above = micrograph.strips[0]
    return _cut(micrograph, "whole", (0, above, columns, above + rows))


def box(micrograph: Micrograph, corners: Box, name: str) -> Region:
    """Returns a rectangle.

    Args:
      micrograph: with its pixels.
      corners: x0, y0, x1, y1 in px of the file, half-open.
      name: of the region.

    Raises:
      InputError: the rectangle is too small, or not within the micrograph.
    """
    return _cut(micrograph, name, corners)


def labelled(micrograph: Micrograph, labels: np.ndarray) -> list[Region]:
    """Returns a region for each number of a label image of the micrograph's size, but 0.

    Raises:
      InputError: there is none, or one is too small.
    """
    numbers = np.unique(labels)
    found, above = [], micrograph.strips[0]
    for number in numbers[numbers > 0]:
        inside = labels == number
        rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
        corners = (
            int(columns[0]),
            int(rows[0]) + above,
            int(columns[-1]) + 1,
            int(rows[-1]) + 1 + above,
        )
        cut = _cut(micrograph, f"mask {number}", corners)
        part = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        found.append(dataclasses.replace(cut, mask=part))
    if not found:
        raise InputError("the mask is empty; accepted are masks that mark a region")
    return found


def _cut(micrograph: Micrograph, name: str, corners: Box) -> Region:
    x0, y0, x1, y1 = corners
    rows, columns = micrograph.grey.shape
    above = micrograph.strips[0]
    words = f"{name} ({' '.join(map(str, corners))})"
    if not (0 <= x0 < x1 <= columns and above <= y0 < y1 <= above + rows):
        raise InputError(
            f"{words} isn't within the micrograph; accepted is X0 < X1 within 0 to {columns} and "
            f"Y0 < Y1 within {above} to {above + rows}"
        )
    if min(x1 - x0, y1 - y0) < LEAST_PX:
        raise InputError(
            f"{words} has {x1 - x0} x {y1 - y0} px; accepted are at least {LEAST_PX} x {LEAST_PX}"
        )
    grey = np.asarray(micrograph.grey[y0 - above : y1 - above, x0:x1], np.float32)
    scale = None if micrograph.px_per_nm is None else 1 / micrograph.px_per_nm
    return Region(name, corners, grey, np.ones(grey.shape, bool), scale)
