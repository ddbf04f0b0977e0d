import json
import time

import pytest
from helpers import review_app
from helpers.review_app import OWN, ask, browsing, service_of

from srd_jax.review.server import service as service_module
from srd_jax.support.errors import InputError

GETS = ("/", "/help", "/api/state", "/page/index.html", "/download.zip", "/api/events", "/nothing")
POSTS = ("/api/jobs", "/api/folder", "/api/settings", "/api/uploads", "/api/demo")


@pytest.fixture
def client(tmp_path):
    with browsing(service_of(tmp_path / "w")) as client:
        yield client


def test_the_token_is_exchanged_for_a_strict_cookie(client):
    client.cookies.clear()
    found = client.get("/", params={"token": client.access.token})
    assert (found.status_code, found.headers["location"]) == (303, "/")
    cookie = found.headers["set-cookie"]
    assert client.access.token not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert client.get("/api/state").status_code == 200


def test_a_link_of_another_site_gets_a_page_that_goes_on_itself(client):
    client.cookies.clear()
    headers = {"Sec-Fetch-Site": "cross-site"}
    found = client.get("/", params={"token": client.access.token}, headers=headers)
    assert found.status_code == 200
    assert 'http-equiv="refresh"' in found.text
    assert "set-cookie" in found.headers


@pytest.mark.parametrize("token", ["", "x", "ä", "\0", "T" * 5000])
def test_a_wrong_token_is_refused(client, token):
    client.cookies.clear()
    found = client.get("/", params={"token": token})
    assert found.status_code == 403
    assert "set-cookie" not in found.headers
    # Nor is it any use elsewhere.
    assert client.get("/api/state", params={"token": client.access.token}).status_code == 403


@pytest.mark.parametrize("path", GETS)
def test_without_the_cookie_nothing_is_shown(client, path):
    client.cookies.clear()
    for value in (None, "", "wrong", client.access.token):
        if value is not None:
            client.cookies.set(client.access.cookie, value)
        found = client.get(path)
        assert found.status_code == 403
        assert "token" in found.text
    assert client.post("/api/jobs", headers=OWN, content="{}").status_code == 403


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8080",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1:8080.evil.example",
        "",
        "127.0.0.1:8080@evil.example",
        "[::1]:8080",
    ],
)
def test_another_host_is_refused(client, host):
    for path in (*GETS, f"/?token={client.access.token}"):
        assert client.get(path, headers={"Host": host}).status_code == 403


def test_two_hosts_are_refused(client):
    headers = [("Host", "127.0.0.1:8080"), ("Host", "evil.example")]
    assert client.get("/api/state", headers=headers).status_code == 403


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-SRD": "1"},
        {"Origin": review_app.ORIGIN},
        {**OWN, "X-SRD": "0"},
        {**OWN, "Origin": "http://evil.example"},
        {**OWN, "Origin": "http://localhost:8080"},
        {**OWN, "Origin": "https://127.0.0.1:8080"},
        {**OWN, "Origin": "http://127.0.0.1:8081"},
        {**OWN, "Origin": "null"},
    ],
)
def test_requests_of_other_pages_change_nothing(client, path, headers):
    assert client.post(path, headers=headers, content="{}").status_code == 403
    assert client.delete("/api/jobs/x", headers=headers).status_code == 403


def test_another_page_reads_nothing(client):
    assert client.get("/api/state", headers={"Origin": "http://evil.example"}).status_code == 403


def test_all_answers_have_the_headers_of_security(client):
    asked = [client.get(path) for path in GETS if path != "/api/events"]
    asked += [
        client.get("/api/state", headers={"Host": "x"}),
        client.put("/api/state", headers=OWN),
    ]
    for found in asked:
        assert "default-src 'self'" in found.headers["content-security-policy"]
        assert "unsafe" not in found.headers["content-security-policy"]
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["referrer-policy"] == "no-referrer"
        assert found.headers["x-frame-options"] == "DENY"
    assert client.get("/api/state").headers["cache-control"] == "no-store"


def test_an_app_that_only_reads_changes_nothing(tmp_path):
    with browsing(service_of(tmp_path / "w"), read_only=True) as client:
        for path in POSTS:
            assert client.post(path, headers=OWN, content="{}").status_code == 403
        assert client.get("/api/state").status_code == 200


def test_where_another_app_has_the_folder_this_one_only_reads(tmp_path):
    def open_only_to_read(folder, read_only, path_of):
        if not read_only:
            raise InputError("another srd app has it")
        return review_app.Review(folder, read_only)

    service = service_of(tmp_path / "w", open=open_only_to_read)
    assert service.read_only
    with browsing(service) as client:
        assert client.get("/api/state").json()["read_only"] is True


def test_one_that_only_reads_shows_what_the_other_one_does(tmp_path, monkeypatch):
    monkeypatch.setattr(service_module, "_FOLLOWING", 0.02)
    review_app.analysed(tmp_path / "w", 1)
    writing, reading = service_of(tmp_path / "w"), service_of(tmp_path / "w")
    assert (writing.read_only, reading.read_only) == (False, True)
    told = []
    monkeypatch.setattr(reading.events, "tell", lambda: told.append(1))
    with browsing(reading) as client:
        writing.review.apply("m0", {"do": "accept", "granum": 1}, 0, "k", "ann")
        end = time.monotonic() + 20
        while client.get("/api/state").json()["files"][0]["decided"] == 0:
            assert time.monotonic() < end
        assert told
    writing.review.close()


def test_an_unexpected_error_tells_no_path_and_no_traceback(client, monkeypatch):
    def broken(self):
        raise RuntimeError(f"secret {client.service.root}")

    monkeypatch.setattr(type(client.service), "state", broken)
    found = client.get("/api/state")
    assert found.status_code == 500
    assert set(found.json()) == {"error"}
    assert "Traceback" not in found.text
    assert "secret" not in found.text
    assert str(client.service.root) not in found.text
    assert found.headers["x-frame-options"] == "DENY"


def test_web_sockets_are_closed(client):
    sent = []

    async def call():
        async def send(message):
            sent.append(message)

        await client.app({"type": "websocket", "headers": [], "path": "/"}, None, send)

    client.portal.call(call)
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_bodies_are_json_objects_of_limited_size(client):
    for content in (
        b"",
        b"[]",
        b"1",
        b"{",
        b"\xff",
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        b"[" * 99999,
    ):
        status, _, body = ask(client, "POST", "/api/folder", chunks=[content])
        assert status == 400, content[:20]
        assert set(json.loads(body)) == {"error"}
    status, _, _ = ask(client, "POST", "/api/folder", chunks=[b"x" * 1_000_000] * 3)
    assert status == 413
