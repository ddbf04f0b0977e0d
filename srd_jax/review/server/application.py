"""Puts the app together, and serves it."""

import asyncio
import contextlib
import pathlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from srd_jax.review.server import answers, routes
from srd_jax.review.server.security import Access, Guard
from srd_jax.review.server.service import Service
from srd_jax.support.errors import InputError

PAGE = pathlib.Path(__file__).parent.parent / "page"


def make(service: Service, access: Access, page: pathlib.Path = PAGE) -> Guard:
    """Returns the app of a service.

    Args:
      service: what it shows.
      access: who may use it.
      page: folder of the page's files.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        warming = asyncio.create_task(asyncio.to_thread(service.review.warm))
        following = asyncio.create_task(service.follow()) if service.read_only else None
        yield
        if following is not None:
            following.cancel()
        await warming
        await service.close()

    handlers: dict[Any, Any] = {
        HTTPException: answers.on_http,
        InputError: answers.on_input,
        Exception: answers.on_unexpected,
    }
    found = [Route(path, handler, methods=[method]) for path, handler, method in routes.API]
    app = Starlette(routes=found, lifespan=lifespan, exception_handlers=handlers)
    # A path with a slash behind it is another one, not a redirection.
    app.router.redirect_slashes = False
    app.state.service, app.state.page = service, routes.files_of_page(page)
    app.state.drawing, app.state.packing = asyncio.Lock(), asyncio.Lock()
    return Guard(app, access)


class _Server(uvicorn.Server):
    """A server that ends the endless streams when it is told to end."""

    def __init__(self, config: uvicorn.Config, closing: Callable[[], None]):
        super().__init__(config)
        self._closing, self._loop = closing, None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._closing)


def serve(app: Guard, service: Service, bound: socket.socket) -> None:
    """Serves an app until the process is told to end."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=200,
        timeout_graceful_shutdown=5,
        ws="none",
        lifespan="on",
    )
    _Server(config, service.events.close).run(sockets=[bound])
