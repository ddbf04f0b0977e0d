import io
import json
import os

import numpy as np
import pytest
from helpers import review_app
from helpers.review_app import ask, browsing, service_of, upload
from PIL import Image

from srd_jax.review.server import tiles
from srd_jax.review.server.tiles import Limits
from srd_jax.review.server.worker import pyramid
from srd_jax.support.errors import InputError


def test_levels_halve_down_to_a_pixel():
    assert pyramid.pyramid_of(1, 1).levels == 1
    assert pyramid.pyramid_of(2, 1).levels == 2
    assert pyramid.pyramid_of(3, 4).levels == 3
    assert pyramid.pyramid_of(4, 5).levels == 4
    assert pyramid.pyramid_of(3218, 4800).levels == 14


def test_tiles_put_together_are_the_picture_and_its_means(tmp_path):
    rows, columns = np.mgrid[:700, :1100]
    grey = (rows + columns).astype(np.uint16)
    made = pyramid.write(tmp_path / "t", grey)
    assert (made.width, made.height, made.tile, made.levels) == (1100, 700, 512, 12)
    assert json.loads((tmp_path / "t" / "info.json").read_text())["levels"] == 12
    for level, (width, height) in {11: (1100, 700), 10: (550, 350), 1: (2, 1), 0: (1, 1)}.items():
        whole = np.zeros((height, width))
        for tile in (tmp_path / "t" / str(level)).iterdir():
            column, row = map(int, tile.stem.split("_"))
            part = np.asarray(Image.open(tile))
            place = whole[512 * row : 512 * row + 512, 512 * column : 512 * column + 512]
            assert part.shape == place.shape
            place[:] = part
        step = 2 ** (11 - level)
        padded = np.pad(grey, ((0, height * step - 700), (0, width * step - 1100)), "edge")
        means = padded.reshape(height, step, width, step).mean(axis=(1, 3))
        low, high = np.percentile(grey, (0.2, 99.8))
        expected = np.clip(255 * (means - low) / (high - low), 0, 255)
        # What lies beyond the border isn't part of means.
        inner = slice(None, -1) if level in (10, 11) else slice(None)
        assert np.abs(whole - expected)[inner, inner].max() <= (3 if level > 2 else 40)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, np.float32])
def test_grey_values_are_stretched(kind):
    grey = np.linspace(3, 103, 10_000).reshape(100, 100).astype(kind)
    shown = pyramid.eight_bits(grey)
    assert shown.dtype == np.uint8
    assert (shown.min(), shown.max()) == (0, 255)
    assert abs(int(np.median(shown)) - 127) <= 3
    assert np.unique(pyramid.eight_bits(np.full((5, 5), 7, kind))).tolist() == [128]


@pytest.fixture
def client(tmp_path):
    review_app.analysed(tmp_path / "w", 1)
    with browsing(service_of(tmp_path / "w")) as client:
        yield client


def test_tiles_are_made_when_asked_for(client):
    [file] = client.get("/api/state").json()["files"]
    digest = file["tiles"]
    assert digest != file["whole"]
    found = client.get(f"/tiles/{digest}/info.json")
    assert found.json() == {"width": 500, "height": 400, "tile": 512, "levels": 10}
    assert "immutable" in found.headers["cache-control"]
    tile = client.get(f"/tiles/{digest}/9/0_0.jpg")
    assert tile.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(tile.content)).size == (500, 400)
    assert client.get(f"/tiles/{digest}/9/1_0.jpg").status_code == 404
    # From the disk the next time, too.
    with browsing(service_of(client.service.root)) as other:
        other.get("/api/state")
        assert other.get(f"/tiles/{digest}/9/0_0.jpg").content == tile.content


def test_tiles_of_a_pending_file_show_all_of_it(client):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 99, (30, 40), np.uint8)).save(file, "PNG")
    upload(client, file.getvalue(), "n.png")
    [pending] = client.get("/api/state").json()["pending"]
    assert client.get(f"/tiles/{pending['whole']}/info.json").json()["width"] == 40


