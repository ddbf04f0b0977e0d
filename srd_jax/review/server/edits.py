"""Checks what surrounds the command of a page; the review checks the command itself."""

import dataclasses
from typing import Any

from srd_jax.review.server.answers import text
from srd_jax.support.errors import InputError


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
    revision, op = given["revision"], given["op"]
    if type(revision) is not int or not 0 <= revision < 2**53:
        raise InputError("revision: accepted is a whole number from 0 on")
    if not (key := text(given["key"], "key", 100)):
        raise InputError("key: is empty; accepted is a text of its own for each edit")
    if not isinstance(op, dict) or not isinstance(op.get("do"), str):
        raise InputError("op: accepted is an object with the field do and those that it needs")
    return Edit(revision, key, op)
