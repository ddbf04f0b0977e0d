import json
import pathlib
import shutil

import numpy as np
import pytest
from helpers import analyses, analysing
from helpers.command import read, refused, run
from helpers.crops import stripes, write_crop
from helpers.image_files import write_png

METHOD = ("--method", "fft")


@pytest.fixture
def grana(tmp_path, monkeypatch):
    """Seven files, of which one shows two grana, and one is no image."""
    monkeypatch.chdir(tmp_path)
    for seed in range(5):
        write_crop(tmp_path / "grana" / f"{seed}, ö\n.png", seed)
    image = np.full((140, 330), 150, np.uint8)
    image[10:130, 10:160], image[10:130, 170:320] = stripes(0), stripes(1)[::-1]
    labels = np.zeros(image.shape, np.uint8)
    labels[10:130, 10:160], labels[10:130, 170:320] = 3, 8
    write_png(tmp_path / "grana" / "two.png", image)
    write_png(tmp_path / "grana" / "two_cp_masks.png", labels)
    (tmp_path / "grana" / "bad.png").write_text("hello")
    return pathlib.Path("grana")


@pytest.fixture
def parts(grana):
    """Three parts of the grana."""
    for number in (1, 2, 3):
        assert run("predict", grana, *METHOD, "--shard", f"{number}/3") in (0, 1)
    return [f"results-{number}-of-3.csv" for number in (1, 2, 3)]


def test_joined_tables_are_those_of_one_run(grana, parts, capsys):
    assert run("predict", grana, *METHOD, "--out", "whole.csv") == 1
    assert [len(read(part)) for part in parts] == [3, 2, 3]
    capsys.readouterr()
    assert run("merge", "all.csv", parts[2], parts[0], parts[1]) == 0
    assert capsys.readouterr().out == "7 files of 3 parts; results in all.csv\n"
    assert pathlib.Path("all.csv").read_bytes() == pathlib.Path("whole.csv").read_bytes()


def test_gaps_and_overlaps_are_refused(grana, parts, capsys):
    one, two, three = parts
    assert refused(capsys, "merge", "all.csv", one, three) == (
        "part 2 of 3 is missing; accepted are all of them"
    )
    assert "parts 1, 3 of 3 are missing" in refused(capsys, "merge", "all.csv", two)
    for suffix in ("", ".shard.json"):
        shutil.copy(f"{two}{suffix}", f"copy.csv{suffix}")
    said = refused(capsys, "merge", "all.csv", *parts, "copy.csv")
    assert said == f"copy.csv: is part 2/3 again, as {two}; accepted is each part once"
    said = refused(capsys, "merge", "all.csv", *parts, f"./{two}")
    assert said == f"{two}: is given twice; accepted is each part once"
    assert not pathlib.Path("all.csv").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--px-per-nm", 2), "was made with another px_per_nm, 2.0, than results-1-of-3.csv, none"),
        (("--auto-rotate",), "was made with another auto_rotate, true, than"),
        (("--method", "autocorrelation"), "was made with another method, autocorrelation, than"),
        (("--shard", "2/4"), "has another number of parts, 4, than results-1-of-3.csv, 3"),
    ],
)
def test_parts_of_other_options_are_refused(grana, parts, capsys, options, message):
    given = ("--shard", "2/3", "--out", "other.csv", *METHOD, *options)
    assert run("predict", grana, *given) in (0, 1)
    said = refused(capsys, "merge", "all.csv", parts[0], "other.csv", parts[2])
    assert said.startswith(f"other.csv: {message}")


def test_parts_of_other_files_versions_and_commands_are_refused(grana, parts, capsys):
    path = pathlib.Path(f"{parts[1]}.shard.json")
    before = json.loads(path.read_text())
    for changes, message in (
        ({"srd_jax": "9"}, "has another version of srd_jax, 9, than"),
        ({"command": "srd analyse"}, "has another command, srd analyse, than"),
        ({"files": 8}, "has another number of files, 8, than"),
        ({"names": "0"}, "is of files with other names or in another order than"),
        ({"content": None}, "part 2/3 isn't done; accepted is to start its command again"),
        ({"content": {}}, "has changed since srd predict wrote it"),
    ):
        path.write_text(json.dumps(before | changes))
        assert refused(capsys, "merge", "all.csv", *parts).startswith(f"{parts[1]}: {message}")
    path.write_text("{}")
    assert refused(capsys, "merge", "all.csv", *parts).startswith(f"{path}: is of another version")
    path.unlink()
    said = refused(capsys, "merge", "all.csv", *parts)
    assert said.startswith(f"{parts[1]}: has no {path} beside; accepted are parts")


def test_a_table_that_was_edited_is_refused(grana, parts, capsys):
    with pathlib.Path(parts[2]).open("a") as file:
        file.write("x\n")
    said = refused(capsys, "merge", "all.csv", *parts)
    assert said.startswith(f"{parts[2]}: has changed since srd predict wrote it; accepted")


