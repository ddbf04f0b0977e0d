import csv
import io
import json
import os
import time
import unittest.mock

import pytest
from helpers import analyses, analysing
from PIL import Image

from srd_jax import cli
from srd_jax.analysis.output import records
from srd_jax.analysis.output.folder import opened
from srd_jax.analysis.report import granum_picture
from srd_jax.commands.micrographs import planning, review_job
from srd_jax.review.server import settings
from srd_jax.review.server.settings import Entry, Settings


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "w"
    with opened(str(root)):
        pass
    paths = analyses.write_micrographs(tmp_path / "micrographs", 3)
    entries = [Entry(path.stem, str(path), group="wt") for path in paths]
    settings.write(root, Settings(tuple(entries)))
    return root


def run(root, capfd, monkeypatch, *options, version="0.1.0"):
    """Runs the job with a pipeline that draws its results; returns what it told and analysed."""
    log = root.parent / "log.txt"
    log.write_text("")
    stopping, _ = os.pipe()

    def make(options, paths, excluded):
        plan, origin = analysing.make(log)(options, paths, excluded)
        made = plan.made
        fixed = {"srd_jax": version, "px_per_nm": None, "bar_nm": None}
        return unittest.mock.Mock(
            analyse=plan.analyse, made=lambda path: {**made(path), **fixed}
        ), origin

    monkeypatch.setattr("sys.stdin", open(stopping))  # noqa: PTH123, SIM115
    capfd.readouterr()
    with (
        unittest.mock.patch.object(planning, "make", make),
        unittest.mock.patch.object(granum_picture, "_traced", analyses.traced),
    ):
        assert review_job.main([str(root), *options]) == 0
    told = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    return told, log.read_text().split()


def rows(root, name="grana.csv"):
    return list(csv.DictReader(io.StringIO((root / name).read_text(encoding="utf-8"))))


def change(root, name, **fields):
    entries = settings.read(root).by_name
    changed = Entry(**{**vars(entries[name]), **fields})
    settings.write(root, settings.read(root).with_changed({name: changed}))


def test_what_is_pending_is_analysed_and_tables_are_written(root, capfd, monkeypatch):
    told, analysed = run(root, capfd, monkeypatch)
    assert analysed == ["m0.png", "m1.png", "m2.png"]
    steps = [(one["step"], one["file"], one["done"], one["total"]) for one in told if "file" in one]
    assert steps[0] == ("reading", "m0", 0, 3)
    assert steps[-1] == ("done", "m2", 3, 3)
    assert told[-1] == {"step": "writing tables"}
    assert {row["group"] for row in rows(root)} == {"wt"}
    assert {row["name"] for row in rows(root)} == {"m0", "m1", "m2"}
    assert (root / "report.html").is_file()


def test_only_what_has_changed_is_analysed_again(root, capfd, monkeypatch):
    run(root, capfd, monkeypatch)
    change(root, "m1", px_per_nm=0.5)
    change(root, "m2", group="mutant")
    told, analysed = run(root, capfd, monkeypatch, version="0.2.0")
    # Another version throws no decisions away.
    assert analysed == ["m1.png"]
    assert [one["total"] for one in told if "total" in one][-1] == 1
    made = {name: records.read(root / "records" / f"{name}.json").made for name in ("m0", "m1")}
    assert (made["m0"]["srd_jax"], made["m1"]["srd_jax"]) == ("0.1.0", "0.2.0")
    assert made["m1"]["px_per_nm"] == 0.5
    assert {row["group"] for row in rows(root) if row["name"] == "m2"} == {"mutant"}


def test_a_file_with_another_content_is_analysed_again(root, capfd, monkeypatch):
    run(root, capfd, monkeypatch)
    Image.new("L", (500, 400), 99).save(root.parent / "micrographs" / "m0.png")
    assert run(root, capfd, monkeypatch)[1] == ["m0.png"]


def test_a_bad_file_does_not_stop_the_others_and_is_tried_again(root, capfd, monkeypatch):
    (root.parent / "micrographs" / "m1.png").write_bytes(b"text")
    run(root, capfd, monkeypatch)
    assert records.read(root / "records" / "m1.json").analysis.error
    assert [row["status"] for row in rows(root, "micrographs.csv")] == ["ok", "error", "ok"]
    told, analysed = run(root, capfd, monkeypatch)
    assert analysed == []
    assert [one["total"] for one in told if "total" in one][-1] == 1


def test_results_of_a_file_that_is_gone_stay(root, capfd, monkeypatch):
    run(root, capfd, monkeypatch)
    before = rows(root)
    (root.parent / "micrographs" / "m1.png").unlink()
    assert run(root, capfd, monkeypatch)[1] == []
    assert rows(root) == before


def test_tables_alone(root, capfd, monkeypatch):
    run(root, capfd, monkeypatch)
    change(root, "m0", group="mutant")
    (root / "grana.csv").unlink()
    told, analysed = run(root, capfd, monkeypatch, "--tables")
    assert (told, analysed) == ([{}], [])
    assert {row["group"] for row in rows(root) if row["name"] == "m0"} == {"mutant"}


def test_a_closed_input_stops_the_job_and_results_stay(root, capfd, monkeypatch):
    run(root, capfd, monkeypatch)
    change(root, "m0", px_per_nm=0.5)
    change(root, "m1", px_per_nm=0.5)
    first = records.read(root / "records" / "m1.json")

    def stopped(self, path):
        if path.name == "m1.png":
            raise KeyboardInterrupt
        return analyses.read(path)

    monkeypatch.setattr(review_job._Telling, "read", stopped)
    told, analysed = run(root, capfd, monkeypatch)
    assert analysed == ["m0.png"]
    assert told[-2:] == [{"step": "writing tables"}, {"step": "stopped"}]
    assert records.read(root / "records" / "m1.json") == first
    assert len({row["name"] for row in rows(root)}) == 3


def test_the_end_of_a_pipe_interrupts(monkeypatch):
    reading, writing = os.pipe()
    with open(reading) as stream:  # noqa: PTH123
        review_job._until_closed(stream)
        with pytest.raises(KeyboardInterrupt):
            os.close(writing)
            for _ in range(2000):
                time.sleep(0.01)


def test_a_folder_that_is_in_use_is_told(root, capfd, monkeypatch):
    with opened(str(root)):
        told, analysed = run(root, capfd, monkeypatch)
    assert analysed == []
    assert "another srd analyse is writing there" in told[-1]["error"]


def test_analyse_goes_on_with_a_folder_of_the_app(root, tmp_path, monkeypatch, capfd):
    run(root, capfd, monkeypatch)
    (root / "uploads").mkdir()
    (root / "app" / "log.jsonl").write_text("")
    log = tmp_path / "log.txt"

    def make(options, paths, excluded):
        plan, origin = analysing.make(log)(options, paths, excluded)
        made, fixed = plan.made, {"srd_jax": "0.1.0", "px_per_nm": None, "bar_nm": None}
        plan = unittest.mock.Mock(
            analyse=plan.analyse, read=plan.read, excluded={}, made=lambda p: {**made(p), **fixed}
        )
        return plan, origin

    with unittest.mock.patch.object(planning, "make", make):
        assert cli.main(["analyse", str(tmp_path / "micrographs"), "--out", str(root)]) == 0
    assert "3 of 3 micrographs are taken from an earlier run" in capfd.readouterr().err
