"""The requests of pages, but those that add micrographs."""

import asyncio
import getpass
import pathlib
import re
from typing import Any

from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from srd_jax.analysis.output.quantities import IN_PX, QUANTITIES
from srd_jax.analysis.output.table import GRANA
from srd_jax.review.server import downloads, micrographs
from srd_jax.review.server.answers import Answer, body, refusal
from srd_jax.review.server.reviewing import checked_edit, plain
from srd_jax.review.server.service import Service
from srd_jax.review.state.review import NoSuchFile, Stale
from srd_jax.support.errors import InputError, one_line

_PICTURE = re.compile(r"(\d{1,6})\.png", re.ASCII)
_FOREVER = {"cache-control": "private, max-age=31536000, immutable"}
_LOOPBACK = ("127.0.0.1", "::1", "localhost", "testclient")
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".md": "text/plain",
    ".txt": "text/plain",
    "": "text/plain",
}


def _service(request: Request) -> Service:
    return request.app.state.service


def _known(request: Request) -> Any:
    """Returns the analysed micrograph of an address.

    Raises:
      HTTPException: there is none.
    """
    try:
        return _service(request).review.file(request.path_params["name"])
    except NoSuchFile:
        raise HTTPException(404, "there is no such analysed micrograph") from None


async def page(request: Request) -> Response:
    """Answers with a file of the page: only those that were there at start have an address."""
    name = request.path_params.get("file") or {"/": "index.html", "/help": "help.html"}.get(
        request.scope["path"], ""
    )
    path: pathlib.Path | None = request.app.state.page.get(name)
    if path is None:
        raise HTTPException(404, "there is no such page")
    return FileResponse(path, media_type=_TYPES[path.suffix])


def files_of_page(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """Returns the files that pages may load by their addresses."""
    found = (one for one in folder.rglob("*") if one.suffix in _TYPES and one.is_file())
    return {one.relative_to(folder).as_posix(): one for one in found if not one.is_symlink()}


def _columns() -> list[dict[str, Any]]:
    meanings = {column.name: column.meaning for column in GRANA}
    return [
        {
            "name": one.name,
            "label": one.words,
            "unit": one.unit,
            "meaning": meanings.get(one.name, one.label),
            "decimals": one.decimals,
        }
        for one in (*QUANTITIES, *IN_PX)
    ]


async def state(request: Request) -> Answer:
    """Answers with what all pages show."""
    return Answer({**_service(request).state(), "columns": _columns()})


async def events(request: Request) -> Response:
    """Answers with events, as long as the page listens."""
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    return StreamingResponse(_service(request).events.stream(), media_type="text/event-stream")


async def one_file(request: Request) -> Answer:
    """Answers with a micrograph and its grana."""
    service, view = _service(request), _known(request)
    revision = service.review.revision
    grana = [plain(one) for one in await asyncio.to_thread(service.review.grana, view.name)]
    file = service.file(view, service.settings.by_name.get(view.name))
    about = {"revision": revision, "undo": view.undo, "redo": view.redo}
    return Answer({"file": file, "grana": grana, **about})


async def edit(request: Request) -> Answer:
    """Carries out a command of a page."""
    service, view = _service(request), _known(request)
    given = checked_edit(await body(request))
    who, name = _who(request), view.name
    try:
        change = await service.edit(name, given, who)
    except Stale as error:
        return refusal(409, one_line(error), revision=error.revision)
    service.events.tell()
    return Answer(plain(change))


def _who(request: Request) -> str:
    client = request.client.host if request.client else ""
    if client not in _LOOPBACK:
        return client
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "user"


async def picture(request: Request) -> Response:
    """Answers with the turned picture of a granum."""
    service, view = _service(request), _known(request)
    found = _PICTURE.fullmatch(request.path_params["picture"])
    if found is None:
        raise HTTPException(404, "there is no such picture")
    try:
        drawn = await asyncio.to_thread(service.review.picture, view.name, int(found[1]))
    except InputError as error:
        raise HTTPException(404, one_line(error)) from error
    if drawn is None:
        raise HTTPException(404, "this granum has no picture")
    return Response(drawn, media_type="image/png")


async def tile_info(request: Request) -> Response:
    """Answers with the sizes of a micrograph's tiles."""
    service, digest = _service(request), request.path_params["digest"]
    path = await service.tiles.info(digest)
    return FileResponse(path, media_type="application/json", headers=_FOREVER)


async def tile(request: Request) -> Response:
    """Answers with a tile."""
    given = request.path_params
    path = await _service(request).tiles.tile(given["digest"], given["level"], given["tile"])
    return FileResponse(path, media_type="image/jpeg", headers=_FOREVER)


async def start_job(request: Request) -> Answer:
    """Puts an analysis into the line."""
    if await body(request):
        raise InputError("the analysis: accepted is an empty object")
    service = _service(request)
    if not service.settings.files:
        raise InputError("there are no micrographs; accepted is to add some first")
    return Answer(service.jobs.add().told())


async def stop_job(request: Request) -> Answer:
    """Stops an analysis."""
    job = await _service(request).jobs.stop(request.path_params["job"])
    return Answer(job.told())


async def violins(request: Request) -> Response:
    """Answers with the plot of a quantity."""
    # Late, as drawing takes its time to load.
    from srd_jax.review.server import violins as drawing

    service, given = _service(request), request.query_params
    if (quantity := given.get("quantity", "srd_nm")) not in drawing.NAMES:
        raise InputError(f"quantity: accepted is one of {', '.join(drawing.NAMES)}")
    grouped = given.get("group") == "1"
    known = service.settings.by_name

    def drawn() -> bytes:
        files = {}
        for one in service.review.files():
            group = known[one.name].group if grouped and one.name in known else ""
            files[one.name] = (group, [plain(granum) for granum in service.review.grana(one.name)])
        return drawing.draw(quantity, files)

    async with request.app.state.drawing:
        return Response(await asyncio.to_thread(drawn), media_type="image/svg+xml")


async def download(request: Request) -> Response:
    """Answers with a zip of all results."""
    service = _service(request)
    if request.method == "HEAD":
        return Response(media_type="application/zip")
    async with request.app.state.packing:
        await service.write_tables()
        place = service.uploads.temporary(".zip")
        path = place.__enter__()
        try:
            await asyncio.to_thread(downloads.pack, service.root, path)
        except BaseException:
            place.__exit__(None, None, None)
            raise
    done = BackgroundTask(place.__exit__, None, None, None)
    return FileResponse(path, filename="srd.zip", media_type="application/zip", background=done)


API = (
    ("/api/state", state, "GET"),
    ("/api/events", events, "GET"),
    ("/api/violins.svg", violins, "GET"),
    ("/api/uploads", micrographs.upload, "POST"),
    ("/api/folder", micrographs.add_folder, "POST"),
    ("/api/settings", micrographs.change, "POST"),
    ("/api/demo", micrographs.draw_demo, "POST"),
    ("/api/jobs", start_job, "POST"),
    ("/api/jobs/{job}", stop_job, "DELETE"),
    ("/api/files/{name}", one_file, "GET"),
    ("/api/files/{name}", micrographs.remove, "DELETE"),
    ("/api/files/{name}/edits", edit, "POST"),
    ("/api/files/{name}/grana/{picture}", picture, "GET"),
    ("/tiles/{digest}/info.json", tile_info, "GET"),
    ("/tiles/{digest}/{level}/{tile}", tile, "GET"),
    ("/download.zip", download, "GET"),
    ("/page/{file:path}", page, "GET"),
    ("/help", page, "GET"),
    ("/", page, "GET"),
)
