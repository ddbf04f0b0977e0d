"""Describes a part beside its results, and checks that several parts are those of one command."""

import dataclasses
import json
import pathlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from srd_jax.commands.shards.shard import Shard, of_list
from srd_jax.support.errors import InputError
from srd_jax.support.fields import from_dict
from srd_jax.support.files import read_json, write_text
from srd_jax.support.version import __version__

PREDICT, ANALYSE = "srd predict", "srd analyse"

_ACCEPTED = "accepted are parts that one command has written with --shard I/N"


@dataclasses.dataclass(frozen=True)
class Description:
    """A part of the results of a command.

    Attributes:
      command: that made it.
      srd_jax: its version.
      number, count: of the part, and of all parts.
      files: number of files of all parts.
      names: digest of the names of these, see `shard.of_list`.
      options: that results depend on, as JSON.
      content: of the part, as its command needs it to join them; None until the part is done.
    """

    command: str
    srd_jax: str
    number: int
    count: int
    files: int
    names: str
    options: dict
    content: dict | None

    @property
    def shard(self) -> Shard:
        """Which part it is."""
        return Shard(self.number, self.count)


def describe(
    command: str, shard: Shard, paths: Sequence[pathlib.Path], options: Mapping[str, Any]
) -> Description:
    """Returns the description of a part that isn't done.

    Args:
      command: that makes it.
      shard: which part it is.
      paths: of the files of all parts.
      options: plain values that results depend on, by names that a user knows.
    """
    plain = json.loads(json.dumps(options, allow_nan=False))
    digest = of_list(paths)
    number, count = shard.number, shard.count
    return Description(command, __version__, number, count, len(paths), digest, plain, None)


def done(description: Description, content: Mapping[str, Any]) -> Description:
    """Returns the description of a part that is done, with what joins it to others."""
    return dataclasses.replace(description, content=dict(content))


def write(path: pathlib.Path, description: Description) -> None:
    """Writes a description whole or not at all.

    Raises:
      InputError: the file can't be written.
    """
    write_text(path, json.dumps(dataclasses.asdict(description), indent=1) + "\n")


def read(path: pathlib.Path, part: str) -> Description:
    """Reads the description of a part.

    Args:
      path: of the description.
      part: name of the part in messages.

    Raises:
      InputError: there is none of this version.
    """
    if not path.is_file():
        raise InputError(f"{part}: has no {path.name} beside; {_ACCEPTED}")
    try:
        return from_dict(Description, read_json(path), "description")
    except InputError as error:
        raise InputError(f"{path}: is of another version or damaged ({error})") from error


def check(parts: Mapping[str, Description]) -> list[str]:
    """Returns the names of all parts in the order of their numbers.

    Args:
      parts: by their names.

    Raises:
      InputError: one isn't done, is there twice or missing, or is of another command, version or
        list of files, or has other options.
    """
    first, *others = parts
    for name, one in parts.items():
        if one.content is None:
            raise InputError(
                f"{name}: part {one.shard} isn't done; accepted is to start its command again, "
                "which goes on with it"
            )
    for name in others:
        _check_alike(first, parts[first], name, parts[name])
    by_number: dict[int, str] = {}
    for name, one in parts.items():
        if (other := by_number.setdefault(one.number, name)) != name:
            raise InputError(
                f"{name}: is part {one.shard} again, as {other}; accepted is each part once"
            )
    count = parts[first].count
    missing = [number for number in range(1, count + 1) if number not in by_number]
    if missing:
        raise InputError(
            f"part{'s' * (len(missing) > 1)} {_listed(missing)} of {count} "
            f"{'are' if len(missing) > 1 else 'is'} missing; accepted are all of them"
        )
    return [by_number[number] for number in sorted(by_number)]


def _listed(numbers: Iterable[int], most: int = 10) -> str:
    texts = list(map(str, numbers))
    return ", ".join(texts[:most]) + f" and {len(texts) - most} more" * (len(texts) > most)


def _check_alike(name: str, one: Description, other_name: str, other: Description) -> None:
    """Checks that two parts are of one command.

    Raises:
      InputError: they aren't; the message names what differs.
    """
    for what, before, now in (
        ("command", one.command, other.command),
        ("version of srd_jax", one.srd_jax, other.srd_jax),
        ("number of parts", one.count, other.count),
        ("number of files", one.files, other.files),
    ):
        if before != now:
            raise InputError(
                f"{other_name}: has another {what}, {now}, than {name}, {before}; {_ACCEPTED}"
            )
    if one.names != other.names:
        raise InputError(
            f"{other_name}: is of files with other names or in another order than {name}; "
            f"{_ACCEPTED}"
        )
    for option in dict.fromkeys((*one.options, *other.options)):
        before, now = one.options.get(option), other.options.get(option)
        if before != now:
            raise InputError(
                f"{other_name}: was made with another {option}, {_short(now)}, than {name}, "
                f"{_short(before)}; {_ACCEPTED}"
            )


def _short(value: Any, most: int = 60) -> str:
    text = "none" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= most else f"{text[:most]}…"
