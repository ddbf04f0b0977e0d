"""Entries of the log of decisions, as lines of JSON."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from srd_jax.analysis.granum import Granum
from srd_jax.support.errors import InputError, one_line
from srd_jax.support.fields import from_dict

Grana = Mapping[int, Granum | None]


@dataclasses.dataclass(frozen=True)
class Entry:
    """One decision.

    Attributes:
      revision: of the review after it, from 1 on.
      key: that its sender chose, so that a repeated one isn't taken twice.
      time: ISO 8601, UTC.
      who: made it.
      file: name of the micrograph in the folder.
      record: digest of the analysis that it belongs to, see `files.digest`.
      op: what was done, see `operations`; undo and redo name their `entry`.
      before: grana that were measured anew, replaced or deleted, as they were.
      after: the same as they are then, None for one that is gone, and new ones.
    """

    revision: int
    key: str
    time: str
    who: str
    file: str
    record: str
    op: Mapping[str, Any]
    before: Grana
    after: Grana


def line(entry: Entry) -> bytes:
    """Returns the line of an entry, with its end."""
    grana = {name: _plain(getattr(entry, name)) for name in ("before", "after")}
    content = {**vars(entry), "op": dict(entry.op), **grana}
    return json.dumps(content, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def _plain(grana: Grana) -> dict[int, dict[str, Any] | None]:
    return {
        number: None if one is None else dataclasses.asdict(one) for number, one in grana.items()
    }


def parsed(text: bytes) -> Entry:
    """Returns the entry of a line.

    Raises:
      InputError: it is no entry.
    """
    try:
        content = json.loads(text)
        before, after = (_grana(content.pop(name), name) for name in ("before", "after"))
        op = content.pop("op")
        entry = from_dict(_Plain, content, "entry")
        if not isinstance(op["do"], str):
            raise InputError("entry.op.do isn't text")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"isn't an entry ({one_line(error)})") from None
    return Entry(**vars(entry), op=op, before=before, after=after)


@dataclasses.dataclass(frozen=True)
class _Plain:
    """The fields of an entry that are plain values."""

    revision: int
    key: str
    time: str
    who: str
    file: str
    record: str


def _grana(content: Mapping[str, Any], name: str) -> dict[int, Granum | None]:
    return {
        int(number): None if one is None else from_dict(Granum, one, f"{name}.{number}")
        for number, one in content.items()
    }
