"""Refuses requests of other pages, programs and machines, and sets the headers of all answers.

A page of another site may send requests to this machine: it can't set the cookie, which is strict,
nor the header X-SRD, and its Origin isn't ours; a name that it lets point here isn't in Host.
Another program of this machine lacks the token.
"""

import dataclasses
import hmac
import html
import logging
import os
import secrets

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from srd_jax.review.server.answers import on_unexpected, refusal
from srd_jax.support.errors import unexpected

_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
_SAFE = ("GET", "HEAD")
_NO_COOKIE = "open the address that srd app printed when it was started, with its token"
_READ_ONLY = "another srd app works on this folder, so this one only shows it"
_log = logging.getLogger("uvicorn.error")


@dataclasses.dataclass(frozen=True)
class Access:
    """Who may use the app.

    Attributes:
      hosts: values of the header Host, in small letters.
      token: in the address that is printed at start.
      cookie: name of the cookie; cookies of one machine are shared by all its ports.
      session: its value.
      read_only: whether nothing may be changed.
    """

    hosts: frozenset[str]
    token: str = dataclasses.field(default_factory=lambda: secrets.token_urlsafe(32))
    cookie: str = "srd"
    session: str = dataclasses.field(default_factory=lambda: secrets.token_urlsafe(32))
    read_only: bool = False


class Guard:
    """Stands before the app: passes on what `Access` allows."""

    def __init__(self, app: ASGIApp, access: Access):
        """Takes the app behind it."""
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request or passes it on; an unexpected error becomes one line."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        request, started = Request(scope), False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _harden(MutableHeaders(scope=message), scope["path"])
            await send(message)

        try:
            await (self._answer(request) or self._app)(scope, receive, sending)
        except Exception as error:
            # Starlette raises what it has answered by `answers.on_unexpected`.
            shown = error if os.environ.get("SRD_TRACEBACK") else None
            _log.error("%s; SRD_TRACEBACK=1 shows a traceback", unexpected(error), exc_info=shown)
            if not started:
                await (await on_unexpected(request, error))(scope, receive, sending)

    def _answer(self, request: Request) -> Response | None:
        """Returns the answer to a request that isn't passed on."""
        access, path = self._access, request.scope["path"]
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in access.hosts:
            return refusal(403, "this name of the machine isn't known; accepted are those that srd "
                           "app was started with")  # fmt: skip
        origin, own = (
            request.headers.get("origin"),
            f"{request.scope['scheme']}://{hosts[0].lower()}",
        )
        if origin is not None and origin.lower() != own:
            return refusal(403, "the request comes from another page; accepted is the app's own")
        if path == "/" and request.method == "GET" and "token" in request.query_params:
            return self._entered(request)
        if not _same(request.cookies.get(access.cookie, ""), access.session):
            return _locked_out(request)
        if request.method in _SAFE:
            return None
        if origin is None or request.headers.get("x-srd") != "1":
            return refusal(403, "the request comes from no page of the app; accepted are its own")
        return refusal(403, _READ_ONLY) if access.read_only else None

    def _entered(self, request: Request) -> Response:
        """Exchanges the token for the cookie."""
        if not _same(request.query_params["token"], self._access.token):
            return _locked_out(request)
        answer: Response = RedirectResponse("/", 303)
        if request.headers.get("sec-fetch-site") == "cross-site":
            # A redirect would still count as of the other site, and the cookie wouldn't be sent.
            answer = HTMLResponse('<!doctype html><meta http-equiv="refresh" content="0; url=/">')
        answer.set_cookie(
            self._access.cookie, self._access.session, path="/", httponly=True, samesite="strict"
        )
        return answer


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), known.encode())


def _locked_out(request: Request) -> Response:
    if request.scope["path"].startswith(("/api", "/tiles", "/page", "/download")):
        return refusal(403, _NO_COOKIE)
    words = html.escape(f"{_NO_COOKIE[0].upper()}{_NO_COOKIE[1:]}.")
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>srd</title><p>{words}</p>'
    return HTMLResponse(page, 403)


def _harden(headers: MutableHeaders, path: str) -> None:
    for name, value in _HEADERS.items():
        headers[name] = value
    if path.startswith(("/api", "/download")):
        headers["cache-control"] = "no-store"
    elif "cache-control" not in headers:
        headers["cache-control"] = "no-cache" if path.startswith("/page/") else "no-store"
