"""Adds micrographs to the app, and takes their scales and groups: the requests that do so."""

import asyncio
import dataclasses
import errno
import math
import os
import pathlib
import secrets
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from srd_jax.imaging.micrographs.finding import find_micrographs
from srd_jax.review.server import safe_names
from srd_jax.review.server.answers import Answer, body, text
from srd_jax.review.server.service import Service
from srd_jax.review.server.settings import Entry
from srd_jax.review.server.worker import running
from srd_jax.support.errors import InputError

_LONGEST_PATH, _LONGEST_GROUP = 4000, 60
_SCALES = (1e-5, 1e4)  # px per nm
_DEMO_SECONDS = 300.0


async def upload(request: Request) -> Answer:
    """Takes one file; answers with its name."""
    service: Service = request.app.state.service
    name = safe_names.name_of(request.headers.get("x-name", ""))
    if not (suffix := safe_names.suffix_of(name)):
        raise HTTPException(
            415, f"the file is of another kind; accepted are {', '.join(safe_names.ACCEPTED)}"
        )
    stem = safe_names.safe_stem(name)
    try:
        with service.uploads.temporary(suffix) as path:
            declared = request.headers.get("content-length")
            await service.uploads.receive(request.stream(), declared, path)
            await service.uploads.check(path, f"{stem}{suffix}")
            taken = service.add_upload(path, stem)
    except ClientDisconnect:
        raise HTTPException(400, "the upload was broken off") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise HTTPException(507, "the disk of this machine is full") from error
        raise
    return Answer({"name": taken})


async def add_folder(request: Request) -> Answer:
    """Adds the micrographs of a file or folder of this machine, below those that are allowed."""
    service: Service = request.app.state.service
    given = text((await body(request)).get("path"), "path", _LONGEST_PATH)
    path = _allowed(given, service)
    found = await asyncio.to_thread(find_micrographs, [path])
    # Links may lead elsewhere.
    inside = [one for one in found.images if _is_allowed(os.path.realpath(one), service)]
    if not inside:
        raise InputError("the folder holds no micrographs; accepted are folders with some")
    names = service.add([pathlib.Path(os.path.abspath(one)) for one in inside])  # noqa: PTH100
    return Answer({"names": names, "known": len(inside) - len(names)})


def _allowed(given: str, service: Service) -> pathlib.Path:
    """Returns the path that a request means.

    Raises:
      HTTPException: it isn't below an allowed one, whether it exists or not.
    """
    folders = (*service.config.allowed, service.root)
    tried = [given] if os.path.isabs(given) else [os.path.join(one, given) for one in folders]  # noqa: PTH117, PTH118
    for one in tried:
        # Links and steps upwards are followed first; what is no path has no real one.
        real = os.path.realpath(one) if given and "\0" not in given else ""
        if real and _is_allowed(real, service) and os.path.exists(real):  # noqa: PTH110
            return pathlib.Path(real)
    if tried and any(_is_allowed(os.path.realpath(one), service) for one in tried if given):
        raise InputError("path: there is no such file or folder; accepted are existing ones")
    raise HTTPException(
        403, "this folder isn't open to the app; accepted are those that srd app was started with"
    )


def _is_allowed(real: str, service: Service) -> bool:
    allowed = (*service.config.allowed, service.root)
    return any(pathlib.Path(real).is_relative_to(os.path.realpath(one)) for one in allowed)


async def change(request: Request) -> Answer:
    """Takes scales and groups."""
    service: Service = request.app.state.service
    given = (await body(request)).get("files")
    if not isinstance(given, dict) or not given:
        raise InputError("files: accepted is an object with the settings of files by name")
    known = service.settings.by_name
    if unknown := [name for name in given if name not in known]:
        raise HTTPException(404, f"{len(unknown)} of these micrographs aren't known")
    service.change({name: _changed(known[name], new) for name, new in given.items()})
    return Answer({"changed": list(given)})


def _changed(entry: Entry, given: Any) -> Entry:
    """Returns a micrograph with its new scale, group, or both.

    Raises:
      InputError: a field is unknown or of another kind, or there are two scales.
    """
    if not isinstance(given, dict) or set(given) - {"px_per_nm", "bar_nm", "bar", "group"}:
        raise InputError(f"{entry.name}: accepted are px_per_nm, bar_nm or bar, and group")
    if "group" in given:
        group = text(given["group"] or "", f"{entry.name}: group", _LONGEST_GROUP).strip()
        entry = dataclasses.replace(entry, group=group)
    scales = {name: given[name] for name in ("px_per_nm", "bar_nm", "bar") if name in given}
    if not scales:
        return entry
    chosen = {name: value for name, value in scales.items() if value is not None}
    if len(chosen) > 1:
        raise InputError(f"{entry.name}: has {' and '.join(chosen)}; accepted is one of them")
    px_per_nm = bar_nm = None
    for name, value in chosen.items():
        if name == "bar_nm":
            bar_nm = _length(value, f"{entry.name}: bar_nm")
        elif name == "px_per_nm":
            px_per_nm = _length(value, f"{entry.name}: px_per_nm")
        else:
            px_per_nm = _of_bar(value, entry.name)
    if px_per_nm is not None and not _SCALES[0] <= px_per_nm <= _SCALES[1]:
        raise InputError(f"{entry.name}: the scale is {px_per_nm:.4g} px/nm; accepted are "
                         f"{_SCALES[0]:g} to {_SCALES[1]:g}")  # fmt: skip
    return dataclasses.replace(entry, px_per_nm=px_per_nm, bar_nm=bar_nm)


def _of_bar(given: Any, name: str) -> float:
    """Returns px per nm of a line that a person drew over a scale bar."""
    if not isinstance(given, dict) or set(given) != {"px", "nm"}:
        raise InputError(f"{name}: bar: accepted are px and nm")
    return _length(given["px"], f"{name}: bar.px") / _length(given["nm"], f"{name}: bar.nm")


def _length(given: Any, name: str) -> float:
    if type(given) not in (int, float) or not 0 < given < 1e9 or not math.isfinite(given):
        raise InputError(f"{name}: accepted is a number above 0")
    return float(given)


async def draw_demo(request: Request) -> Answer:
    """Draws a micrograph to try the app."""
    service: Service = request.app.state.service
    with service.uploads.temporary(".png") as path:
        command = [*service.config.demo, str(path), str(secrets.randbelow(1000))]
        async with service.few:
            drawn = await running.answer_of(command, _DEMO_SECONDS, "drawn", single=False)
        return Answer({"name": service.add_upload(path, "demo", drawn["px_per_nm"])})


async def remove(request: Request) -> Answer:
    """Removes a micrograph without results."""
    service: Service = request.app.state.service
    service.remove(request.path_params["name"])
    return Answer({})
