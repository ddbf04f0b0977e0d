"""Converts, checks and compares the fields of configuration dataclasses.

In a field of several dataclass types, `A | B`, the value's own field `kind` names its type. A field
`A | None` may be None.
"""

import dataclasses
import difflib
import json
import math
import types
import typing
from collections.abc import Iterable
from typing import Any, TypeVar

from srd_jax.support.errors import InputError

_T = TypeVar("_T")


def to_json(config: Any) -> str:
    """Returns a config dataclass as indented JSON."""
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_dict(cls: type[_T], data: Any, path: str = "config") -> _T:
    """Returns a new dataclass whose fields all have their declared types.

    Args:
      cls: the dataclass; its fields may be dataclasses and tuples.
      data: nested dicts and lists with a value for every field, except for those that are marked
        as later; or an instance of `cls`, whose attributes that aren't fields count as unknown.
      path: name of `data` in messages.

    Raises:
      InputError: a field is unknown, missing or of another type; the message names it.
    """
    values = vars(data) if isinstance(data, cls) else data
    if not isinstance(values, dict):
        raise InputError(f"{path} is {values!r}; accepted: the fields of {cls.__name__}")
    hints = typing.get_type_hints(cls)
    fields = dataclasses.fields(typing.cast(Any, cls))
    names = [field.name for field in fields]
    later = {field.name: field.default for field in fields if field.metadata.get("later")}
    values = later | values
    for name in values:
        if name not in names:
            raise InputError(f"{path}.{name} is unknown{_did_you_mean(name, names)}")
    for name in names:
        if name not in values:
            raise InputError(f"{path}.{name} is missing")
    return cls(**{n: _converted(hints[n], values[n], f"{path}.{n}") for n in names})


def _converted(hint: Any, value: Any, path: str) -> Any:
    """Returns `value` as the type that `hint` declares; numbers are never rounded or parsed."""
    if isinstance(hint, types.UnionType):
        choices = tuple(one for one in typing.get_args(hint) if one is not types.NoneType)
        if value is None and types.NoneType in typing.get_args(hint):
            return None
        hint = choices[0] if len(choices) == 1 else _chosen(choices, value, path)
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type, hint), value, path)
    if typing.get_origin(hint) is tuple:
        return _converted_tuple(hint, value, path)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise InputError(f"{path} is {value!r}; accepted: {hint.__name__}")
    return value


def _chosen(choices: tuple[Any, ...], value: Any, path: str) -> Any:
    """Returns the dataclass among `choices` that has the kind of `value`."""
    values = vars(value) if isinstance(value, choices) else value
    kind = values.get("kind") if isinstance(values, dict) else None
    possible = (type(value),) if isinstance(value, choices) else choices
    for choice in possible:
        if choice().kind == kind:
            return choice
    kinds = ", ".join(choice().kind for choice in possible)
    raise InputError(f"{path}.kind is {kind!r}; accepted: {kinds} (the config file decides it)")


def _converted_tuple(hint: Any, value: Any, path: str) -> tuple[Any, ...]:
    items = typing.get_args(hint)
    if not isinstance(value, (tuple, list)):
        raise InputError(f"{path} is {value!r}; accepted: a tuple")
    if items[-1] is Ellipsis:
        items = (items[0],) * len(value)
    if len(items) != len(value):
        raise InputError(f"{path} has {len(value)} values; accepted: {len(items)}")
    return tuple(
        _converted(item, part, f"{path}[{i}]")
        for i, (item, part) in enumerate(zip(items, value, strict=True))
    )


def differences(first: Any, second: Any, path: str = "config") -> list[str]:
    """Returns a line for each field in which two dataclasses of one type differ."""
    lines = []
    for field in dataclasses.fields(first):
        a, b = getattr(first, field.name), getattr(second, field.name)
        name = f"{path}.{field.name}"
        if dataclasses.is_dataclass(a) and type(a) is type(b):
            lines += differences(a, b, name)
        elif a != b and not (a != a and b != b):  # NaN counts as equal to NaN
            lines.append(f"{name}: {a!r} against {b!r}")
    return lines