def test_wrong_parts(grana, parts, capsys):
    for given, message in (
        (("all.csv", "none.csv"), "none.csv: doesn't exist; accepted are results made with"),
        (("all.csv", parts[0], grana), f"{grana}: is a folder, but {parts[0]} a file"),
        (("-", *parts), "-: isn't a path; accepted is that of a new table"),
        ((parts[0], *parts), f"--out {parts[0]}: would replace an input"),
        (("all.png", *parts), "--out all.png: is a table, but named .png"),
    ):
        assert refused(capsys, "merge", *given).startswith(message)


@pytest.mark.parametrize("given", ["0/3", "4/3", "1", "1/0", "a/b", "-1/3", "1/3/3"])
def test_wrong_shards(grana, capsys, given):
    said = refused(capsys, "predict", grana, *METHOD, f"--shard={given}")
    assert f"argument --shard: found '{given}'; accepted is I/N, I from 1 to N" in said


def test_shards_need_files(grana, capsys):
    said = refused(capsys, "predict", grana, *METHOD, "--shard", "1/8")
    assert said == "--shard 1/8: there are 7 files; accepted are at most as many parts"
    said = refused(capsys, "predict", grana, *METHOD, "--shard", "1/3", "--out", "-")
    assert said.startswith("--out -: found with --shard; accepted is a file")


def contents(folder):
    paths = [path for path in pathlib.Path(folder).rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture
def micrographs(tmp_path, monkeypatch):
    """Seven micrographs, of which two have one name and one is none; with groups."""
    monkeypatch.chdir(tmp_path)
    analyses.write_micrographs(tmp_path / "in", 4)
    analyses.write_micrographs(tmp_path / "in" / "b", 2)
    (tmp_path / "in" / "bad.png").write_text("hello")
    rows = "".join(f"m{number}.png,{'wt' if number < 3 else 'mutant'}\n" for number in (2, 3))
    pathlib.Path("groups.csv").write_text(f"file,group\n{rows}")
    return ("in", "--groups", "groups.csv", "--exclude", "m2:1")


@pytest.fixture
def analysed(micrographs, tmp_path):
    """Two parts of them."""
    for number in (1, 2):
        options = (*micrographs, "--out", f"p{number}", "--shard", f"{number}/2")
        assert analysing.run(tmp_path / "log", *options) in (0, 1)
    return ["p1", "p2"]


def test_joined_analyses_are_those_of_one_run(micrographs, analysed, tmp_path, capsys):
    assert analysing.run(tmp_path / "log", *micrographs, "--out", "whole") == 1
    capsys.readouterr()
    assert run("merge", "all", *reversed(analysed)) == 0
    assert capsys.readouterr().out == "7 micrographs of 2 parts; results in all\n"
    assert contents("all") == contents("whole")
    names = [row["name"] for row in read("all/micrographs.csv")]
    assert "b_m0" in names
    # What is joined is an analysis like any other.
    assert analysing.run(tmp_path / "log", *micrographs, "--out", "all") == 1
    assert "6 of 7 micrographs are taken from an earlier run" in capsys.readouterr().err


def test_analyses_that_do_not_fit_are_refused(micrographs, analysed, tmp_path, capsys):
    log, part = tmp_path / "log", ("--shard", "2/2")
    said = refused(capsys, "merge", "all", "p1")
    assert said == "part 2 of 2 is missing; accepted are all of them"
    assert analysing.run(log, *micrographs, "--out", "p1", *part) == 2
    assert "--out p1: is the folder of part 1/2; accepted is another" in capsys.readouterr().err
    assert analysing.run(log, *micrographs, "--out", "p3", *part, "--threshold", 0.3) in (0, 1)
    said = refused(capsys, "merge", "all", "p1", "p3")
    assert said.startswith("p3: was made with another threshold, 0.3, than p1, None; accepted")
    assert analysing.run(log, *micrographs, "--out", "p4", *part, "--exclude", "m0:1") in (0, 1)
    assert refused(capsys, "merge", "all", "p1", "p4").startswith("p4: was made with another excl")
    assert refused(capsys, "merge", "p1", *analysed).startswith("p1: is a folder with files")
    assert analysing.run(log, *micrographs, "--out", "whole") == 1
    said = refused(capsys, "merge", "all", "whole")
    assert said.startswith("whole: has no shard.json beside; accepted are parts that one command")
    next(pathlib.Path("p2/records").iterdir()).unlink()
    said = refused(capsys, "merge", "all", *analysed)
    assert said.startswith("p2/records/")
    assert "is missing or not whole; accepted is to start the command of that part" in said
    assert not pathlib.Path("all").exists()


def test_a_part_that_was_stopped_is_refused(micrographs, analysed, tmp_path, capsys, monkeypatch):
    def pressed(micrograph):
        raise KeyboardInterrupt

    monkeypatch.setattr(analyses, "analyse", pressed)
    options = (*micrographs, "--out", "p2", "--shard", "2/2", "--threshold", 0.3)
    assert analysing.run(tmp_path / "log", *options) == 130
    said = refused(capsys, "merge", "all", *analysed)
    assert said.startswith("p2: part 2/2 isn't done; accepted is to start its command again")
