"""Outlines as polygons: checked, split by a line, and joined."""

import math
from collections.abc import Sequence

import numpy as np
import shapely
from shapely import LineString, Polygon, ops
from shapely.validation import explain_validity

from srd_jax.support.errors import InputError

Points = Sequence[Sequence[float]]
Outline = tuple[tuple[float, float], ...]

# Smallest area of an outline, px²: below, no lamella is seen.
_LEAST = 25.0
# Share of an outline that a loop of a crossing may take and is cut off.
_LOOPS = 0.01
# Grana are near, and may be joined, whose distance is such a share of the side of a square as large
# as the smaller one; or so many px.
_NEAR, _NEAR_PX = 0.25, 3.0
# Rounding errors of coordinates, px.
_ROUNDING = 1e-6


def checked(outline: Points, shape: tuple[int, int]) -> Polygon:
    """Returns the polygon of an outline.

    Args:
      outline: corners x and y, px; the last may repeat the first.
      shape: rows and columns of the micrograph.

    Raises:
      InputError: it has fewer than three corners, crosses itself, leaves the micrograph or is too
        small.
    """
    if len(set(map(tuple, outline))) < 3:
        raise InputError(f"the outline has {len(outline)} corners; accepted are three or more")
    points = np.asarray(outline, float)
    rows, columns = shape
    beyond = np.maximum(-points, points - np.array([columns, rows])).max()
    if beyond > _ROUNDING:
        raise InputError(
            f"the outline leaves the micrograph by {beyond:.1f} px; accepted is one within "
            f"{columns} x {rows} px"
        )
    polygon = _simple(Polygon(np.clip(points, 0, [columns, rows])))
    if polygon.area < _LEAST:
        raise InputError(
            f"the outline has {polygon.area:.1f} px²; accepted are {_LEAST:g} px² or more"
        )
    return polygon


def _simple(polygon: Polygon) -> Polygon:
    """Returns a polygon without tiny loops, as contours of pixels may have.

    Raises:
      InputError: it crosses itself elsewhere.
    """
    if polygon.is_valid and not polygon.interiors:
        return polygon
    why = explain_validity(polygon)
    parts = _polygons(shapely.make_valid(polygon))
    total = sum(one.area for one in parts)
    best = max(parts, key=lambda one: one.area, default=polygon)
    if not parts or best.interiors or best.area < (1 - _LOOPS) * total:
        place = why.partition("[")[2].partition("]")[0].split()
        where = f" near x {float(place[0]):.0f}, y {float(place[1]):.0f}" if place else ""
        raise InputError(
            f"the outline crosses itself{where}; accepted is one that doesn't cross or touch itself"
        )
    return best


def _polygons(found: shapely.Geometry) -> list[Polygon]:
    parts = shapely.get_parts(found)
    return [one for one in parts if isinstance(one, Polygon) and not one.is_empty]


def corners(polygon: Polygon) -> Outline:
    """Returns the corners of a polygon, the first not repeated."""
    return tuple((float(x), float(y)) for x, y in polygon.exterior.coords[:-1])


def split(outline: Points, line: Points, shape: tuple[int, int]) -> list[Outline]:
    """Returns the two parts of an outline on both sides of a line.

    Args:
      outline: corners x and y, px.
      line: points x and y, px, from outside of the outline to outside.
      shape: rows and columns of the micrograph.

    Raises:
      InputError: the line doesn't cut the outline into two parts that are large enough.
    """
    accepted = "accepted is a line that runs once through it, from outside to outside"
    if len(set(map(tuple, line))) < 2:
        raise InputError(f"the line has fewer than two points; {accepted}")
    polygon, cut = checked(outline, shape), LineString(line)
    if not cut.is_simple:
        raise InputError(f"the line crosses itself; {accepted}")
    parts = _polygons(ops.split(polygon, cut))
    if len(parts) != 2:
        found = "doesn't part the granum" if len(parts) < 2 else f"makes {len(parts)} parts of it"
        raise InputError(f"the line {found}; {accepted}")
    smallest = min(one.area for one in parts)
    if smallest < _LEAST:
        raise InputError(f"a part has {smallest:.1f} px²; accepted are {_LEAST:g} px² or more")
    # The upper or left one first.
    return [corners(one) for one in sorted(parts, key=lambda one: (one.bounds[1], one.bounds[0]))]


def join(first: Points, second: Points, shape: tuple[int, int]) -> Outline:
    """Returns one outline around two, which touch, overlap or lie near each other.

    A gap is bridged where both are near it; elsewhere the outlines stay as they are.

    Args:
      first, second: corners x and y, px.
      shape: rows and columns of the micrograph.

    Raises:
      InputError: they are far from each other.
    """
    one, other = checked(first, shape), checked(second, shape)
    gap = one.distance(other)
    most = max(_NEAR * math.sqrt(min(one.area, other.area)), _NEAR_PX)
    if gap > most:
        raise InputError(
            f"the grana are {gap:.0f} px apart; accepted are two that touch, or up to {most:.0f} px"
        )
    both = shapely.union_all([one, other])
    if not isinstance(both, Polygon):
        # Closing by somewhat more than the gap, where both outlines are near.
        reach = gap / 2 + max(0.5, 0.25 * gap)
        closed = both.buffer(reach, join_style="mitre").buffer(-reach, join_style="mitre")
        near = shapely.intersection(one.buffer(2 * reach), other.buffer(2 * reach))
        both = shapely.union_all([both, shapely.intersection(closed, near)])
    parts = _polygons(both)
    whole = max(parts, key=lambda part: part.area)
    if whole.area < (1 - _LOOPS) * (one.area + other.area - one.intersection(other).area):
        raise InputError("the grana meet in a point; accepted are two with a side in common")
    return corners(checked(corners(Polygon(whole.exterior)), shape))


def moved(outline: Points, px: float, shape: tuple[int, int]) -> np.ndarray | None:
    """Returns an outline moved outwards, or inwards, within the micrograph; None if none is left.

    Args:
      outline: corners x and y, px.
      px: how far; negative is inwards.
      shape: rows and columns of the micrograph.
    """
    found = _polygons(shapely.make_valid(Polygon(outline)).buffer(px, join_style="mitre"))
    if not found:
        return None
    largest = max(found, key=lambda one: one.area)
    return np.clip(np.array(corners(largest)), 0, shape[::-1])
