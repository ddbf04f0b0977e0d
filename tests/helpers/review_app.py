"""The review app in tests: with a review that measures nothing, and its pages' requests."""

import contextlib
import dataclasses
import json
import pathlib
import sys

from starlette.testclient import TestClient

from helpers import analyses
from srd_jax.analysis.output import records
from srd_jax.analysis.output.folder import Folder, opened
from srd_jax.analysis.output.quantities import QUANTITIES
from srd_jax.review.server import application
from srd_jax.review.server.security import Access
from srd_jax.review.server.service import Config, Service
from srd_jax.support.errors import InputError

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


class Stale(Exception):
    def __init__(self, revision):
        super().__init__("was changed meanwhile")
        self.revision = revision


@dataclasses.dataclass(frozen=True)
class FileView:
    name: str
    file: str
    rows: int
    columns: int
    px_per_nm: float | None
    source: str
    error: str
    notes: tuple
    grana: int
    undo: bool = False
    redo: bool = False


@dataclasses.dataclass(frozen=True)
class GranumView:
    number: int
    status: str
    decision: str | None
    counts: bool
    outline: tuple
    values: dict


@dataclasses.dataclass(frozen=True)
class Change:
    revision: int
    changed: tuple
    removed: tuple = ()
    undo: bool = True
    redo: bool = False


class Review:
    """Accepts and rejects grana of the records, in memory."""

    def __init__(self, folder, read_only=False, path_of=None):
        self.folder, self.revision, self.decisions = Folder(folder), 0, {}
        self.closed = self.warmed = False
        self.refresh()

    def refresh(self):
        paths = sorted(self.folder.record("x").parent.glob("*.json"))
        self.records = {path.stem: records.read(path).analysis for path in paths}

    def warm(self):
        self.warmed = True

    def close(self):
        self.closed = True

    def files(self):
        return [
            FileView(
                name, one.file, one.rows, one.columns, one.px_per_nm, one.px_per_nm_source,
                one.error, one.notes, len(one.grana),
            )
            for name, one in self.records.items()
        ]  # fmt: skip

    def _view(self, name, granum):
        decision = self.decisions.get((name, granum.number))
        counts = decision == "accepted" or (decision is None and granum.status == "ok")
        values = {one.name: one.of(granum, self.records[name]) for one in QUANTITIES}
        known = {key: value for key, value in values.items() if value is not None}
        return GranumView(granum.number, granum.status, decision, counts, granum.outline, known)

    def grana(self, name):
        return [self._view(name, one) for one in self.records[name].grana]

    def apply(self, name, op, revision, key, who):
        words = {"accept": "accepted", "reject": "rejected"}
        grana = {one.number: one for one in self.records[name].grana}
        number = op.get("granum")
        if op["do"] not in words or type(number) is not int or number not in grana:
            raise InputError("op: accepted is to accept or reject a granum that is there")
        if revision != self.revision:
            raise Stale(self.revision)
        self.revision += 1
        self.decisions[name, number] = words[op["do"]]
        return Change(self.revision, (self._view(name, grana[number]),))

    def picture(self, name, number):
        if number > len(self.records[name].grana):
            raise InputError("no such granum")
        path = self.folder.granum(name, number)
        return path.read_bytes() if path.is_file() else None


def write_tables(folder, review, groups):
    rows = [f"{name},{groups.get(name, '')}" for name in review.records]
    (folder / "reviewed.csv").write_text("\n".join(["file,group", *rows]))


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
    plain = {"analysis": ANALYSIS, "open": Review, "write_tables": write_tables}
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
