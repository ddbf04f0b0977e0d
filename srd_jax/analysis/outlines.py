"""Outlines of grana as a person would draw them, in px of the micrograph."""

import numpy as np
from scipy import ndimage
from skimage.draw import polygon2mask
from skimage.measure import approximate_polygon, find_contours

from srd_jax.analysis.instances import Instances
from srd_jax.analysis.maps import Maps

# Levels of the probability: of the outline, and of a wider and a narrower one. A normal
# distribution has its 30 % and 70 % quantiles so many sds apart.
LEVELS = (0.5, 0.3, 0.7)
SDS_APART = 1.0488
# Sds of the probability's smoothing, px of the maps: as a person draws, and less for the other
# levels, as it moves them apart. And how far a polygon may lie from the contour.
_SMOOTH, _SMOOTH_OTHERS, _TOLERANCE = 1.5, 0.5, 0.25
# px of the maps around a granum, within which its outlines lie.
_AROUND = 6
# The same for masks that somebody drew, px of the micrograph. Blurred by this, a mask's contours at
# the levels above are those of an outline whose sd is 1 px.
_DRAWN_SMOOTH, _DRAWN_TOLERANCE, _DRAWN_AROUND = 1.0, 0.3, 4

# (N, 2) of x and y, px of the micrograph; the last point is joined to the first.
Polygon = np.ndarray


def outlines(
    maps: Maps,
    found: Instances,
    number: int,
    levels: tuple[float, ...],
    shape: tuple[int, int],
) -> list[Polygon | None]:
    """Returns the outlines of one granum at several levels of probability.

    Args:
      maps: of the micrograph.
      found: its grana; other grana's pixels stay theirs.
      number: of the granum.
      levels: of the probability; the first is that of the outline, others tell how sure it is.
      shape: rows and columns of the micrograph, beyond which no outline reaches.

    Returns:
      The largest outline at each level; None for none.
    """
    rows, columns = (
        slice(max(side.start - _AROUND, 0), side.stop + _AROUND) for side in found.boxes[number - 1]
    )
    part = found.labels[rows, columns]
    own = ndimage.binary_dilation(part == number, iterations=_AROUND) & (
        (part == number) | (part == 0)
    )
    probability = np.asarray(maps.probability[rows, columns], np.float32) * own
    smooth, other = (
        np.pad(ndimage.gaussian_filter(probability, sd), 1) for sd in (_SMOOTH, _SMOOTH_OTHERS)
    )
    corner = np.array([rows.start, columns.start]) - 0.5
    return [
        _contour(values, level, corner, maps.scale, _TOLERANCE, shape)
        for values, level in zip([smooth] + [other] * (len(levels) - 1), levels, strict=True)
    ]


def of_mask(
    mask: np.ndarray, box: tuple[slice, slice], shape: tuple[int, int]
) -> list[Polygon | None]:
    """Returns the outlines of a mask that somebody drew, at the three LEVELS.

    Args:
      mask: bool (rows, columns), of its box.
      box: rows and columns of the micrograph.
      shape: rows and columns of the micrograph.
    """
    # Beyond the border of the micrograph a granum goes on.
    at_border = [
        (side.start == 0, side.stop == length) for side, length in zip(box, shape, strict=True)
    ]
    beyond = [[_DRAWN_AROUND * end for end in ends] for ends in at_border]
    padded = np.pad(np.pad(mask, beyond, mode="edge"), _DRAWN_AROUND)
    smooth = ndimage.gaussian_filter(padded.astype(np.float32), _DRAWN_SMOOTH)
    before = np.array([_DRAWN_AROUND + first for first, _ in beyond])
    corner = np.array([side.start for side in box]) - before + 0.5
    return [_contour(smooth, level, corner, 1.0, _DRAWN_TOLERANCE, shape) for level in LEVELS]


def _contour(
    values: np.ndarray,
    level: float,
    corner: np.ndarray,
    scale: float,
    tolerance: float,
    shape: tuple[int, int],
) -> Polygon | None:
    """Returns the largest contour as a polygon.

    Args:
      values: (r, c).
      level: of the contour.
      corner: row and column of the centre of the first pixel, px of the values' grid.
      scale: px of this grid per px of the micrograph.
      tolerance: distance of the polygon from the contour, px of the grid.
      shape: rows and columns of the micrograph, beyond which no outline reaches.
    """
    contours = [one for one in find_contours(values, level) if len(one) > 3]
    if not contours:
        return None
    best = approximate_polygon(max(contours, key=area), tolerance)[:-1]
    placed = np.clip((best + corner) / scale, 0, shape)[:, ::-1]
    return placed if len(placed) > 2 and area(placed) > 0 else None


def area(polygon: Polygon) -> float:
    """Returns the area of a polygon, px², by the shoelace formula."""
    x, y = (polygon - polygon[0]).T
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def rasterised(polygon: Polygon, shape: tuple[int, int]) -> tuple[np.ndarray, tuple[slice, slice]]:
    """Returns the mask of a polygon in its bounding box, and the box.

    Args:
      polygon: (N, 2) of x and y, px; a pixel covers from its number to the next one.
      shape: rows and columns of the micrograph; what lies beyond is cut off.
    """
    low = np.maximum(np.floor(polygon.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(polygon.max(0)).astype(int), (shape[1], shape[0]))
    box = slice(low[1], max(high[1], low[1])), slice(low[0], max(high[0], low[0]))
    size = box[0].stop - box[0].start, box[1].stop - box[1].start
    inside = polygon2mask(size, (polygon - low - 0.5)[:, ::-1])
    return inside, box
