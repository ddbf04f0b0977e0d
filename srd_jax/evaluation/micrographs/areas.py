"""Areas of a micrograph, and their overlaps on a grid of bounded size."""

import dataclasses
import math
from collections.abc import Iterable

import numpy as np
from skimage.draw import polygon
from skimage.measure import approximate_polygon, find_contours

# Rows and columns of a grid.
MOST = 2000


@dataclasses.dataclass(frozen=True, eq=False)
class Area:
    """An area, px of the micrograph, whose first pixel covers 0 to 1: polygons or a mask.

    Attributes:
      polygons: (n, 2) float64 x and y each; the area is their union.
      mask: (rows, columns) bool; None where polygons are given.
      corner: row and column of the mask's first pixel.
    """

    polygons: tuple[np.ndarray, ...] = ()
    mask: np.ndarray | None = None
    corner: tuple[int, int] = (0, 0)


def moved(area: Area, down: int) -> Area:
    """Returns an area that lies so many px further down."""
    top, left = area.corner
    polygons = tuple(one + np.array([0.0, down]) for one in area.polygons)
    return Area(polygons, area.mask, (top + down, left))


@dataclasses.dataclass(frozen=True)
class Grid:
    """The pixels on which areas of a micrograph are compared.

    Attributes:
      rows, columns: of the grid.
      scale: px of the grid per px of the micrograph; the pixel (i, j) stands for the point
        ((j + 0.5) / scale, (i + 0.5) / scale).
    """

    rows: int
    columns: int
    scale: float


def grid(rows: int, columns: int, most: int = MOST) -> Grid:
    """Returns the grid of a micrograph; as fine as the micrograph if that has no longer side."""
    scale = min(1.0, most / max(rows, columns))
    return Grid(math.ceil(rows * scale), math.ceil(columns * scale), scale)


@dataclasses.dataclass(frozen=True, eq=False)
class Region:
    """The pixels of a grid that lie in an area.

    Attributes:
      top, left: row and column of the mask's first pixel.
      mask: (rows, columns) bool, with a pixel inside in its first and last row and column; of size
        0 for an empty region.
    """

    top: int
    left: int
    mask: np.ndarray

    @property
    def size(self) -> int:
        """Number of pixels."""
        return int(np.count_nonzero(self.mask))


_EMPTY = Region(0, 0, np.zeros((0, 0), bool))


def rasterise(area: Area, on: Grid) -> Region:
    """Returns the pixels of a grid whose centres lie in an area."""
    if area.mask is not None:
        return _of_mask(area.mask, area.corner, on)
    return union(_of_polygon(one, on) for one in area.polygons)


def _of_polygon(points: np.ndarray, on: Grid) -> Region:
    # Pixels have their centres at whole numbers there.
    x, y = (points * on.scale - 0.5).T
    low = np.floor([y.min(), x.min()]).clip(0)
    high = np.minimum(np.ceil([y.max(), x.max()]) + 1, (on.rows, on.columns))
    if not (low < high).all():
        return _EMPTY
    (top, left), shape = low.astype(int), (high - low).astype(int)
    mask = np.zeros(shape, bool)
    mask[polygon(y - top, x - left, shape)] = True
    return _tight(int(top), int(left), mask)


def _of_mask(mask: np.ndarray, corner: tuple[int, int], on: Grid) -> Region:
    start, inside = [], []
    for length, first, most in zip(mask.shape, corner, (on.rows, on.columns), strict=True):
        low = max(math.floor(first * on.scale), 0)
        high = min(math.ceil((first + length) * on.scale), most)
        at = np.floor((np.arange(low, high) + 0.5) / on.scale).astype(int) - first
        keep = (at >= 0) & (at < length)
        start.append(low + int(keep.argmax()) if keep.any() else 0)
        inside.append(at[keep])
    return _tight(start[0], start[1], mask[np.ix_(*inside)])


def _tight(top: int, left: int, mask: np.ndarray) -> Region:
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if not rows.size:
        return _EMPTY
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return Region(top + int(rows[0]), left + int(columns[0]), part.copy())


def outline(mask: np.ndarray, corner: tuple[int, int]) -> np.ndarray | None:
    """Returns the outline (n, 2) of a mask's longest part, x and y; None where it has none.

    Args:
      mask: bool (rows, columns).
      corner: row and column of its first pixel.
    """
    found = max(find_contours(np.pad(mask.astype(np.float32), 1), 0.5), key=len, default=None)
    if found is None:
        return None
    points = approximate_polygon((found - 0.5 + corner)[:, ::-1], 0.3)[:-1]
    return points if len(points) > 2 else None


def overlap(first: Region, second: Region) -> int:
    """Returns the number of pixels that two regions of a grid share."""
    top, left = max(first.top, second.top), max(first.left, second.left)
    parts = [
        one.mask[max(top - one.top, 0) :, max(left - one.left, 0) :] for one in (first, second)
    ]
    rows, columns = (min(part.shape[axis] for part in parts) for axis in (0, 1))
    return int(np.count_nonzero(parts[0][:rows, :columns] & parts[1][:rows, :columns]))


def union(regions: Iterable[Region]) -> Region:
    """Returns the pixels of a grid that lie in any of some regions."""
    some = [one for one in regions if one.mask.size]
    if len(some) < 2:
        return some[0] if some else _EMPTY
    top, left = min(one.top for one in some), min(one.left for one in some)
    bottom = max(one.top + len(one.mask) for one in some)
    right = max(one.left + one.mask.shape[1] for one in some)
    mask = np.zeros((bottom - top, right - left), bool)
    for one in some:
        rows, columns = one.mask.shape
        mask[one.top - top :, one.left - left :][:rows, :columns] |= one.mask
    return Region(top, left, mask)


def iou(first: Region, second: Region) -> float:
    """Returns intersection over union of two regions of a grid; 0 if both are empty."""
    shared = overlap(first, second)
    return shared / max(first.size + second.size - shared, 1)
