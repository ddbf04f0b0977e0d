"""Measures the true outlines of grana, by the same formulas as the found ones."""

import math
from typing import NamedTuple

import numpy as np

from srd_jax.analysis import morphometry
from srd_jax.evaluation.micrographs.areas import Area, Grid, grid, outline, rasterise


class Size(NamedTuple):
    """The size of a granum, px of the micrograph; height and diameter None without a direction."""

    area_px2: float
    height_px: float | None
    diameter_px: float | None


def size(area: Area, shape: tuple[int, int], direction_deg: float | None) -> Size | None:
    """Returns the size of an area; None where nothing of it is in the micrograph.

    Args:
      area: of the granum.
      shape: rows and columns of the micrograph.
      direction_deg: of the lamellae, counter-clockwise from the horizontal as seen.
    """
    on = _fine(area, shape)
    region = rasterise(area, on)
    polygon = outline(region.mask, (region.top, region.left)) if region.size else None
    if polygon is None:
        return None
    pixels = region.size / on.scale**2
    if direction_deg is None:
        return Size(pixels, None, None)
    found = morphometry.measure(polygon / on.scale, direction_deg)
    return Size(pixels, found.height, found.diameter)


def _fine(area: Area, shape: tuple[int, int]) -> Grid:
    """Returns the micrograph's own pixels, or fewer where the area is too large for them."""
    spans = [np.ptp(one, axis=0).max() for one in area.polygons]
    if area.mask is not None:
        spans.append(max(area.mask.shape))
    longest = min(max(spans, default=1.0), max(shape))
    scale = grid(1, math.ceil(longest) + 1).scale
    return Grid(math.ceil(shape[0] * scale), math.ceil(shape[1] * scale), scale)
