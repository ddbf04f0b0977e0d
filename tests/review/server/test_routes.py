import concurrent.futures
import csv
import io
import json
import threading
import urllib.parse
import xml.etree.ElementTree as ElementTree
import zipfile

import pytest
from helpers import analyses, review_app, reviews
from helpers.review_app import OWN, ask, browsing, post, service_of

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def client(tmp_path):
    review_app.analysed(tmp_path / "w")
    with browsing(service_of(tmp_path / "w")) as client:
        yield client


def edit(client, op, revision=0, key="k", name="m0"):
    return post(client, f"/api/files/{name}/edits", {"revision": revision, "key": key, "op": op})


def test_the_state_has_what_pages_show(client, tmp_path):
    assert client.service.review.warmed
    found = client.get("/api/state").json()
    assert (found["revision"], found["pending"], found["job"], found["queue"]) == (0, [], None, 0)
    assert found["read_only"] is False
    assert found["limits"] == {"megabytes": 64, "files": 500}
    first = found["files"][0]
    assert (first["name"], first["file"], first["rows"], first["columns"]) == (
        "m0",
        "m0.png",
        400,
        500,
    )
    assert (first["group"], first["error"], first["changed"]) == ("", None, False)
    columns = {one["name"]: one for one in found["columns"]}
    assert (columns["srd_nm"]["label"], columns["srd_nm"]["unit"]) == ("SRD", "nm")
    assert columns["srd_nm"]["meaning"] == "stacking repeat distance, nm"
    assert str(tmp_path) not in json.dumps(found["files"])


def test_a_file_comes_with_its_grana(client):
    found = client.get("/api/files/m0").json()
    expected = review_app.grana(client, "m0")
    assert [one["number"] for one in found["grana"]] == [one.number for one in expected]
    assert found["grana"][0]["outline"][0] == list(expected[0].outline[0])
    assert (found["file"]["name"], found["revision"], found["undo"]) == ("m0", 0, False)


def test_an_edit_is_answered_by_what_changed(client):
    found = edit(client, {"do": "accept", "granum": 1})
    assert found.status_code == 200
    assert found.json()["revision"] == 1
    assert [one["decision"] for one in found.json()["changed"]] == ["accepted"]
    assert client.get("/api/state").json()["revision"] == 1


def test_a_stale_edit_is_told_the_present_revision(client):
    edit(client, {"do": "accept", "granum": 1})
    found = edit(client, {"do": "reject", "granum": 1}, 0, "k2")
    assert (found.status_code, found.json()["revision"]) == (409, 1)
    assert found.json()["error"]


BAD = (
    {},
    {"revision": 0, "key": "k"},
    {"revision": "0", "key": "k", "op": {"do": "accept", "granum": 1}},
    {"revision": True, "key": "k", "op": {"do": "accept", "granum": 1}},
    {"revision": -1, "key": "k", "op": {"do": "accept", "granum": 1}},
    {"revision": 0, "key": "", "op": {"do": "accept", "granum": 1}},
    {"revision": 0, "key": 5, "op": {"do": "accept", "granum": 1}},
    {"revision": 0, "key": "k" * 101, "op": {"do": "accept", "granum": 1}},
    {"revision": 0, "key": "a\nb", "op": {"do": "accept", "granum": 1}},
    {"revision": 0, "key": "k", "op": []},
    {"revision": 0, "key": "k", "op": {"do": ["accept"]}},
    {"revision": 0, "key": "k", "op": {"do": "accept", "granum": 99}},
    {"revision": 0, "key": "k", "op": {"do": "accept", "granum": 1}, "who": "me"},
    {"revision": 0, "key": "k", "op": {"do": "period", "granum": 1, "period_px": 10**400}},
    {"revision": 0, "key": "k", "op": {"do": "join", "grana": "/ " * 500_000}},
)


@pytest.mark.parametrize("content", BAD, ids=range(len(BAD)))
def test_a_bad_edit_is_refused(client, content):
    found = post(client, "/api/files/m0/edits", content)
    assert found.status_code == 422
    assert "accepted is" in found.json()["error"] or "accepted are" in found.json()["error"]
    assert client.service.review.revision == 0


def test_a_decision_does_not_wait_for_another_file_to_be_measured(client, monkeypatch):
    measuring, decided = threading.Event(), threading.Event()

    def slow(source, tasks):
        measuring.set()
        assert decided.wait(30)
        return reviews.measure(source, tasks)

    monkeypatch.setattr(client.service.review, "_measure", slow)
    outline = reviews.ellipse(200, 200)
    with concurrent.futures.ThreadPoolExecutor() as threads:
        drawn = threads.submit(edit, client, {"do": "add", "outline": outline})
        assert measuring.wait(30)
        assert edit(client, {"do": "accept", "granum": 1}, 0, "k1", "m1").json()["revision"] == 1
        decided.set()
        assert drawn.result().json()["revision"] == 2


def test_the_picture_of_a_granum(client):
    found = client.get("/api/files/m0/grana/1.png?r=0")
    assert (found.content, found.headers["content-type"]) == (b"\x89PNG picture of 1", "image/png")
    for name in ("2.png", "99.png", "0.png", "1", "1.jpg", "x.png", "-1.png", "9" * 5000 + ".png"):
        assert client.get(f"/api/files/m0/grana/{name}").status_code == 404