def test_a_file_that_has_changed_shows_no_wrong_picture(client, tmp_path):
    path = tmp_path / "micrographs" / "m0.png"
    Image.fromarray(np.zeros((400, 500), np.uint8)).save(path)
    [file] = client.get("/api/state").json()["files"]
    found = client.get(f"/tiles/{file['tiles']}/info.json")
    assert found.status_code == 422
    assert "has changed since it was analysed" in found.json()["error"]
    path.unlink()
    [file] = client.get("/api/state").json()["files"]
    assert (file["tiles"], file["grana"] > 0) == (None, True)


def test_tiles_that_take_too_much_are_refused(tmp_path):
    review_app.analysed(tmp_path / "w", 1)
    service = service_of(tmp_path / "w", limits=Limits(memory=150_000_000))
    with browsing(service) as client:
        [file] = client.get("/api/state").json()["files"]
        found = client.get(f"/tiles/{file['tiles']}/info.json")
        assert found.status_code == 422
        assert str(tmp_path) not in found.text
        assert client.get("/api/state").status_code == 200


HOSTILE = (
    "/tiles/../info.json", "/tiles/../../../etc/passwd", "/tiles/{0}/../../settings.json",
    "/tiles/{0}/9/../info.json", "/tiles/{0}/9/0_0.jpg/..", "/tiles/{0}/9/..%2f..%2finfo.json",
    "/tiles/{0}/../9/0_0.jpg", "/tiles/{0}/-1/0_0.jpg", "/tiles/{0}/9/0_-1.jpg",
    "/tiles/{0}/9/0_0.jpg\0", "/tiles/{0}/٩/0_0.jpg", "/tiles/{0}/9/0_0.jpg\n",
    "/tiles/{0}/99999999999999999999/0_0.jpg", "/tiles/{0}/9/99999999999999999999_0.jpg",
    "/tiles/{0}/9/1e1_0.jpg", "/tiles/{0} /9/0_0.jpg", "/tiles/" + "0" * 32 + "/info.json",
    "/tiles/" + "0" * 9999 + "/info.json", "/tiles/%2e%2e/info.json", "/tiles//etc/passwd",
)  # fmt: skip


def test_hostile_addresses_of_tiles_find_nothing(client):
    [file] = client.get("/api/state").json()["files"]
    client.get(f"/tiles/{file['tiles']}/info.json")
    for path in HOSTILE:
        status, _, body = ask(client, "GET", path.format(file["tiles"]))
        assert (status, set(json.loads(body))) == (404, {"error"}), path


def test_a_folder_is_written_once(tmp_path):
    pyramid.write(tmp_path / "t", np.zeros((5, 5), np.uint8))
    with pytest.raises(InputError, match="folder with files"):
        pyramid.write(tmp_path / "t", np.zeros((5, 5), np.uint8))


def pyramids(root):
    return {path.name for path in (root / "app" / "tiles").iterdir()}


def test_tiles_used_longest_ago_give_way_and_are_made_again(tmp_path, monkeypatch):
    review_app.analysed(tmp_path / "w", 3)
    left = tmp_path / "w" / "app" / "tiles" / ".unfinished.tmp"
    left.mkdir(parents=True)
    service = service_of(tmp_path / "w", limits=Limits(tiles=1))
    monkeypatch.setattr(tiles, "_RESTING", 3600.0)
    with browsing(service) as client:
        first, second, third = (one["tiles"] for one in client.get("/api/state").json()["files"])
        for digest in (first, second):
            assert client.get(f"/tiles/{digest}/info.json").status_code == 200
        # Those that are looked at stay, whatever they take.
        assert pyramids(tmp_path / "w") == {first, second}
        tile = client.get(f"/tiles/{first}/9/0_0.jpg").content
        os.utime(tmp_path / "w" / "app" / "tiles" / second / "info.json", (1e9, 1e9))
        assert client.get(f"/tiles/{third}/info.json").status_code == 200
        assert pyramids(tmp_path / "w") == {first, third}
        os.utime(tmp_path / "w" / "app" / "tiles" / first / "info.json", (1e9, 1e9))
        assert client.get(f"/tiles/{second}/info.json").status_code == 200
        assert pyramids(tmp_path / "w") == {second, third}
        assert client.get(f"/tiles/{first}/9/0_0.jpg").content == tile
