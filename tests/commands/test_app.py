import importlib.util
import re
import socket

import pytest
from helpers import analyses, review_app
from helpers.command import refused, run

from srd_jax.commands import app
from srd_jax.imaging.folders import ANALYSIS_MARK
from srd_jax.review.server import application
from srd_jax.review.server.application import Guard


@pytest.fixture
def served(monkeypatch, tmp_path):
    """What would be served, by the command in a folder of its own."""
    found = []
    monkeypatch.chdir(tmp_path)

    def serve(made, service, bound):
        bound.close()
        service.review.close()
        found.append((made, service))

    monkeypatch.setattr(application, "serve", serve)
    return found


def test_the_address_with_the_token_is_printed_and_opened(served, tmp_path, capsys, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert run("app", "--port", 0) == 0
    out, err = capsys.readouterr()
    found = re.fullmatch(r"srd app: (http://127\.0\.0\.1:(\d+)/\?token=([\w-]{43}))\n", out)
    assert found
    assert (opened, err) == ([found[1]], "")
    [(made, service)] = served
    assert isinstance(made, Guard)
    assert made._access.token == found[3]
    assert f"127.0.0.1:{found[2]}" in made._access.hosts
    assert service.root == tmp_path / "srd_review"
    assert (service.root / ANALYSIS_MARK).is_file()


def test_micrographs_are_added_and_folders_allowed(served, tmp_path):
    paths = analyses.write_micrographs(tmp_path / "data", 2)
    assert run("app", "data", "--workdir", "w", "--port", 0, "--no-browser") == 0
    assert run("app", "data", "--workdir", "w", "--port", 0, "--no-browser") == 0
    for _, service in served:
        assert [one.file(service.root) for one in service.settings.files] == paths
        assert service.config.allowed == (tmp_path / "data",)


def test_a_folder_of_analyse_is_opened(served, tmp_path):
    review_app.analysed(tmp_path / "w")
    assert run("app", "w", "--port", 0, "--no-browser") == 0
    [(_, service)] = served
    assert service.root == tmp_path / "w"
    assert [one.name for one in service.review.files()] == ["m0", "m1"]


def test_others_are_told_what_the_token_is_for(served, capsys):
    assert (
        run("app", "--host", "0.0.0.0", "--name", "Lab.example", "--port", 0, "--no-browser") == 0
    )
    [(made, _)] = served
    names = {host.rpartition(":")[0] for host in made._access.hosts}
    assert {"127.0.0.1", "localhost", "lab.example", socket.gethostname().lower()} <= names
    out, err = capsys.readouterr()
    assert "token=" in out
    assert "isn't encrypted" in err


def test_without_the_extra_one_line_says_so(monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "uvicorn" else find(name)
    )
    assert refused(capsys, "app") == (
        "srd app: the package uvicorn isn't installed; accepted is to install the extra app: pip "
        "install 'srd-jax[app]'"
    )


def test_a_port_that_is_taken_is_told(served, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        line = refused(capsys, "app", "--port", port, "--no-browser")
    assert line.startswith(f"--host 127.0.0.1 --port {port}: cannot be listened at")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--port", "x"), "accepted is a number from 0 to 65535"),
        (("--port", "65536"), "accepted is a number from 0 to 65535"),
        (("--host", "no.such.name.invalid"), "cannot be listened at"),
        (("--max-upload-mb", "0"), "accepted is a whole number from 1 on"),
        (("--workdir", ""), "accepted is a path"),
        (("--workdir", "full"), "--workdir "),
        (("nothing",), "cannot be read"),
        (("w", "--workdir", "other"), "second folder of results"),
        (("--weights", "x", "--detector", "classical"), "accepted with --detector network only"),
    ],
)
def test_wrong_usage_is_told_in_one_line(served, capsys, tmp_path, given, words):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.txt").write_text("x")
    review_app.analysed(tmp_path / "w")
    assert words in refused(capsys, "app", *given, "--no-browser")
    assert not served


def test_addresses_of_ipv6_are_in_brackets():
    assert "[::1]" in app._names("::1", [])
    assert "[fe80::1]" in app._names("fe80::1", [])
    assert "192.0.2.7" in app._names("192.0.2.7", [])
    assert app._names("lab.Example", ["Other"])[-2:] == ["lab.example", "other"]
