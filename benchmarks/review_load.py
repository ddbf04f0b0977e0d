"""What the benchmarks of the review app share: its server, and clients that review by HTTP."""

import contextlib
import dataclasses
import http.client
import io
import json
import os
import pathlib
import random
import secrets
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Micrographs with drawn results, whose grana are measured by geometry alone; see tests/helpers.
DRAWN = ("-m", "helpers.drawn_review", "serve")
# The app itself, which finds grana without a network.
REAL = ("-m", "srd_jax", "app", "--detector", "classical", "--no-browser", "--port", "0")
_SECONDS = 200


class Lost(Exception):
    """The server is gone, or its answer is."""


@dataclasses.dataclass
class Server:
    """A server and how its browsers reach it."""

    process: subprocess.Popen[str]
    host: str
    cookie: str


@contextlib.contextmanager
def serving(folder: pathlib.Path, real: bool = False) -> Iterator[Server]:
    """Starts the app on a folder; ends it, with all that it has started, at the end."""
    command = [*REAL, "--workdir", str(folder)] if real else [*DRAWN, str(folder)]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        address = urllib.parse.urlsplit(process.stdout.readline().split()[-1])
        status, headers, _ = _asked(address.netloc, "GET", f"/?{address.query}", None, {})
        assert status == 303, status
        yield Server(process, address.netloc, headers["set-cookie"].partition(";")[0])
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _asked(host: str, method: str, path: str, body: Any, headers: dict[str, str]):
    connection = http.client.HTTPConnection(host, timeout=_SECONDS)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise Lost(str(error)) from error
    finally:
        connection.close()


class Client:
    """A page without a browser.

    Attributes:
      server: that it asks.
      statuses: number of answers by their status.
      bad: answers that a server should never give, in words.
      edits: key, name, operation and revision of each edit that was acknowledged.
      open: the request of an edit that wasn't answered, if any.
    """

    def __init__(self, server: Server, seed: int):
        """Takes the server."""
        self.server, self.chance = server, random.Random(seed)
        self.statuses: dict[int, int] = {}
        self.bad: list[str] = []
        self.edits: list[tuple[str, str, dict[str, Any], int]] = []
        self.open: tuple[str, dict[str, Any]] | None = None

    def ask(self, method: str, path: str, content: Any = None, **headers: str) -> tuple[int, bytes]:
        """Returns status and body of an answer.

        Raises:
          Lost: there is none.
        """
        own = {"Cookie": self.server.cookie, "X-SRD": "1", "Origin": f"http://{self.server.host}"}
        body = content if isinstance(content, bytes | None) else json.dumps(content).encode()
        status, _, answer = _asked(self.server.host, method, path, body, {**own, **headers})
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status >= 500:
            self.bad.append(f"{method} {path}: {status} {answer[:300]!r}")
        return status, answer

    def get(self, path: str) -> Any:
        """Returns the JSON of an answer; None for a refusal."""
        status, answer = self.ask("GET", path)
        return json.loads(answer) if status == 200 else None

    def upload(self, picture: np.ndarray, name: str) -> str:
        """Hands in a micrograph; returns its name."""
        content = io.BytesIO()
        Image.fromarray(picture).save(content, "PNG")
        status, answer = self.ask("POST", "/api/uploads", content.getvalue(), **{"X-Name": name})
        assert status == 200, answer
        return json.loads(answer)["name"]

    def edit(self, name: str, op: dict[str, Any], revision: int) -> int:
        """Sends an edit of its own key; returns the status."""
        key = secrets.token_hex(16)
        return self.send(name, {"revision": revision, "key": key, "op": op})

    def send(self, name: str, content: dict[str, Any]) -> int:
        """Sends an edit, perhaps again; returns the status."""
        self.open = (name, content)
        status, answer = self.ask("POST", f"/api/files/{name}/edits", content)
        self.open = None
        if status == 200:
            revision = json.loads(answer)["revision"]
            self.edits.append((content["key"], name, content["op"], revision))
        return status

    def review(self, name: str) -> int:
        """Does something to a micrograph, by chance; returns the status, 0 if there is nothing."""
        found = self.get(f"/api/files/{name}")
        if found is None:
            return 0
        size = found["file"]["columns"], found["file"]["rows"]
        op = operation(self.chance, found["grana"], size)
        return self.edit(name, op, found["revision"])


def operation(chance: random.Random, grana: list[Any], size: tuple[int, int]) -> dict[str, Any]:
    """Returns an operation by chance, most of which can be done."""
    do = chance.choices(
        ("accept", "reject", "reset_decision", "outline", "direction", "period", "split", "join",
         "delete", "add", "undo", "redo"),
        (30, 12, 4, 14, 6, 4, 3, 3, 2, 4, 12, 6),
    )[0]  # fmt: skip
    if do in ("undo", "redo"):
        return {"do": do}
    if do == "add" or len(grana) < 2:
        x, y = (chance.uniform(45, side - 45) for side in size)
        corners = ((-40, -25), (40, -25), (40, 25), (-40, 25))
        return {"do": "add", "outline": [[x + u, y + v] for u, v in corners]}
    granum, other = chance.sample(grana, 2)
    if do == "join":
        return {"do": do, "grana": [granum["number"], other["number"]]}
    op = {"do": do, "granum": granum["number"]}
    xs, ys = zip(*granum["outline"], strict=True)
    x, y = sum(xs) / len(xs), sum(ys) / len(ys)
    if do == "outline":
        factor = chance.uniform(0.9, 1.05)
        corners = [[x + factor * (u - x), y + factor * (v - y)] for u, v in granum["outline"]]
        op["outline"] = [[min(max(u, 0), size[0]), min(max(v, 0), size[1])] for u, v in corners]
    elif do == "direction":
        op["direction_deg"] = chance.choice([None, chance.uniform(0, 180)])
    elif do == "period":
        op["period_px"] = chance.choice([None, chance.uniform(8, 16)])
    elif do == "split":
        op["line"] = [[x, min(ys) - 5], [x, max(ys) + 5]]
    return op


def noise(seed: int) -> np.ndarray:
    """Returns a micrograph of 400 x 500 px of noise."""
    return np.random.default_rng(seed).integers(60, 200, (400, 500), np.uint8)


def lost_edits(folder: pathlib.Path, clients: list[Client]) -> list[str]:
    """Compares the log with what was acknowledged; returns what is wrong, in words."""
    text = (folder / "app" / "log.jsonl").read_text()
    if not text.endswith("\n"):
        text = text[: text.rfind("\n") + 1]
    entries = [json.loads(line) for line in text.splitlines()]
    revisions = [one["revision"] for one in entries]
    wrong = [] if revisions == sorted(set(revisions)) else ["revisions don't rise one by one"]
    by_key: dict[str, list[Any]] = {}
    for one in entries:
        by_key.setdefault(one["key"], []).append(one)
    for key, name, op, revision in (one for client in clients for one in client.edits):
        found = by_key.get(key, [])
        if len(found) != 1:
            wrong.append(f"edit {revision} of {name} ({op['do']}) is there {len(found)} times")
        elif (found[0]["file"], found[0]["op"]["do"], found[0]["revision"]) != (
            name, op["do"], revision
        ):  # fmt: skip
            wrong.append(f"edit {revision} of {name} ({op['do']}) is another one in the log")
    return wrong
