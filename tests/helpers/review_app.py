"""The review app in tests: its review measures by geometry alone; and its pages' requests."""

import contextlib
import json
import pathlib
import sys

from starlette.testclient import TestClient

from helpers import analyses, reviews
from srd_jax.analysis.output import records
from srd_jax.analysis.output.folder import opened
from srd_jax.review.server import application
from srd_jax.review.server.security import Access
from srd_jax.review.server.service import Config, Service
from srd_jax.review.state import review

ORIGIN = "http://127.0.0.1:8080"
OWN = {"X-SRD": "1", "Origin": ORIGIN}


# Names that a browser may send, and those that they become.
HOSTILE_NAMES = {
    "../../../../etc/passwd.png": "passwd",
    "/etc/cron.d/x.tif": "x",
    "C:\\Windows\\system32\\a.tif": "a",
    "..%2f..%2fa.png": "a",
    "..\uff0f..\uff0fb.png": "b",
    "CON.png": "CON_",
    "nul.tar.png": "nul_tar",
    "name\u202egnp.exe.png": "name_gnp_exe",
    "a\0b\r\nSet-Cookie: x=1.png": "a_b__Set-Cookie_ x_1",
    "-rf ~.png": "rf",
    "=cmd|calc!A1.png": "cmd_calc_A1",
    ".hidden.png": "hidden",
    "<img src=x onerror=alert(1)>.png": "img src_x onerror_alert(1",
    "....png": "micrograph",
    "%00.png": "micrograph",
    f"{'a' * 5000}.png": "a" * 80,
    f"{'漢' * 300}.png": "漢" * 53,
    "Grün ☃ 1.TIFF": "Grün _ 1",
}


class Review(review.Review):
    """Measures by geometry alone, and tells what is done to it."""

    def __init__(self, folder, read_only=False, path_of=None):
        self.closed = self.warmed = False
        super().__init__(folder, reviews.measure, read_only, path_of)

    def warm(self):
        self.warmed = True

    def close(self):
        super().close()
        self.closed = True


def grana(client, name):
    """The grana that the machine has found on a micrograph."""
    return records.read(client.service.root / "records" / f"{name}.json").analysis.grana


def stand_in(text):
    """The command line of a program given as its text."""
    return [sys.executable, "-c", text]


ANALYSIS = stand_in(
    """
import json, pathlib, sys, time
root = pathlib.Path(sys.argv[1])
if "--tables" in sys.argv:
    (root / "grana.csv").write_text("file")
    print("{}")
    sys.exit()
for done in range(4):
    told = {"step": "measuring", "file": f"m{done}", "done": done, "total": 3}
    print(json.dumps(told), flush=True)
"""
)


def analysed(root, micrographs=2):
    """Makes a folder of `srd analyse` with results drawn for micrographs outside of it."""
    paths = analyses.write_micrographs(root.parent / "micrographs", micrographs)
    with opened(str(root)) as folder:
        for path in paths:
            micrograph = analyses.read(path)
            result = analyses.analyse(micrograph).analysis
            made = records.identity(path, {"px_per_nm": 0.6, "bar_nm": None})
            folder.granum(path.stem, 1).parent.mkdir(exist_ok=True)
            folder.granum(path.stem, 1).write_bytes(b"\x89PNG picture of 1")
            records.write(folder.record(path.stem), records.Record(made, (), result))
    return paths


def service_of(root, **changes):
    """A service of a folder, which is made if it isn't there."""
    with opened(str(root)):
        pass
    plain = {"analysis": ANALYSIS, "open": Review}
    return Service(Config(pathlib.Path(root), **plain | changes))


@contextlib.contextmanager
def browsing(service, read_only=False, page=application.PAGE):
    """Yields a browser with the cookie; its app has the attributes `access` and `service`."""
    access = Access(frozenset({"127.0.0.1:8080", "localhost:8080"}), read_only=read_only)
    app = application.make(service, access, page)
    with TestClient(app, ORIGIN, raise_server_exceptions=False, follow_redirects=False) as client:
        client.access, client.service = access, service
        client.cookies.set(access.cookie, access.session)
        yield client


def post(client, path, content=None, headers=OWN, **more):
    return client.post(path, content=json.dumps(content or {}), headers=headers, **more)


def upload(client, content, name, headers=OWN):
    return client.post("/api/uploads", content=content, headers={**headers, "X-Name": name})


def ask(client, method, path, headers=(), chunks=(b"",), query=b""):
    """Sends a request as bytes that no client would, and returns status, headers, body."""
    known = {b"host": b"127.0.0.1:8080", b"origin": ORIGIN.encode(), b"x-srd": b"1"}
    cookie = f"{client.access.cookie}={client.access.session}".encode()
    known |= {b"cookie": cookie, **dict(headers)}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
        "scheme": "http", "path": path, "raw_path": path.encode("utf-8", "replace"),
        "query_string": query, "root_path": "", "client": ("127.0.0.1", 1), "server": ("x", 8080),
        "headers": [(name, value) for name, value in known.items() if value is not None],
    }  # fmt: skip
    bodies, sent = list(chunks), []

    async def receive():
        if bodies and bodies[0] is not None:
            part = bodies.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(bodies)}
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    async def call():
        await client.app(scope, receive, send)

    client.portal.call(call)
    body = b"".join(one.get("body", b"") for one in sent)
    return sent[0]["status"], dict(sent[0]["headers"]), body


class Broken:
    """Parts of a body whose sender goes away before the end."""

    def __iter__(self):
        return iter([b"x", None])
