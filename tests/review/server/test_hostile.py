"""Random hostile requests: none makes the app fail, and none writes or tells what it shouldn't."""

import json
import random

from helpers import review_app
from helpers.review_app import ask, browsing, service_of

from srd_jax.support.errors import InputError

REQUESTS = 500
PARTS = (
    "..", "%2e%2e", "..%2f", "/etc/passwd", "\0", "\n", "a" * 3000, "\u202e", "\uff0f", "con", "m0",
    "1.png", "-1", "1e309", "NaN", "', '", "<script>", "{}", "%", "%zz", "\ud7ff", "٣",
    "$(id)", " ",
)  # fmt: skip
PATHS = (
    "/", "/help", "/page/{}", "/api/state", "/api/files/{}", "/api/files/{}/edits",
    "/api/files/m0/edits", "/api/files/m0/grana/{}", "/api/files/{}/grana/{}.png",
    "/tiles/{}/info.json", "/tiles/{}/{}/{}.jpg", "/tiles/{digest}/{}/{}", "/api/uploads",
    "/api/folder", "/api/settings", "/api/jobs/{}", "/api/violins.svg", "/{}", "/api/{}",
)  # fmt: skip
TAKING = ("/edits", "/uploads", "/folder", "/settings")
VALUES = (
    None, True, 0, -1, 2**63, 10**400, 1e308, "", "..", "/etc", "accept", "outline", [], {}, [[]],
    "\ud800", [[0, 0], [1, 1], [2, 0]], {"do": "accept", "granum": 1}, {"do": {}}, "x" * 9999,
)  # fmt: skip
FIELDS = (
    "revision",
    "key",
    "op",
    "path",
    "files",
    "m0",
    "px_per_nm",
    "bar",
    "group",
    "do",
    "granum",
)


def content_of(rng):
    kind = rng.randrange(8)
    if kind == 0:
        return rng.randbytes(rng.randrange(2000))
    if kind == 1:
        return b"[" * rng.randrange(1, 50_000)
    value = {name: rng.choice(VALUES) for name in rng.sample(FIELDS, rng.randrange(6))}
    for _ in range(rng.randrange(3)):
        value = {rng.choice(FIELDS): value, **{rng.choice(FIELDS): rng.choice(VALUES)}}
    return json.dumps(value).encode()[: rng.choice((None, None, None, 40))]


def request_of(rng, digest):
    kind = rng.choice(PATHS)
    path = kind.replace("{digest}", digest)
    while "{}" in path:
        path = path.replace("{}", rng.choice(PARTS), 1)
    headers = {}
    for name in (
        b"x-name",
        b"content-length",
        b"content-type",
        b"range",
        b"cookie",
        b"host",
        b"origin",
    ):
        if rng.random() < (0.6 if name == b"x-name" else 0.04):
            odd = rng.choice((*PARTS, "../x.png", "CON.tif", "bytes=0-,-1", "srd=", "9" * 400))
            headers[name] = odd.encode()
    content = content_of(rng)
    cut = rng.randrange(len(content) + 1)
    method = "POST" if kind.endswith(TAKING) else "GET"
    if rng.random() < 0.3:
        method = rng.choice(("GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "x"))
    query = rng.choice((b"", b"token=x", b"quantity=\xff", b"quantity=srd_nm&group=9", b"&&=%00"))
    return method, path, headers, [content[:cut], content[cut:]], query


def everything(folder):
    return {path.relative_to(folder): path.stat().st_size for path in folder.rglob("*")}


def test_random_hostile_requests_never_fail(tmp_path, monkeypatch):
    rng = random.Random(21)
    review_app.analysed(tmp_path / "w")
    service = service_of(tmp_path / "w", allowed=(tmp_path / "micrographs",))

    async def unsound(self, path, name):
        raise InputError("isn't a micrograph")

    # A process for each would take long; that decoding fails well is tested elsewhere.
    monkeypatch.setattr(type(service.uploads), "check", unsound)
    with browsing(service) as client:
        digest = client.get("/api/state").json()["files"][0]["tiles"]
        before = everything(tmp_path)
        statuses = set()
        for _ in range(REQUESTS):
            given = request_of(rng, digest)
            status, headers, body = ask(client, *given)
            assert status < 500, given
            assert headers[b"x-content-type-options"] == b"nosniff"
            if status >= 400:
                assert str(tmp_path).encode() not in body
                assert b"Traceback" not in body
                assert b"root:" not in body
            statuses.add(status)
        assert client.get("/api/state").status_code == 200
        new = {path for path in everything(tmp_path) if path not in before}
    # Bad requests of many kinds came through to where they are judged.
    assert {200, 400, 403, 404, 405, 415, 422} <= statuses
    assert all(path.parts[:2] == ("w", "app") for path in new), new
