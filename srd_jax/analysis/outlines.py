"""Outlines of grana as a person would draw them, in px of the micrograph."""

import numpy as np
from scipy import ndimage
from skimage.draw import polygon2mask
from skimage.measure import approximate_polygon, find_contours

from srd_jax.analysis.maps import Maps

# Sd of the probability's smoothing, px of the maps, and how far a polygon may lie from the contour.
_SMOOTH, _TOLERANCE = 0.8, 0.25
# px of the maps around a granum, within which its outlines lie.
_AROUND = 6

Polygon = np.ndarray


def outlines(
    maps: Maps, labels: np.ndarray, number: int, levels: tuple[float, ...]
) -> list[Polygon | None]:
    """Returns the outlines of one granum at several levels of probability.

    Args:
      maps: of the micrograph.
      labels: (r, c) of the grana; other grana's pixels stay theirs.
      number: of the granum.
      levels: of the probability, each of an outline.

    Returns:
      Polygons (N, 2) of x and y, px of the micrograph, the largest at each level; None for none.
    """
    where = ndimage.find_objects((labels == number).astype(np.uint8))[0]
    rows, columns = (slice(max(part.start - _AROUND, 0), part.stop + _AROUND) for part in where)
    part = labels[rows, columns]
    own = ndimage.binary_dilation(part == number, iterations=_AROUND // 2)
    others = (part != number) & (part != 0)
    probability = np.where(
        own & ~others, np.asarray(maps.probability[rows, columns], np.float32), 0.0
    )
    smooth = np.pad(ndimage.gaussian_filter(probability, _SMOOTH), 1)
    found = []
    for level in levels:
        contours = find_contours(smooth, level)
        # The corner of the padded part, and the centres of pixels.
        moved = [
            (one - 1 + (rows.start, columns.start) + 0.5)[:, ::-1] / maps.scale for one in contours
        ]
        best = max(moved, key=area, default=None)
        if best is not None and len(best) > 3:
            best = approximate_polygon(best, _TOLERANCE / maps.scale)[:-1]
        found.append(best if best is not None and len(best) > 2 else None)
    return found


def of_mask(mask: np.ndarray, corner: tuple[int, int]) -> Polygon | None:
    """Returns the outline of a mask at full resolution, which somebody drew; None for an empty one.

    Args:
      mask: bool (rows, columns), a part of a micrograph.
      corner: first row and column of the part.
    """
    contours = find_contours(np.pad(mask.astype(np.float32), 1), 0.5)
    best = max(contours, key=area, default=None)
    if best is None:
        return None
    return approximate_polygon((best - 1 + corner + 0.5)[:, ::-1], 0.3)[:-1]


def area(polygon: Polygon) -> float:
    """Returns the area of a polygon, px², by the shoelace formula."""
    x, y = polygon.T
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
