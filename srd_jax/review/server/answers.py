"""Answers in JSON, refusals in one line without paths, and bodies of requests within limits."""

import json
import pathlib
import re
from collections.abc import Iterable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from srd_jax.support.errors import InputError, one_line, unexpected

_BODY_BYTES = 2_000_000
_LONGEST = 400  # characters of a refusal
_MOST_READ = 4000  # characters of a text in which paths are looked for, which takes their square

# Folders of an absolute path, of any system, before a name.
_FOLDERS = re.compile(r"(?<![\w.\\/])(?:[A-Za-z]:)?(?:[\\/][^\\/:;,\"'()<>|\n]+)*[\\/](?=[^\s\\/])")


class Answer(JSONResponse):
    """JSON in ASCII, as names of files needn't be Unicode."""

    def render(self, content: Any) -> bytes:
        """Returns the body."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def refusal(status: int, text: str, **more: Any) -> Answer:
    """Returns the answer to a request that is refused."""
    return Answer({"error": shown(text), **more}, status)


def shown(text: str, folders: Iterable[pathlib.Path] = ()) -> str:
    """Returns a text as one line in which paths are names only.

    Args:
      text: of an error or a note.
      folders: known ones, whose names may hold any character.
    """
    line = " ".join(text[:_MOST_READ].split())
    for folder in sorted(map(str, folders), key=len, reverse=True):
        line = line.replace(f"{folder}/", "").replace(folder, pathlib.Path(folder).name)
    return _FOLDERS.sub("", line)[:_LONGEST]


async def on_http(request: Request, error: Exception) -> Answer:
    """Answers a refusal that was raised."""
    assert isinstance(error, HTTPException)
    return Answer({"error": shown(error.detail)}, error.status_code, dict(error.headers or {}))


async def on_input(request: Request, error: Exception) -> Answer:
    """Answers bad input."""
    return refusal(422, one_line(error))


async def on_unexpected(request: Request, error: Exception) -> Answer:
    """Answers an error that no user is to blame for."""
    return refusal(500, f"{unexpected(error)}; the window of srd app tells more")


async def body(request: Request, limit: int = _BODY_BYTES) -> dict[str, Any]:
    """Returns the JSON object that a request brings.

    Raises:
      HTTPException: it is too large or something else.
    """
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise HTTPException(413, f"the request is too large; accepted are {limit} bytes")
    try:
        given = json.loads(content.decode("utf-8"), parse_constant=_no_constant)
        # Lone surrogates, which aren't Unicode.
        json.dumps(given, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise HTTPException(400, "the request isn't JSON; accepted is a JSON object") from None
    if not isinstance(given, dict):
        raise HTTPException(400, "the request is no JSON object; accepted is one")
    return given


def _no_constant(name: str) -> None:
    raise ValueError(name)


def text(given: Any, name: str, longest: int) -> str:
    """Returns a field that is a text of printable characters.

    Raises:
      InputError: it is something else.
    """
    if not isinstance(given, str) or len(given) > longest or not given.isprintable():
        raise InputError(f"{name}: accepted is a text of at most {longest} characters")
    return given
