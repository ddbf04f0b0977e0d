"""A server of the review page in tests: its HTTP interface over a `FakeReview`, in a thread."""

import asyncio
import contextlib
import io
import json
import pathlib
import threading
import time
from urllib.parse import unquote

import numpy as np
import uvicorn
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import srd_jax
from helpers.fake_review import Refusal

PAGE = pathlib.Path(srd_jax.__file__).parent / "review" / "page"
TILE = 512
# As the real server's: the page must work under them.
HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
VIOLINS = """<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"
 xmlns:xlink="http://www.w3.org/1999/xlink" width="460pt" height="200pt" viewBox="0 0 460 200">
 <defs><style type="text/css">*{{stroke-linejoin: round}}</style></defs>
 <script>window.hostile = true</script>
 <path d="M40 180H440" style="fill: none; stroke: currentColor"/>{points}</svg>"""


def _jpeg(grey):
    out = io.BytesIO()
    Image.fromarray(grey).save(out, "JPEG", quality=88)
    return Response(out.getvalue(), media_type="image/jpeg")


class FakeServer:
    """Serves a review; `down` makes the API fail."""

    def __init__(self, review):
        self.review, self.levels, self.wakes = review, {}, []
        self.uploaded, self.down = [], False

    def app(self):
        name = "/api/files/{name}"
        routes = [
            Route("/", lambda _: FileResponse(PAGE / "index.html")),
            Route("/help", lambda _: FileResponse(PAGE / "help.html")),
            Mount("/page", StaticFiles(directory=PAGE)),
            Route("/api/state", lambda _: JSONResponse(self.review.state())),
            Route(name, lambda r: JSONResponse(self.review.file(r.path_params["name"]))),
            Route(name, self.remove, methods=["DELETE"]),
            Route(f"{name}/edits", self.edit, methods=["POST"]),
            Route(f"{name}/grana/{{number:int}}.png", self.turned),
            Route("/tiles/{hash}/info.json", self.info),
            Route("/tiles/{hash}/{level:int}/{place}.jpg", self.tile),
            Route("/api/uploads", self.upload, methods=["POST"]),
            Route("/api/folder", self.folder, methods=["POST"]),
            Route("/api/settings", self.settings, methods=["POST"]),
            Route("/api/demo", self.demo, methods=["POST"]),
            Route("/api/jobs", self.start, methods=["POST"]),
            Route("/api/jobs/{id}", self.stop, methods=["DELETE"]),
            Route("/api/events", self.events),
            Route("/api/violins.svg", self.violins),
        ]
        return Starlette(routes=routes, exception_handlers={Refusal: self.refused})

    async def __call__(self, scope, receive, send):
        """Adds the headers; answers 503 to everything of the API while it is down."""

        async def sending(message):
            if message["type"] == "http.response.start":
                message["headers"] += [(k.encode(), v.encode()) for k, v in HEADERS.items()]
            await send(message)

        if scope["type"] == "http" and self.down and scope["path"].startswith("/api"):
            await JSONResponse({"error": "down"}, 503)(scope, receive, sending)
            return
        if scope["type"] == "http" and scope["method"] != "GET":
            assert dict(scope["headers"]).get(b"x-srd") == b"1"
        await self._app(scope, receive, sending)

    def refused(self, _, error):
        return JSONResponse(error.body, error.status)

    async def edit(self, request):
        given = await request.json()
        answer = self.review.edit(
            request.path_params["name"], given["revision"], given["key"], given["op"]
        )
        self.wake()
        return JSONResponse(answer)

    def turned(self, request):
        name, number = request.path_params["name"], request.path_params["number"]
        granum = self.review.files[name]["grana"][number]
        corners = np.array(granum["outline"])
        left, top = np.maximum(corners.min(axis=0).astype(int) - 8, 0)
        right, bottom = corners.max(axis=0).astype(int) + 8
        cut = Image.fromarray(self.review.greys[name][top:bottom, left:right])
        turned = cut.rotate(-granum["direction_deg"]["value"], Image.Resampling.BICUBIC, True)
        out = io.BytesIO()
        turned.resize((3 * turned.width, 3 * turned.height)).save(out, "PNG")
        return Response(out.getvalue(), media_type="image/png")

    def pyramid(self, key):
        """The levels of a picture, the smallest first."""
        if key not in self.levels:
            levels = [Image.fromarray(self.review.greys[key.removeprefix("tiles-")])]
            while max(levels[0].size) > TILE:
                size = tuple(-(-side // 2) for side in levels[0].size)
                levels.insert(0, levels[0].resize(size, Image.Resampling.BOX))
            self.levels[key] = [np.asarray(level) for level in levels]
        return self.levels[key]

    def info(self, request):
        levels = self.pyramid(request.path_params["hash"])
        rows, columns = levels[-1].shape
        return JSONResponse({"width": columns, "height": rows, "tile": TILE, "levels": len(levels)})

    def tile(self, request):
        level = self.pyramid(request.path_params["hash"])[request.path_params["level"]]
        column, row = map(int, request.path_params["place"].split("_"))
        return _jpeg(level[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE])

    async def upload(self, request):
        name, content = unquote(request.headers["x-name"]), await request.body()
        if not name.endswith((".png", ".tif")):
            raise Refusal(415, "is no micrograph; accepted: TIFF, PNG, JPEG, DM3, DM4, MRC")
        self.uploaded.append((name, len(content)))
        return self.added(name.rpartition(".")[0], name)

    async def demo(self, _):
        return self.added("demo", "demo.png")

    def added(self, stem, name):
        self.review.greys[stem] = next(iter(self.review.greys.values()))
        one = {"name": stem, "file": name, "px_per_nm": None, "bar_nm": None, "group": ""}
        self.review.pending.append(one | {"whole": f"tiles-{stem}"})
        self.wake()
        return JSONResponse({"name": stem})

    async def remove(self, request):
        name = request.path_params["name"]
        self.review.pending = [one for one in self.review.pending if one["name"] != name]
        self.wake()
        return JSONResponse({})

    async def folder(self, request):
        raise Refusal(403, f"{(await request.json())['path']} isn't below a folder of srd app")

    async def settings(self, request):
        given = (await request.json())["files"]
        self.review.settings.append(given)
        for one in [*self.review.pending, *(o["file"] for o in self.review.files.values())]:
            setting = dict(given.get(one["name"], {}))
            if bar := setting.pop("bar", None):
                setting["px_per_nm"] = bar["px"] / bar["nm"]
            one.update(setting)
            if "given" in one and "px_per_nm" in setting:
                one["given"] = {"px_per_nm": setting["px_per_nm"], "bar_nm": None}
        self.wake()
        return JSONResponse({})

    async def start(self, _):
        self.review.job = {"id": "1", "state": "running", "step": "finding grana", "error": None}
        self.review.job |= {"file": "demo.png", "done": 1, "total": 4, "seconds_left": 84}
        self.wake()
        return JSONResponse({"id": "1"})

    async def stop(self, _):
        self.review.job |= {"state": "stopped"}
        self.wake()
        return JSONResponse({})

    def finish(self, outlines):
        """Ends the job: what waits is analysed."""
        for one in self.review.pending:
            grey = self.review.greys[one["name"]]
            made = {one["name"]: (grey, one["px_per_nm"] or 0.6, one["group"], outlines)}
            fresh = type(self.review)(made)
            self.review.files |= fresh.files
            self.review.past |= fresh.past
            self.review.future |= fresh.future
        self.review.pending = []
        self.review.job |= {"state": "done", "done": 4}
        self.review.revision += 1
        self.wake()

    def violins(self, request):
        points = "".join(
            f'<g id="point-{name}-{number}"><circle cx="{60 + 20 * i}" cy="{100 - 4 * j}" r="5" '
            'style="fill: #56b4e9; stroke: #ffffff"/></g>'
            for j, (name, one) in enumerate(self.review.files.items())
            for i, number in enumerate(one["grana"])
        )
        assert request.query_params["quantity"]
        return Response(VIOLINS.format(points=points), media_type="image/svg+xml")

    async def events(self, _):
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        self.wakes.append((loop, event))

        async def lines():
            while not self.down:
                yield f"event: state\ndata: {json.dumps(self.review.revision)}\n\n"
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), 0.5)
                    event.clear()

        return StreamingResponse(lines(), media_type="text/event-stream")

    def wake(self):
        """Tells the pages that something has changed."""
        for loop, event in self.wakes:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    @contextlib.contextmanager
    def running(self):
        """Serves on a free port of the loopback; yields the address."""
        self._app = self.app()
        config = uvicorn.Config(
            self, port=0, log_level="error", lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            self.down = True
            self.wake()
            server.should_exit = True
            thread.join(10)
