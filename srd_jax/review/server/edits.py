"""Checks the commands of a page before they reach the review: names, types and numbers."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from srd_jax.review.server.answers import text
from srd_jax.support.errors import InputError

_MOST_POINTS = 5000
_MOST_NUMBER = 999_999
_FARTHEST = 1e6  # px


@dataclasses.dataclass(frozen=True)
class Edit:
    """A command: what is done to which revision; one key is carried out once."""

    revision: int
    key: str
    op: dict[str, Any]


def checked(given: dict[str, Any]) -> Edit:
    """Returns the command of a request.

    Raises:
      InputError: a field is missing, unknown or of another type.
    """
    if set(given) != {"revision", "key", "op"}:
        raise InputError("the edit: accepted are the fields revision, key and op")
    revision = given["revision"]
    if type(revision) is not int or not 0 <= revision < 2**53:
        raise InputError("revision: accepted is a whole number from 0 on")
    if not (key := text(given["key"], "key", 100)):
        raise InputError("key: is empty; accepted is a text of its own for each edit")
    return Edit(revision, key, _op(given["op"]))


def _op(given: Any) -> dict[str, Any]:
    do = given.get("do") if isinstance(given, dict) else None
    if not isinstance(do, str) or do not in _FIELDS:
        raise InputError(f"op.do: accepted is one of {', '.join(_FIELDS)}")
    fields = _FIELDS[do]
    if set(given) != {"do", *fields}:
        words = ", ".join(fields) or "no other field"
        raise InputError(f"op: accepted with {do}: {words}")
    return {"do": do, **{name: check(name, given[name]) for name, check in fields.items()}}


def _number(name: str, given: Any) -> int:
    if type(given) is not int or not 1 <= given <= _MOST_NUMBER:
        raise InputError(f"op.{name}: accepted is the number of a granum")
    return given


def _two(name: str, given: Any) -> list[int]:
    if not isinstance(given, list) or len(given) != 2 or given[0] == given[1]:
        raise InputError(f"op.{name}: accepted are the numbers of two grana")
    return [_number(name, one) for one in given]


def _real(name: str, given: Any, most: float) -> float:
    if type(given) not in (int, float) or not -most <= given <= most or not math.isfinite(given):
        raise InputError(f"op.{name}: accepted are finite numbers up to {most:g}")
    return float(given)


def _points(least: int) -> Callable[[str, Any], list[list[float]]]:
    def check(name: str, given: Any) -> list[list[float]]:
        if not isinstance(given, list) or not least <= len(given) <= _MOST_POINTS:
            raise InputError(f"op.{name}: accepted are {least} to {_MOST_POINTS} points [x, y]")
        if not all(isinstance(one, list) and len(one) == 2 for one in given):
            raise InputError(f"op.{name}: accepted are points [x, y]")
        return [[_real(name, part, _FARTHEST) for part in one] for one in given]

    return check


def _direction(name: str, given: Any) -> float | None:
    return None if given is None else _real(name, given, 360.0) % 180.0


def _period(name: str, given: Any) -> float | None:
    if given is None:
        return None
    if (value := _real(name, given, 1000.0)) < 1:
        raise InputError(f"op.{name}: is {value:g}; accepted is a length from 1 px on")
    return value


_GRANUM = {"granum": _number}
_FIELDS: dict[str, dict[str, Callable[[str, Any], Any]]] = {
    "accept": _GRANUM,
    "reject": _GRANUM,
    "reset_decision": _GRANUM,
    "outline": {**_GRANUM, "outline": _points(3)},
    "add": {"outline": _points(3)},
    "split": {**_GRANUM, "line": _points(2)},
    "join": {"grana": _two},
    "delete": _GRANUM,
    "direction": {**_GRANUM, "direction_deg": _direction},
    "period": {**_GRANUM, "period_px": _period},
    "undo": {},
    "redo": {},
}