NAMES = (
    "..", "../m0", "..%2fm0", "%2e%2e", "/etc/passwd", "m0/", "m0\0", "M0", "m0.json", "", "\ud7ff",
    "records/m0", "m0%00", "nothing", "m" * 5000, "..\\m0",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_hostile_names_in_addresses_find_nothing(client, name):
    edit_of = [
        json.dumps({"revision": 0, "key": "k", "op": {"do": "accept", "granum": 1}}).encode()
    ]
    for method, path in (
        ("GET", f"/api/files/{name}"),
        ("GET", f"/api/files/{name}/grana/1.png"),
        ("POST", f"/api/files/{name}/edits"),
        ("DELETE", f"/api/files/{name}"),
        ("DELETE", f"/api/jobs/{name}"),
    ):
        for form in (path, urllib.parse.unquote(path)):
            status, _, body = ask(client, method, form, chunks=edit_of)
            assert status in (404, 405), (method, form)
            assert set(json.loads(body)) == {"error"}
    assert client.service.review.revision == 0


@pytest.mark.parametrize(
    "path",
    ["../server/routes.py", "..%2fserver/routes.py", "/etc/passwd", "../../cli.py", "__init__.py",
     "..\\server\\routes.py", "%2e%2e/cli.py", "a\0b", ".", "", "sub/../index.html", "INDEX.HTML",
     "link.js", "./index.html", "sub"],
)  # fmt: skip
def test_only_files_of_the_page_are_served(tmp_path, path):
    page = tmp_path / "page"
    (page / "sub").mkdir(parents=True)
    for name in ("index.html", "help.html", "__init__.py", "sub/a.js"):
        (page / name).write_text(name)
    (tmp_path / "secret.js").write_text("secret")
    (page / "link.js").symlink_to(tmp_path / "secret.js")
    with browsing(service_of(tmp_path / "w"), page=page) as client:
        assert client.get("/").text == "index.html"
        assert client.get("/help").text == "help.html"
        found = client.get("/page/sub/a.js")
        assert (found.text, found.headers["content-type"][:15]) == ("sub/a.js", "text/javascript")
        for form in (f"/page/{path}", f"/page/{urllib.parse.unquote(path)}"):
            assert ask(client, "GET", form)[0] == 404


def test_scales_and_groups(client):
    def given(name="m0"):
        [one] = [one for one in client.get("/api/state").json()["files"] if one["name"] == name]
        return {**one["given"], "group": one["group"], "changed": one["changed"]}

    def change(**fields):
        return post(client, "/api/settings", {"files": {"m0": fields}})

    assert given() == {"px_per_nm": 0.6, "bar_nm": None, "group": "", "changed": False}
    assert change(group=" wild type ").status_code == 200
    assert given() == {"px_per_nm": 0.6, "bar_nm": None, "group": "wild type", "changed": False}
    assert change(bar={"px": 300, "nm": 200}).status_code == 200
    assert given() == {"px_per_nm": 1.5, "bar_nm": None, "group": "wild type", "changed": True}
    assert change(bar_nm=500, px_per_nm=None).status_code == 200
    assert given()["bar_nm"] == 500
    assert change(px_per_nm=None, group="").status_code == 200
    assert given() == {"px_per_nm": None, "bar_nm": None, "group": "", "changed": True}
    assert given("m1")["px_per_nm"] == 0.6
    first, second = client.get("/api/state").json()["files"]
    assert "by the earlier scale until it is analysed again" in first["notes"][-1]
    assert second["notes"] == []


@pytest.mark.parametrize(
    "fields",
    [[], {"path": "/etc"}, {"name": "x"}, {"px_per_nm": 0}, {"px_per_nm": -1}, {"px_per_nm": "1"},
     {"px_per_nm": True}, {"px_per_nm": 1e5}, {"bar_nm": [1]}, {"bar": 3}, {"bar": {"px": 1}},
     {"bar": {"px": 1, "nm": 0}}, {"px_per_nm": 1, "bar_nm": 100}, {"group": 3},
     {"group": "x" * 61}, {"group": "a\nb"}, {"px_per_nm": 1e999}],
)  # fmt: skip
def test_bad_settings_change_nothing(client, fields):
    before = client.get("/api/state").json()
    content = json.dumps({"files": {"m1": {"group": "x"}, "m0": fields}})
    found = client.post("/api/settings", content=content, headers=OWN)
    assert found.status_code in (400, 422)
    assert client.get("/api/state").json() == before


def test_settings_of_unknown_files_change_nothing(client):
    assert (
        post(client, "/api/settings", {"files": {"x": {}, "m0": {"group": "a"}}}).status_code == 404
    )
    assert post(client, "/api/settings", {"files": {}}).status_code == 422
    assert client.get("/api/state").json()["files"][0]["group"] == ""


@pytest.fixture
def allowed(tmp_path):
    (tmp_path / "secret").mkdir()
    analyses.write_micrographs(tmp_path / "secret", 1)
    analyses.write_micrographs(tmp_path / "data" / "wt", 2)
    (tmp_path / "data" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "data" / "m9.png").symlink_to(tmp_path / "secret" / "m0.png")
    service = service_of(tmp_path / "w", allowed=(tmp_path / "data",))
    with browsing(service) as client:
        yield client


def test_a_folder_below_an_allowed_one_is_added(allowed, tmp_path):
    found = post(allowed, "/api/folder", {"path": str(tmp_path / "data")})
    # Links that lead elsewhere aren't followed.
    assert found.json() == {"names": ["m0", "m1"], "known": 0}
    assert post(allowed, "/api/folder", {"path": "wt"}).json() == {"names": [], "known": 2}
    state = allowed.get("/api/state").json()
    assert [one["file"] for one in state["pending"]] == ["wt/m0.png", "wt/m1.png"]


@pytest.mark.parametrize(
    "path",
    ["/", "/etc", "{0}/secret", "{0}/data/../secret", "{0}/data/link", "{0}/data/m9.png", "..",
     "../secret", "wt/../../secret", "{0}/nothing", "{0}/database", "", "\0", "a\0b", "~", "link"],
)  # fmt: skip
def test_other_folders_are_refused(allowed, tmp_path, path):
    found = post(allowed, "/api/folder", {"path": path.format(tmp_path)})
    assert found.status_code in (403, 422)
    assert str(tmp_path) not in found.text
    assert allowed.get("/api/state").json()["pending"] == []


def test_a_folder_that_is_missing_is_told_only_where_it_is_allowed(allowed, tmp_path):
    found = post(allowed, "/api/folder", {"path": str(tmp_path / "data" / "none")})
    assert (found.status_code, "no such file" in found.json()["error"]) == (422, True)
    found = post(allowed, "/api/folder", {"path": str(tmp_path / "none")})
    assert found.status_code == 403
    for given in (3, None, ["x"], "x" * 5000):
        assert post(allowed, "/api/folder", {"path": given}).status_code == 422


def points(svg):
    return {one.get("id") for one in ElementTree.fromstring(svg).iter(f"{SVG}g")} & {
        f"point-{name}-{number}" for name in ("m0", "m1") for number in range(9)
    }


def test_violins_follow_the_grana_that_count(client):
    grana = {n: review_app.grana(client, n) for n in ("m0", "m1")}
    expected = {f"point-{n}-{g.number}" for n in grana for g in grana[n] if g.status == "ok"}
    found = client.get("/api/violins.svg?quantity=srd_nm")
    assert found.headers["content-type"] == "image/svg+xml"
    assert points(found.content) == expected
    # A strict page would refuse styles.
    assert b"style" not in found.content
    number = next(one.number for one in grana["m0"] if one.status == "ok")
    edit(client, {"do": "reject", "granum": number})
    left = expected - {f"point-m0-{number}"}
    assert points(client.get("/api/violins.svg?group=1").content) == left
    assert client.get("/api/violins.svg?quantity=secret").status_code == 422


def test_violins_of_nothing_and_of_odd_groups(tmp_path):
    review_app.analysed(tmp_path / "w", 1)
    with browsing(service_of(tmp_path / "w")) as client:
        settings = {"files": {"m0": {"group": "$\\frac{<script>&"}}}
        assert post(client, "/api/settings", settings).status_code == 200
        found = client.get("/api/violins.svg?quantity=gsi&group=1")
        assert found.status_code == 200
        assert b"<script" not in found.content
    with browsing(service_of(tmp_path / "empty")) as client:
        assert points(client.get("/api/violins.svg").content) == set()


def test_the_download_holds_results_and_nothing_else(client):
    root = client.service.root
    (root / "link.csv").symlink_to("/etc/passwd")
    (root / "uploads").mkdir()
    (root / "uploads" / "m.png").write_bytes(b"x")
    post(client, "/api/settings", {"files": {"m0": {"group": "wt"}}})
    found = client.get("/download.zip")
    assert found.headers["content-type"] == "application/zip"
    packed = zipfile.ZipFile(io.BytesIO(found.content))
    names = set(packed.namelist())
    assert {
        "srd/grana.csv",
        "srd/reviewed.csv",
        "srd/records/m0.json",
        "srd/grana/m0_01.png",
    } <= names
    assert not any("settings" in name or "uploads" in name or "link" in name for name in names)
    rows = list(csv.DictReader(io.StringIO(packed.read("srd/reviewed.csv").decode())))
    assert {(row["name"], row["group"]) for row in rows} == {("m0", "wt"), ("m1", "")}
    assert packed.testzip() is None
    assert not any((root / "app" / "incoming").iterdir())


def test_a_download_that_fails_is_told(tmp_path):
    review_app.analysed(tmp_path / "w", 1)
    program = review_app.stand_in('print(\'{"error": "/home/me/w: cannot be written"}\')')
    with browsing(service_of(tmp_path / "w", analysis=program)) as client:
        found = client.get("/download.zip")
        assert (found.status_code, found.json()) == (422, {"error": "w: cannot be written"})
