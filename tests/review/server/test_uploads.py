import io
import json
import struct
import zlib
from urllib.parse import quote

import numpy as np
import pytest
from helpers import review_app
from helpers.review_app import OWN, ask, browsing, post, service_of, upload
from PIL import Image

from srd_jax.review.server.tiles import Limits
from srd_jax.review.server.uploads import Room


def png(shape=(40, 60), seed=3):
    grey = np.random.default_rng(seed).integers(60, 200, shape, np.uint8)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    return file.getvalue()


def bomb(rows, columns):
    """A PNG of one colour: few bytes, many pixels."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    packer = zlib.compressobj(9)
    line = b"\0" * (columns + 1)
    data = b"".join(packer.compress(line) for _ in range(rows)) + packer.flush()
    head = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def everything(folder):
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def client(tmp_path):
    room = Room(megabytes=1, files=25, total_megabytes=3)
    limits = Limits(memory=600_000_000, seconds=30)
    with browsing(service_of(tmp_path / "w", room=room, limits=limits)) as client:
        yield client


def test_a_micrograph_is_taken_as_it_was_sent(client):
    content = png()
    found = upload(client, content, "m%201.png")
    assert (found.status_code, found.json()) == (200, {"name": "m 1"})
    root = client.service.root
    assert (root / "uploads" / "m 1.png").read_bytes() == content
    [pending] = client.get("/api/state").json()["pending"]
    assert (pending["name"], pending["file"], pending["px_per_nm"]) == ("m 1", "m 1.png", None)
    assert upload(client, content, "M%201.png").json() == {"name": "M 1-2"}


def test_hostile_names_stay_in_the_folder_of_uploads(client, tmp_path, monkeypatch):
    async def sound(self, path, name):
        return None

    # Decoding is of no interest here, and takes a process each.
    monkeypatch.setattr(type(client.service.uploads), "check", sound)
    before = everything(tmp_path)
    for name in review_app.HOSTILE_NAMES:
        status, _, body = ask(
            client,
            "POST",
            "/api/uploads",
            {b"x-name": quote(name, safe="%").encode()},
            chunks=[b"content"],
        )
        assert status == 200, body
    new = everything(tmp_path) - before
    assert len([path for path in new if path.parts[:2] == ("w", "uploads")]) == len(
        review_app.HOSTILE_NAMES
    )
    assert {path.parts[:2] for path in new} <= {("w", "uploads"), ("w", "app")}


@pytest.mark.parametrize(
    "name", ["a.svg", "a.html", "a.zip", "a.pkl", "a.npy", "", "png", "a.png.sh"]
)
def test_other_kinds_of_files_are_refused(client, name):
    found = upload(client, png(), name)
    assert found.status_code == 415
    assert "accepted are .png" in found.json()["error"]


@pytest.mark.parametrize(
    "content", [b"<svg/>", b"\x89PNG\r\n\x1a\n" + b"\0" * 99, b"#!/bin/sh", png()[:700]]
)
def test_what_is_no_micrograph_is_refused_in_one_line(client, content, tmp_path):
    found = upload(client, content, "x.png")
    assert found.status_code == 422
    assert found.json()["error"].startswith("x.png: ")
    assert str(tmp_path) not in found.text
    assert "incoming" not in found.text
    assert not client.get("/api/state").json()["pending"]
    assert not any(client.service.root.joinpath("app", "incoming").iterdir())


def test_an_empty_file_is_refused(client):
    assert upload(client, b"", "x.png").status_code == 422


@pytest.mark.parametrize("declared", [None, b"5", b"-1", b"x", b"9" * 5000, "١".encode()])
def test_a_body_that_is_too_large_is_counted_whatever_it_declares(client, declared):
    sent = []

    def chunks():
        for _ in range(30):
            sent.append(1)
            yield b"x" * 100_000

    headers = {b"x-name": b"x.png", b"content-length": declared}
    status, _, body = ask(client, "POST", "/api/uploads", headers, chunks())
    assert status == 413
    assert "larger than 1 MB" in json.loads(body)["error"]
    assert not any(client.service.root.joinpath("app", "incoming").iterdir())


def test_a_body_that_declares_too_much_is_refused_unread(client):
    status, _, _ = ask(
        client, "POST", "/api/uploads", {b"x-name": b"x.png", b"content-length": b"9" * 12},
        [b"x", *[b"x" * 1000] * 3],
    )  # fmt: skip
    assert status == 413


def test_a_broken_upload_leaves_nothing(client):
    # The client goes away before the end of the body.
    status, _, _ = ask(client, "POST", "/api/uploads", {b"x-name": b"x.png"}, review_app.Broken())
    assert status == 400
    assert not any(client.service.root.joinpath("app", "incoming").iterdir())


def test_all_uploads_together_are_limited(client):
    noise = png((900, 1000))
    names = [upload(client, noise, f"{number}.png").status_code for number in range(4)]
    assert names == [200, 200, 200, 413]


def test_the_number_of_files_is_limited(tmp_path):
    with browsing(service_of(tmp_path / "w", room=Room(files=1))) as client:
        assert upload(client, png(), "a.png").status_code == 200
        found = upload(client, png(), "b.png")
        assert found.status_code == 422
        assert "accepted are at most 1" in found.json()["error"]


def test_a_bomb_kills_its_process_and_not_the_app(client):
    content = bomb(22_000, 22_000)
    assert len(content) < 1_000_000
    found = upload(client, content, "bomb.png")
    assert found.status_code == 422
    assert client.get("/api/state").status_code == 200
    assert upload(client, png(), "m.png").status_code == 200


def test_a_pending_file_is_removed(client):
    upload(client, png(), "m.png")
    assert client.delete("/api/files/m", headers=OWN).status_code == 200
    assert client.get("/api/state").json()["pending"] == []
    assert not any((client.service.root / "uploads").iterdir())
    assert client.delete("/api/files/m", headers=OWN).status_code == 404


def test_a_demo_is_drawn(tmp_path):
    program = review_app.stand_in(
        "import sys, pathlib; pathlib.Path(sys.argv[1]).write_bytes(b'x');"
        "print('{\"px_per_nm\": 0.7}')"
    )
    with browsing(service_of(tmp_path / "w", demo=program)) as client:
        assert post(client, "/api/demo").json() == {"name": "demo"}
        assert post(client, "/api/demo").json() == {"name": "demo-2"}
        assert client.get("/api/state").json()["pending"][0]["px_per_nm"] == 0.7


def test_a_demo_that_fails_is_told(tmp_path):
    program = review_app.stand_in("raise SystemExit(3)")
    with browsing(service_of(tmp_path / "w", demo=program)) as client:
        assert post(client, "/api/demo").status_code == 422
