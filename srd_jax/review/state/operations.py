"""What a person may do to the grana of a micrograph: operations, as JSON gives them."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from srd_jax.support.errors import InputError
from srd_jax.support.fields import check_choice

# Corners of an outline or of a line, and px from the corner of the micrograph.
_MOST_POINTS, _FARTHEST = 10_000, 1e6


def _number(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(f"{name} is {value!r:.40}; accepted is the number of a granum")
    return value


def _two(name: str, value: Any) -> list[int]:
    if not isinstance(value, list) or len(value) != 2 or value[0] == value[1]:
        raise InputError(f"{name} is {value!r:.40}; accepted are the numbers of two grana")
    return [_number(name, one) for one in value]


def _is_finite(value: Any) -> bool:
    # A whole number may be too large for math.isfinite; all limits are lower.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf


def _points(name: str, value: Any) -> list[list[float]]:
    accepted = f"accepted are up to {_MOST_POINTS} pairs of x and y, px"
    if not isinstance(value, list) or len(value) > _MOST_POINTS:
        found = f"of {len(value)} points" if isinstance(value, list) else f"{value!r:.40}"
        raise InputError(f"{name} is {found}; {accepted}")
    for one in value:
        pair = isinstance(one, list) and len(one) == 2 and all(map(_is_finite, one))
        if not pair or max(map(abs, one)) > _FARTHEST:
            raise InputError(f"{name} holds {one!r:.40}; {accepted}")
    return [[float(x), float(y)] for x, y in value]


def _degrees(name: str, value: Any) -> float | None:
    if value is not None and not (_is_finite(value) and abs(value) <= 360):
        raise InputError(f"{name} is {value!r:.40}; accepted are degrees, or null for none by hand")
    return None if value is None else float(value) % 180


def _period(name: str, value: Any) -> float | None:
    if value is not None and not (_is_finite(value) and 2 <= value <= _FARTHEST):
        raise InputError(
            f"{name} is {value!r:.40}; accepted is a period of at least 2 px, or null for none by "
            "hand"
        )
    return None if value is None else float(value)


_OPERATIONS: dict[str, dict[str, Callable[[str, Any], Any]]] = {
    "accept": {"granum": _number},
    "reject": {"granum": _number},
    "reset_decision": {"granum": _number},
    "outline": {"granum": _number, "outline": _points},
    "add": {"outline": _points},
    "split": {"granum": _number, "line": _points},
    "join": {"grana": _two},
    "delete": {"granum": _number},
    "direction": {"granum": _number, "direction_deg": _degrees},
    "period": {"granum": _number, "period_px": _period},
    "undo": {},
    "redo": {},
}
DECISIONS = {"accept": "accepted", "reject": "rejected", "reset_decision": None}
# Of the log alone: the micrograph was analysed anew.
ANALYSED = "analysed"


def checked(op: Any) -> dict[str, Any]:
    """Returns an operation with its fields checked, as far as that goes without any grana.

    Args:
      op: `do` with the fields of that operation.

    Raises:
      InputError: it is unknown, or a field is missing, unknown or bad.
    """
    if not isinstance(op, Mapping) or not isinstance(op.get("do"), str):
        raise InputError(f"op is {op!r:.80}; accepted is an object with the field do")
    check_choice("op.do", op["do"], list(_OPERATIONS))
    fields = _OPERATIONS[op["do"]]
    if wrong := sorted({*op} ^ {"do", *fields}, key=str):
        names = ", ".join(["do", *fields])
        raise InputError(
            f"op of {op['do']} has the fields {', '.join(map(str, op))}; accepted are {names}, not "
            f"{wrong[0]:.40}"
            if wrong[0] in op
            else f"op of {op['do']} lacks {wrong[0]}; accepted are {names}"
        )
    return {"do": op["do"], **{name: field(name, op[name]) for name, field in fields.items()}}


def about(op: Mapping[str, Any]) -> list[int]:
    """Returns the numbers of the grana that an operation names."""
    return list(op.get("grana", [op["granum"]] if "granum" in op else []))
