"""Morphometry of grana by the formulas of the GRANA application.

Source: Bukat, Bukowicki et al. 2025, Plant Physiology kiaf212, and center4ml/GRANA. Its pixels are
those of 0.768 nm; here polygons are measured, on a grid of the same or a finer kind.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from skimage.draw import polygon2mask

from srd_jax.analysis.granum import Value
from srd_jax.analysis.outlines import area

# Quantile of the columns' spans that is the height; rows between these shares of it make the
# diameter.
_HEIGHT, _MIDDLE = 0.8, (0.25, 0.75)
# Rows and columns of the grid on which spans are measured, about.
_GRID = 400
# The outlines at 30 and 70 % of probability lie about so many sds apart: a normal distribution has
# its 30 % and 70 % quantiles 1.05 sds apart.
_SDS_APART = 1.05


class Morphometry(NamedTuple):
    """Size and form of a granum; lengths in px of the micrograph.

    Attributes:
      area: of its outline.
      perimeter: length of its outline.
      height: 0.8-quantile of its vertical spans, lamellae horizontal.
      diameter: mean of its horizontal spans between 25 % and 75 % of the height.
      gsi: grana stacking irregularity, 1 - area / (a height), where a = perimeter / 2 - height.
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
    low, span = flat.min(0), np.maximum(np.ptp(flat, axis=0), 1e-9)
    step = float(span.max()) / _GRID
    inside = polygon2mask(
        tuple(np.ceil(span[::-1] / step).astype(int) + 1), ((flat - low) / step - 0.5)[:, ::-1]
    )
    height = float(np.quantile(_spans(inside.T), _HEIGHT)) * step
    top = int(np.argmax(inside.any(1)))
    bottom = len(inside) - int(np.argmax(inside.any(1)[::-1]))
    first, last = (top + share * (bottom - top) for share in _MIDDLE)
    middle = _spans(inside[round(first) : max(round(last), round(first) + 1)])
    diameter = float(middle.mean()) * step if len(middle) else float(span[0])
    half = perimeter / 2 - height
    gsi = 1 - size / (half * height) if half > 0 and height > 0 else math.nan
    return Morphometry(size, perimeter, height, diameter, gsi)


def _spans(inside: np.ndarray) -> np.ndarray:
    """Returns the length from the first to the last pixel of each row that has any."""
    some = inside[inside.any(1)]
    if not len(some):
        return np.zeros(1)
    first = np.argmax(some, 1)
    return some.shape[1] - np.argmax(some[:, ::-1], 1) - first


def with_uncertainty(
    polygon: np.ndarray,
    others: Sequence[np.ndarray | None],
    direction: Value | None,
) -> dict[str, Value]:
    """Measures an outline with its uncertainty.

    The sd is half of the difference between the outlines at 30 % and 70 % of the probability, in
    sds of a normal distribution; for height, diameter and GSI, with the change that one sd of the
    direction makes, in quadrature.

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
        sd = (max(away) - min(away)) / _SDS_APART if len(away) > 1 else 0.0
        sides = [getattr(one, name) - value for one in turned]
        found[column] = Value(value, math.hypot(sd, max(map(abs, sides), default=0.0)))
    return found
