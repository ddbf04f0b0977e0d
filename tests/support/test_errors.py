import pathlib

import pytest

from srd_jax.support.errors import InputError, naming, one_line, reason


def test_a_message_is_folded_into_one_line():
    assert one_line(ValueError("two\n  lines ")) == "two lines"
    assert one_line(KeyError("name")) == "name"
    assert one_line(TimeoutError()) == "TimeoutError"


@pytest.mark.parametrize("name", ["image 3", pathlib.Path("crops/a.png")])
def test_naming_puts_a_name_before_the_message(name):
    with pytest.raises(InputError) as caught, naming(name):
        raise InputError("is empty")
    assert str(caught.value) == f"{name}: is empty"


def test_a_reason_is_what_naming_has_named():
    with pytest.raises(InputError) as caught, naming("a\n.png"):
        raise InputError("is\nempty")
    assert reason(caught.value, "a\n.png") == "is empty"
    assert reason(caught.value, "b.png") == "a .png: is empty"


def test_naming_leaves_other_errors_alone():
    with pytest.raises(ValueError, match=r"^is empty$"), naming("a.png"):
        raise ValueError("is empty")
