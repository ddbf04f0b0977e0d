"""Converts the fields of annotations: numbers, polygons, masks, and what is known of a granum."""

import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from srd_jax.evaluation.micrographs.areas import Area
from srd_jax.evaluation.micrographs.truth import CERTAINTIES, SURE, TrueGranum
from srd_jax.support.errors import InputError

# Of a mask in run-length encoding; more is a mistake or an attack on the memory.
_MOST_PIXELS = 1_000_000_000

_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no", "")


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """Returns a mapping as it is.

    Raises:
      InputError: it is something else.
    """
    if not isinstance(value, Mapping):
        raise InputError(f"{name} is {_short(value)}; accepted: an object with fields")
    return value


def sequence(value: Any, name: str) -> Sequence[Any]:
    """Returns a list as it is.

    Raises:
      InputError: it is something else.
    """
    if not isinstance(value, list):
        raise InputError(f"{name} is {_short(value)}; accepted: a list")
    return value


def number(value: Any, name: str, least: float = -math.inf) -> float:
    """Returns a finite number that may be given as text.

    Raises:
      InputError: it is something else, or below `least`.
    """
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found) or found < least:
        what = "a number" if math.isinf(least) else f"a number from {least:g} on"
        raise InputError(f"{name} is {_short(value)}; accepted: {what}")
    return found


def optional(values: Mapping[str, Any], name: str, least: float = -math.inf) -> float | None:
    """Returns the number of a field; None where it is missing, empty or null."""
    value = values.get(name)
    return None if value is None or value == "" else number(value, name, least)


def size(values: Mapping[str, Any]) -> tuple[int, int] | None:
    """Returns rows and columns from the fields height and width; None where they are missing."""
    rows, columns = (optional(values, name, 1) for name in ("height", "width"))
    return None if rows is None or columns is None else (round(rows), round(columns))


def points(value: Any, name: str) -> np.ndarray:
    """Returns a polygon (n, 2) from [[x, y], …] or from [x, y, x, y, …].

    Raises:
      InputError: it is something else, has fewer than three points, or no area.
    """
    found: np.ndarray = np.zeros((0, 2))
    with contextlib.suppress(TypeError, ValueError, OverflowError):
        given = np.asarray(value, np.float64)
        found = given.reshape(-1, 2) if given.ndim == 1 else given
    if found.shape[1:] != (2,) or len(found) < 3 or not np.isfinite(found).all():
        raise InputError(f"{name} is {_short(value)}; accepted: at least three points x, y")
    if not np.ptp(found, axis=0).all():
        raise InputError(f"{name} is {_short(value)}; accepted: a polygon with an area")
    return found


def runs(value: Any, name: str, shape: tuple[int, int]) -> np.ndarray:
    """Returns a mask (flat, bool) from the lengths of its runs: outside, inside, outside, …

    Raises:
      InputError: they are no whole numbers that sum up to rows times columns.
    """
    total = shape[0] * shape[1]
    try:
        lengths = np.asarray(value, np.int64)
        whole = lengths.ndim == 1 and bool((lengths == np.asarray(value, np.float64)).all())
    except (TypeError, ValueError, OverflowError):
        lengths, whole = np.zeros(0, np.int64), False
    if not whole or not 0 < total <= _MOST_PIXELS or (lengths < 0).any() or lengths.sum() != total:
        raise InputError(
            f"{name} is {_short(value)}; accepted: lengths of runs that sum up to "
            f"{shape[0]} x {shape[1]} px"
        )
    inside = np.arange(lengths.size) % 2 == 1
    return np.repeat(inside, lengths)


def granum(
    name: str, area: Area, values: Mapping[str, Any], certainty: str | None = None
) -> TrueGranum:
    """Returns a granum from its fields, which may be text; missing ones aren't known.

    Args:
      name: of the granum.
      area: its pixels.
      values: with any of certainty, direction_deg, period_px, layers, cut_by_border.
      certainty: where the field is missing; None for sure.

    Raises:
      InputError: a field has another value; the message names it.
    """
    found = str(values.get("certainty") or certainty or SURE).strip().lower()
    if found not in CERTAINTIES:
        raise InputError(f"certainty is {_short(found)}; accepted: {', '.join(CERTAINTIES)}")
    direction = optional(values, "direction_deg")
    return TrueGranum(
        name=name,
        area=area,
        certainty=found,
        direction_deg=None if direction is None else direction % 180,
        period_px=optional(values, "period_px", 1),
        layers=optional(values, "layers", 1),
        cut=_truth(values.get("cut_by_border"), "cut_by_border"),
    )


def _truth(value: Any, name: str) -> bool:
    text = "" if value is None else str(value).strip().lower()
    if text not in (*_TRUE, *_FALSE):
        raise InputError(f"{name} is {_short(value)}; accepted: true, false")
    return text in _TRUE


def _short(value: Any) -> str:
    """Returns a value for a message, cut where it is long."""
    text = " ".join(repr(value)[:200].split())
    return text if len(text) <= 60 else f"{text[:57]}…"
