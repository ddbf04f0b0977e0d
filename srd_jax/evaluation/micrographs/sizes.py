"""Measures the true outlines of grana by the published formulas."""

import dataclasses
import math

import numpy as np

from srd_jax.evaluation.micrographs.areas import Area, Grid, Region, rasterise

# The height is this quantile of the columns' spans; the diameter counts rows between these heights.
_TALL, _MIDDLE = 0.8, (0.25, 0.75)


@dataclasses.dataclass(frozen=True)
class Size:
    """The size of a granum, px of the micrograph; height and diameter None without a direction."""

    area_px2: float
    height_px: float | None
    diameter_px: float | None


def size(area: Area, on: Grid, direction_deg: float | None) -> Size | None:
    """Returns the size of an area, None where nothing of it is in the micrograph.

    With the lamellae horizontal, the height is the 0.8-quantile over columns of the span from the
    first to the last pixel, and the diameter the mean span of the rows between 25 % and 75 % of the
    height (the application GRANA, center4ml/GRANA).

    Args:
      area: of the granum.
      on: pixels on which it is measured.
      direction_deg: of the lamellae, counter-clockwise from the horizontal as seen.
    """
    region = rasterise(area, on)
    if not region.size:
        return None
    pixels = region.size / on.scale**2
    if direction_deg is None:
        return Size(pixels, None, None)
    height, diameter = _turned(region, math.radians(direction_deg))
    return Size(pixels, height / on.scale, diameter / on.scale)


def _turned(region: Region, turn: float) -> tuple[float, float]:
    """Returns height and diameter, px of the grid."""
    down, right = np.nonzero(region.mask)
    along = right * math.cos(turn) - down * math.sin(turn)
    across = right * math.sin(turn) + down * math.cos(turn)
    # A pixel is as wide as this along any direction.
    wide = abs(math.cos(turn)) + abs(math.sin(turn))
    columns = _spans(along, across, wide)
    height = float(np.quantile(columns, _TALL))
    top = across.min() - wide / 2
    low, high = (top + share * height for share in _MIDDLE)
    middle = (across >= low) & (across <= high)
    rows = _spans(across[middle], along[middle], wide)
    return height, float(rows.mean()) if rows.size else height


def _spans(by: np.ndarray, values: np.ndarray, wide: float) -> np.ndarray:
    """Returns the span of the values in each column of one px that has any."""
    if not by.size:
        return np.zeros(0)
    column = np.floor(by - by.min()).astype(int)
    least, most = np.full(column.max() + 1, np.inf), np.full(column.max() + 1, -np.inf)
    np.minimum.at(least, column, values)
    np.maximum.at(most, column, values)
    there = np.isfinite(least)
    return most[there] - least[there] + wide