def _did_you_mean(name: str, known: typing.Sequence[str]) -> str:
    """Returns the end of a message that names the nearest known name, empty if none is near."""
    close = difflib.get_close_matches(str(name), known, n=1)
    return f"; did you mean {close[0]}?" if close else ""


def limited(default: Any, least: float, most: float = math.inf, later: bool = False) -> Any:
    """Returns a dataclass field for a number, or a range of two numbers, within limits.

    Where `later` is True, the default stands for the field in files that were written before it
    existed; `from_dict` fills it in.
    """
    return dataclasses.field(default=default, metadata={"limits": (least, most), "later": later})


def choice(default: str, choices: Iterable[str], later: bool = False) -> Any:
    """Returns a dataclass field for a name that must be one of some choices, as `limited`."""
    return dataclasses.field(default=default, metadata={"choices": tuple(choices), "later": later})


def checked(config: _T, path: str = "config") -> _T:
    """Returns a checked copy of a config.

    A dataclass may have a method `check(path)` that compares its fields with each other. It is
    called after the fields are checked, for inner dataclasses before outer ones.

    Args:
      config: a dataclass.
      path: name of the config in messages.

    Raises:
      InputError: a field has the wrong type or value, or two fields contradict each other.
    """
    copy = from_dict(type(config), config, path)
    check(copy, path)
    return copy


def check(config: Any, path: str = "config") -> None:
    """Checks limits and choices of every field, and calls each dataclass's own `check`.

    Args:
      config: a dataclass whose fields have their declared types.
      path: name of the config in messages.

    Raises:
      InputError: a number isn't finite or within its limits, a range isn't rising, a name isn't
        among its choices, or two fields contradict each other.
    """
    for field in dataclasses.fields(config):
        name = f"{path}.{field.name}"
        value: Any = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            check(value, name)
        elif isinstance(value, tuple) and any(map(dataclasses.is_dataclass, value)):
            for i, one in enumerate(value):
                check(one, f"{name}[{i}]")
        elif "limits" in field.metadata:
            within: Any = _check_range if isinstance(value, tuple) else check_number
            within(name, value, *field.metadata["limits"])
        elif "choices" in field.metadata:
            check_choice(name, value, field.metadata["choices"])
    own = getattr(config, "check", None)
    if own is not None:
        own(path)


def check_choice(path: str, value: Any, choices: typing.Sequence[str]) -> None:
    """Checks that a name is one of some choices.

    Raises:
      InputError: it isn't; the message names `path` and the nearest choice.
    """
    if value not in choices:
        raise InputError(
            f"{path} is {value!r}; accepted: {', '.join(choices)}" + _did_you_mean(value, choices)
        )


def _check_range(path: str, value: tuple[float, float], least: float, most: float) -> None:
    """Checks that the two numbers of a range rise and lie within limits.

    Raises:
      InputError: they don't; the message names `path`.
    """
    low, high = value
    if not (math.isfinite(high) and least <= low <= high <= most):
        raise InputError(
            f"{path} is ({low}, {high}); accepted: "
            f"the first no more than the second, each {_between(least, most)}"
        )


def check_number(path: str, value: float, least: float, most: float = math.inf) -> None:
    """Checks that a number is finite and lies within limits.

    Raises:
      InputError: it doesn't; the message names `path`.
    """
    if not (math.isfinite(value) and least <= value <= most):
        raise InputError(f"{path} is {value}; accepted: {_between(least, most)}")


def _between(least: float, most: float) -> str:
    """Returns limits in words; an infinite limit is no limit."""
    if math.isinf(most):
        return "finite" if math.isinf(least) else f"finite, at least {least}"
    return f"{least} to {most}"
