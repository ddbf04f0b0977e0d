"""Morphometry of grana by the formulas of the GRANA application.

Source: Bukat, Bukowicki et al. 2025, Plant Physiology kiaf212, and center4ml/GRANA, which counts
pixels of 0.768 nm and whose perimeter follows their steps; here polygons are measured. A staircase
of pixels is up to 8 % longer than the slanted line that it stands for, so published perimeters, and
with them the GSI, are somewhat higher.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from srd_jax.analysis.granum import Value
from srd_jax.analysis.outlines import SDS_APART, area

# Quantile of the columns' spans that is the height; rows between these shares of it make the
# diameter.
_HEIGHT, _MIDDLE = 0.8, (0.25, 0.75)
# Lines, evenly spaced, along which spans are measured.
_LINES = 400


class Morphometry(NamedTuple):
    """Size and form of a granum; lengths in px of the micrograph.

    Attributes:
      area: of its outline.
      perimeter: length of its outline.
      height: 0.8-quantile of its vertical spans, lamellae horizontal.
      diameter: mean of its horizontal spans between 25 % and 75 % of its vertical extent.
      gsi: grana stacking irregularity, 1 - area / (a height), where a = perimeter / 2 - height: the
        area that it lacks to the rectangle of the same height and perimeter.
    """

    area: float
    perimeter: float
    height: float
    diameter: float
    gsi: float


def measure(polygon: np.ndarray, direction_deg: float) -> Morphometry:
    """Measures one outline.

    Args:
      polygon: (N, 2) of x and y, y down.
      direction_deg: of the lamellae, counter-clockwise from the horizontal as seen.
    """
    turn = math.radians(direction_deg)
    cosine, sine = math.cos(turn), math.sin(turn)
    x, y = polygon.T
    flat = np.stack([x * cosine - y * sine, x * sine + y * cosine], 1)
    size = area(polygon)
    steps = np.diff(np.concatenate([polygon, polygon[:1]]), axis=0)
    perimeter = float(np.hypot(*steps.T).sum())
    height = float(np.quantile(_spans(flat, (0.0, 1.0)), _HEIGHT))
    diameter = float(_spans(flat[:, ::-1], _MIDDLE).mean())
    half = perimeter / 2 - height
    gsi = 1 - size / (half * height) if half > 0 and height > 0 else math.nan
    return Morphometry(size, perimeter, height, diameter, gsi)


def _spans(points: np.ndarray, part: tuple[float, float]) -> np.ndarray:
    """Returns the distance from the first to the last crossing of a polygon with lines across.

    Args:
      points: (N, 2); the lines are those of one first coordinate.
      part: first and last line, as shares of the extent.

    Returns:
      (lines,) distances along the second coordinate.
    """
    low, extent = points[:, 0].min(), np.ptp(points[:, 0])
    first, last = part
    share = first + (last - first) * (np.arange(_LINES) + 0.5) / _LINES
    line = (low + extent * share)[:, None]
    (a, p), (b, q) = points.T, np.roll(points, -1, axis=0).T
    crosses = (np.minimum(a, b) <= line) & (line < np.maximum(a, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        at = p + (q - p) * (line - a) / (b - a)
    top, bottom = np.where(crosses, at, np.inf).min(1), np.where(crosses, at, -np.inf).max(1)
    return np.maximum(bottom - top, 0.0)


def with_uncertainty(
    polygon: np.ndarray,
    others: Sequence[np.ndarray | None],
    direction: Value | None,
) -> dict[str, Value]:
    """Measures an outline with its uncertainty.

    The sd is the difference between the outlines at 30 % and 70 % of the probability, which are
    1.05 sds of a normal distribution apart, or twice the difference to one of them where the other
    is missing; for height, diameter and GSI with the change that one sd of the direction makes, in
    quadrature.

    Args:
      polygon: (N, 2) outline.
      others: outlines at 30 and 70 % of probability; None where there is none.
      direction: of the lamellae, degrees; None gives area and perimeter alone.

    Returns:
      Values by their names in `granum.Granum`.
    """
    degrees = 0.0 if direction is None else direction.value
    best = measure(polygon, degrees)
    ends = [measure(one, degrees) for one in others if one is not None]
    turned = []
    if direction is not None:
        turned = [measure(polygon, degrees + side * direction.sd) for side in (-1, 1)]
    names = {"area": "area_px2", "perimeter": "perimeter_px"}
    if direction is not None:
        names |= {"height": "height_px", "diameter": "diameter_px", "gsi": "gsi"}
    found = {}
    for name, column in names.items():
        value = getattr(best, name)
        if not math.isfinite(value):
            continue
        away = [getattr(one, name) - value for one in ends]
        if len(away) == 1:
            away.append(-away[0])
        sd = (max(away) - min(away)) / SDS_APART if away else 0.0
        sides = [getattr(one, name) - value for one in turned]
        found[column] = Value(value, math.hypot(sd, max(map(abs, sides), default=0.0)))
    return found
