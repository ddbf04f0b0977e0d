import dataclasses
import json
import os
import pathlib
import random
import signal
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from helpers import analyses, analysing
from helpers import micrographs as drawn_micrographs
from helpers.command import read, run
from PIL import Image

import srd_jax

ROOT = pathlib.Path(srd_jax.__file__).parents[1]


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log.txt"


@pytest.fixture
def micrographs(tmp_path, monkeypatch):
    """Six micrographs in a folder of the working folder."""
    monkeypatch.chdir(tmp_path)
    analyses.write_micrographs(tmp_path / "in")
    return pathlib.Path("in")


def analysed(log):
    """The names of the micrographs that were analysed since the last call."""
    names = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return names


def contents(folder):
    """All files of a folder with their bytes."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_tables_pictures_and_a_summary(micrographs, log, capsys):
    (micrographs / "bad.png").write_text("hello")
    assert analysing.run(log, micrographs, "--out", "out") == 1
    rows = read("out/grana.csv")
    files = [f"in/m{index}.png" for index in range(6)]
    assert list(dict.fromkeys(row["file"] for row in rows)) == ["in/bad.png", *files]
    assert (rows[0]["status"], rows[0]["reason"]) == ("error", "not an image; accepted: PNG")
    grana = rows[1:]
    for row in grana:
        name = pathlib.Path(row["file"]).stem
        assert pathlib.Path(f"out/grana/{name}_{int(row['granum']):02}.png").is_file()
    for name in ("m0", "m5"):
        for path in (f"labels/{name}.tif", f"rois/{name}.zip", f"geojson/{name}.geojson"):
            assert pathlib.Path("out", path).is_file()
    assert not pathlib.Path("out/labels/bad.tif").exists()
    out, err = capsys.readouterr()
    ok = sum(row["status"] == "ok" for row in grana)
    assert err == ""
    assert "SRD (nm)" in out
    assert "in/bad.png: not an image; accepted: PNG" in out
    last = out.splitlines()[-1]
    assert last.startswith(f"{len(grana)} grana, 7 micrographs ({ok} ok, ")
    assert last.endswith("tables in out, open out/report.html")


def test_a_second_run_repeats_nothing_and_goes_on(micrographs, log, capsys):
    command = (micrographs, "--out", "out")
    assert analysing.run(log, *command) == 0
    assert len(analysed(log)) == 6
    before = contents(pathlib.Path("out"))
    assert analysing.run(log, *command) == 0
    assert analysed(log) == []
    assert contents(pathlib.Path("out")) == before
    assert "6 of 6 micrographs are taken from an earlier run" in capsys.readouterr().err
    analyses.write_micrographs(micrographs, 7)
    pathlib.Path("out/labels/m3.tif").unlink()
    Image.new("L", (500, 400), 77).save(micrographs / "m1.png")
    assert analysing.run(log, *command) == 0
    assert analysed(log) == ["m1.png", "m3.png", "m6.png"]
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "4 of 7 micrographs are taken from an earlier run",
        "1 of 7 micrographs are analysed anew, as changed: file",
    ]
    assert analysing.run(log, *command, "--threshold", 0.4) == 0
    assert len(analysed(log)) == 7
    said = capsys.readouterr().err
    assert said == "7 of 7 micrographs are analysed anew, as changed: threshold\n"


def test_errors_are_tried_again(micrographs, log):
    (micrographs / "m2.png").rename("kept")
    (micrographs / "m2.png").write_text("hello")
    assert analysing.run(log, micrographs, "--out", "out") == 1
    assert len(analysed(log)) == 5
    pathlib.Path("kept").replace(micrographs / "m2.png")
    assert analysing.run(log, micrographs, "--out", "out") == 0
    assert analysed(log) == ["m2.png"]
    analysing.run(log, micrographs, "--out", "undisturbed")
    assert contents(pathlib.Path("out")) == contents(pathlib.Path("undisturbed"))


def test_exclusions_need_no_analysis(micrographs, log, capsys):
    assert analysing.run(log, micrographs, "--out", "out") == 0
    plain = contents(pathlib.Path("out"))
    analysed(log)
    options = ("--exclude", "m1:1,2", "--exclude", "m4.png:1", "--exclude", "m4:40")
    assert analysing.run(log, micrographs, "--out", "out", *options) == 0
    assert analysed(log) == []
    rows = read("out/grana.csv")
    excluded = [(row["name"], row["granum"]) for row in rows if row["status"] == "excluded"]
    assert excluded == [("m1", "1"), ("m1", "2"), ("m4", "1")]
    assert "--exclude: m4.png has no granum 40" in capsys.readouterr().err
    now = contents(pathlib.Path("out"))
    changed = {name for name in now if now[name] != plain[name]}
    pictures = {"micrographs/m1.jpg", "micrographs/m4.jpg"}
    assert {name for name in changed if name.startswith("micrographs/")} == pictures
    assert analysing.run(log, micrographs, "--out", "fresh", *options) == 0
    assert contents(pathlib.Path("fresh")) == now
    assert analysing.run(log, micrographs, "--out", "out") == 0
    assert contents(pathlib.Path("out")) == plain


def test_ctrl_c_keeps_what_is_done(micrographs, log, capsys, monkeypatch):
    found = analyses.analyse

    def pressed(micrograph):
        if micrograph.name.endswith("m3.png"):
            raise KeyboardInterrupt
        return found(micrograph)

    with monkeypatch.context() as patch:
        patch.setattr(analyses, "analyse", pressed)
        assert analysing.run(log, micrographs, "--out", "out") == 130
    assert capsys.readouterr().err.splitlines() == [
        "3 of 6 micrographs done and kept in out; the same command goes on from there",
        "stopped",
    ]
    analysed(log)
    assert analysing.run(log, micrographs, "--out", "out") == 0
    assert analysed(log) == ["m3.png", "m4.png", "m5.png"]


def test_an_unexpected_fault_costs_one_micrograph(micrographs, log, capsys, monkeypatch):
    found = analyses.analyse

    def faulty(micrograph):
        return found(micrograph) if not micrograph.name.endswith("m3.png") else 1 // 0

    monkeypatch.setattr(analyses, "analyse", faulty)
    assert analysing.run(log, micrographs, "--out", "out") == 1
    (row,) = [row for row in read("out/grana.csv") if row["status"] == "error"]
    assert row["file"] == "in/m3.png"
    assert row["reason"].startswith("could not be analysed (an unexpected ZeroDivisionError")
    assert len(read("out/micrographs.csv")) == 6


def test_without_a_scale(micrographs, log, capsys, monkeypatch):
    found = analyses.read
    unscaled = lambda path: dataclasses.replace(found(path), px_per_nm=None, source="")  # noqa: E731
    analyse = analyses.analyse

    def without(micrograph):
        result = analyse(micrograph)
        bare = dataclasses.replace(result.analysis, px_per_nm=None, px_per_nm_source="")
        return dataclasses.replace(result, analysis=bare)

    monkeypatch.setattr(analyses, "read", unscaled)
    monkeypatch.setattr(analyses, "analyse", without)
    assert analysing.run(log, micrographs / "m0.png", "--out", "out") == 0
    out = capsys.readouterr().out
    assert "no scale is known of 1 of 1 micrographs" in out
    assert "SRD" not in out
    assert all(row["srd_nm"] == "" and row["period_px"] for row in read("out/grana.csv"))


def test_groups(micrographs, log, capsys):
    pathlib.Path("groups.csv").write_text(
        "file,group\n" + "".join(f"m{n},{'wt' if n < 3 else 'mutant'}\n" for n in range(5))
    )
    assert analysing.run(log, micrographs, "--out", "out", "--groups", "groups.csv") == 0
    assert "1 of 6 micrographs have no group, first in/m5.png" in capsys.readouterr().err
    scopes = [(row["scope"], row["of"]) for row in read("out/summary.csv")]
    assert [one for one in dict.fromkeys(scopes) if one[0] == "group"] == [
        ("group", "wt"),
        ("group", "mutant"),
    ]
    assert {row["group"] for row in read("out/grana.csv")} == {"wt", "mutant", ""}


def test_files_of_one_name_in_two_folders(micrographs, log):
    analyses.write_micrographs(micrographs / "b", 2)
    assert analysing.run(log, micrographs, "--out", "out") == 0
    names = {row["name"]: row["file"] for row in read("out/micrographs.csv")}
    assert len(names) == 8
    assert names["b_m0"] == "in/b/m0.png"
    for name, file in names.items():
        record = json.loads(pathlib.Path(f"out/records/{name}.json").read_text())
        assert record["analysis"]["file"] == file


def test_results_within_the_input_are_not_analysed(micrographs, log):
    command = (micrographs, "--out", micrographs / "results")
    assert analysing.run(log, *command) == 0
    assert analysing.run(log, *command) == 0
    assert len(analysed(log)) == 6


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("in",), "--out"),
        (("in", "--out", "in"), "--out in: is a folder with other files; accepted is a new or"),
        (("none", "--out", "o"), "none: cannot be read"),
        (("in", "--out", "o", "--exclude", "x:1"), "--exclude x:1: x is none of the 6 micrographs"),
        (("in", "--out", "o", "--groups", "none.csv"), "none.csv: cannot be read"),
        (("in", "--out", "o", "--threshold", "1.5"), "accepted is a number between 0 and 1"),
    ],
)
def test_wrong_usage(micrographs, log, capsys, arguments, message):
    assert analysing.run(log, *arguments) == 2
    out, err = capsys.readouterr()
    assert message in err
    assert (out, err.count("\n")) == ("", 1)
    assert analysed(log) == []


def start(log, kill, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "helpers.analysing", log, str(kill), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_killed_at_any_moment_it_ends_with_the_same_bits(micrographs, log):
    """Killed before or after a file is put into its place, as random numbers have it."""
    assert analysing.run(log, micrographs, "--out", "undisturbed") == 0
    expected = contents(pathlib.Path("undisturbed"))
    assert len(analysed(log)) == 6
    moments = random.Random(3)
    kills = [moments.choice((-1, 1)) * moments.randint(2, 16) for _ in range(4)]
    for kill in kills:
        assert start(log, kill, micrographs, "--out", "out").returncode == -signal.SIGKILL
    done = start(log, 0, micrographs, "--out", "out")
    assert (done.returncode, done.stdout.count("\n") > 3) == (0, True), done.stderr
    assert contents(pathlib.Path("out")) == expected
    # No more than the one at which it was killed is repeated.
    assert 6 <= len(analysed(log)) <= 6 + len(kills)


def test_killed_while_excluded_grana_are_drawn(micrographs, log):
    assert analysing.run(log, micrographs, "--out", "out") == 0
    plain = contents(pathlib.Path("out"))
    for kill in (2, -3):
        done = start(log, kill, micrographs, "--out", "out", "--exclude", "m1:1")
        assert done.returncode == -signal.SIGKILL
    assert analysing.run(log, micrographs, "--out", "out") == 0
    assert contents(pathlib.Path("out")) == plain


def test_weights_belong_to_the_network(micrographs, capsys):
    options = ("--out", "o", "--detector", "classical", "--weights", "w.safetensors")
    assert run("analyse", micrographs, *options) == 2
    assert "accepted with --detector network only" in capsys.readouterr().err
    assert run("analyse", micrographs, "--out", "o", "--weights", "none.safetensors") == 2
    assert "none.safetensors" in capsys.readouterr().err
    assert not any(pathlib.Path("o").iterdir())


def test_corrected_masks_through_the_real_pipeline(tmp_path, monkeypatch, capsys):
    """Two drawn grana, outlined by a label image: their periods and numbers come back."""
    monkeypatch.chdir(tmp_path)
    stacks = [
        drawn_micrographs.Stack(130, 120, 160, 90, 20, 13.0),
        drawn_micrographs.Stack(340, 270, 180, 100, 110, 15.0),
    ]
    grey = drawn_micrographs.drawn(stacks).grey
    Image.fromarray(grey).save("a.png")
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]] + 0.5
    labels = np.zeros(grey.shape, np.uint8)
    for number, stack in enumerate(stacks, 1):
        labels[drawn_micrographs.depth(stack, x, y) > 0] = number
    pathlib.Path("masks").mkdir()
    Image.fromarray(labels).save("masks/a.png")
    options = ("--out", "out", "--px-per-nm", 0.67, "--detector", "classical", "--masks", "masks")
    assert run("analyse", "a.png", *options) == 0, capsys.readouterr().err
    rows = read("out/grana.csv")
    assert [row["detection"] for row in rows] == ["", ""]
    for row, stack in zip(rows, stacks, strict=True):
        assert float(row["period_px"]) == pytest.approx(stack.period, rel=0.02)
        assert float(row["direction_deg"]) == pytest.approx(stack.direction, abs=2)
        assert float(row["area_px2"]) == pytest.approx(stack.width * stack.height, rel=0.03)
    written = tifffile.imread("out/labels/a.tif")
    assert np.count_nonzero(written != labels) < 0.005 * labels.size
    np.testing.assert_array_equal(np.unique(written), [0, 1, 2])
    Image.fromarray(np.where(labels == 1, 1, 0).astype(np.uint8)).save("masks/a.png")
    assert run("analyse", "a.png", *options) == 0
    assert "analysed anew, as changed: mask" in capsys.readouterr().err
    assert len(read("out/grana.csv")) == 1
