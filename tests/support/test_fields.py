import dataclasses

import pytest

from srd_jax.support.errors import InputError
from srd_jax.support.fields import from_dict


@dataclasses.dataclass(frozen=True)
class Inner:
    value: float


@dataclasses.dataclass(frozen=True)
class Outer:
    number: float | None
    inner: Inner | None
    points: tuple[tuple[float, float], ...]


def test_fields_that_may_be_none():
    nothing = {"number": None, "inner": None, "points": []}
    assert from_dict(Outer, nothing) == Outer(None, None, ())
    full = {"number": 2, "inner": {"value": 3}, "points": [[1, 2.5]]}
    found = from_dict(Outer, full)
    assert found == Outer(2.0, Inner(3.0), ((1.0, 2.5),))
    assert isinstance(found.number, float)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"number": "2"}, "config.number is '2'; accepted: float"),
        ({"inner": 3}, "config.inner is 3; accepted: the fields of Inner"),
        ({"inner": {"value": None}}, "config.inner.value is None; accepted: float"),
        ({"points": None}, "config.points is None; accepted: a tuple"),
    ],
)
def test_other_types_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        from_dict(Outer, {"number": None, "inner": None, "points": []} | changes)
