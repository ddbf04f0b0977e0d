"""The app in a process of its own, asked over real connections."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys

import pytest

import srd_jax

ROOT = pathlib.Path(srd_jax.__file__).parent.parent
PROGRAM = """
import pathlib, socket, sys
from helpers import review_app
from srd_jax.review.server import application
from srd_jax.review.server.security import Access
from srd_jax.review.server.uploads import Room
root = pathlib.Path(sys.argv[1])
review_app.analysed(root)
service = review_app.service_of(root, room=Room(megabytes=1))
service.review.close = lambda: print("closed", flush=True)
bound = socket.create_server(("127.0.0.1", 0))
host = f"127.0.0.1:{bound.getsockname()[1]}"
access = Access(frozenset({host}))
print(host, access.token, flush=True)
application.serve(application.make(service, access), service, bound)
"""


@pytest.fixture
def app(tmp_path):
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "w")],
        env={**os.environ, "PYTHONPATH": paths},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ask(host, method, path, body=None, **headers):
    with contextlib.closing(http.client.HTTPConnection(host, timeout=30)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def test_the_app_over_connections(app):
    host, token = app.stdout.readline().split()
    assert ask(host, "GET", "/api/state")[0] == 403
    status, headers, _ = ask(host, "GET", f"/?token={token}")
    assert status == 303
    cookie = {"Cookie": headers["set-cookie"].partition(";")[0]}
    status, headers, body = ask(host, "GET", "/api/state", **cookie)
    assert (status, len(json.loads(body)["files"])) == (200, 2)
    assert "server" not in headers
    assert ask(host, "GET", "/api/state", **cookie, Host="evil.example")[0] == 403
    # Without a length, as no honest browser sends it.
    own = {**cookie, "X-SRD": "1", "Origin": f"http://{host}", "X-Name": "x.png"}
    status, _, body = ask(host, "POST", "/api/uploads", iter([b"x" * 100_000] * 20), **own)
    assert (status, "larger than 1 MB" in json.loads(body)["error"]) == (413, True)

    listening = http.client.HTTPConnection(host, timeout=30)
    listening.request("GET", "/api/events", headers=cookie)
    events = listening.getresponse()
    assert events.readline() == b"event: state\n"
    op = {"do": "accept", "granum": 1}
    content = json.dumps({"revision": 0, "key": "k", "op": op})
    assert ask(host, "POST", "/api/files/m0/edits", content, **own)[0] == 200
    assert [events.readline() for _ in range(3)] == [b"data: {}\n", b"\n", b"event: state\n"]
    # A page that listens doesn't keep the app from ending.
    app.send_signal(signal.SIGTERM)
    assert app.stdout.read() == "closed\n"
    assert app.wait(30) in (0, -signal.SIGTERM)
    listening.close()
