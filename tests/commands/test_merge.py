import argparse
import json
import pathlib
import shutil

import numpy as np
import pytest
from helpers import analyses, analysing
from helpers.command import read, refused, run
from helpers.crops import stripes, write_crop
from helpers.image_files import write_png

from srd_jax.commands.micrographs import planning

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
    assert [len(read(part)) for part in parts] == [4, 2, 2]
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


@pytest.fixture(scope="module")
def analysed(tmp_path_factory):
    """Five micrographs, of which two have one name and one is none, in two parts and as one."""
    root = tmp_path_factory.mktemp("analysed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        analyses.write_micrographs(root / "in", 3)
        analyses.write_micrographs(root / "in" / "b", 1)
        (root / "in" / "bad.png").write_text("hello")
        pathlib.Path("groups.csv").write_text("file,group\nm1.png,wt\nm2.png,mutant\n")
        for out, more in (("p1", PART_1), ("p2", PART_2), ("whole", ())):
            assert analysing.run(root / "log", *OPTIONS, "--out", out, *more) in (0, 1)
    return root


@pytest.fixture
def folders(analysed, tmp_path, monkeypatch):
    """A copy of them in the working folder."""
    shutil.copytree(analysed, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


OPTIONS = ("in", "--groups", "groups.csv", "--exclude", "m2:1")
PART_1, PART_2 = (("--shard", f"{number}/2") for number in (1, 2))


@pytest.mark.usefixtures("folders")
def test_joined_analyses_are_those_of_one_run(tmp_path, capsys):
    assert run("merge", "all", "p2", "p1") == 0
    assert capsys.readouterr().out == "5 micrographs of 2 parts; results in all\n"
    assert contents("all") == contents("whole")
    assert "b_m0" in [row["name"] for row in read("all/micrographs.csv")]
    # What is joined is an analysis like any other.
    assert analysing.run(tmp_path / "log", *OPTIONS, "--out", "all") == 1
    assert "4 of 5 micrographs are taken from an earlier run" in capsys.readouterr().err


@pytest.mark.usefixtures("folders")
def test_analyses_that_do_not_fit_are_refused(tmp_path, capsys):
    said = refused(capsys, "merge", "all", "p1")
    assert said == "part 2 of 2 is missing; accepted are all of them"
    assert refused(capsys, "merge", "whole", "p1", "p2").startswith("whole: is a folder with files")
    said = refused(capsys, "merge", "all", "whole")
    assert said.startswith("whole: has no shard.json beside; accepted are parts that one command")
    assert analysing.run(tmp_path / "log", *OPTIONS, "--out", "p1", *PART_2) == 2
    assert "--out p1: is the folder of part 1/2; accepted is another" in capsys.readouterr().err
    path = pathlib.Path("p2/shard.json")
    before = json.loads(path.read_text())
    path.write_text(json.dumps(before | {"options": before["options"] | {"threshold": "0.3"}}))
    said = refused(capsys, "merge", "all", "p1", "p2")
    assert said.startswith("p2: was made with another threshold, 0.3, than p1, None; accepted")
    path.write_text(json.dumps(before | {"content": before["content"] | {"names": ["m1"]}}))
    assert "names 1 micrographs, of 2; accepted" in refused(capsys, "merge", "all", "p1", "p2")
    path.write_text(json.dumps(before))
    next(pathlib.Path("p2/records").iterdir()).unlink()
    said = refused(capsys, "merge", "all", "p1", "p2")
    assert said.startswith("p2/records/")
    assert "is missing or not whole; accepted is to start the command of that part" in said
    assert not pathlib.Path("all").exists()


@pytest.mark.usefixtures("folders")
def test_a_part_that_was_stopped_is_refused(tmp_path, capsys, monkeypatch):
    def pressed(micrograph):
        raise KeyboardInterrupt

    monkeypatch.setattr(analyses, "analyse", pressed)
    options = (*OPTIONS, "--out", "p2", *PART_2, "--threshold", 0.3)
    assert analysing.run(tmp_path / "log", *options) == 130
    said = refused(capsys, "merge", "all", "p1", "p2")
    assert said.startswith("p2: part 2/2 isn't done; accepted is to start its command again")


def test_options_of_an_analysis_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("a.csv").write_text("a")
    names = ("px_per_nm", "nm_per_px", "bar_nm", "masks", "scales", "groups")
    plain = argparse.Namespace(**dict.fromkeys(names), exclude=["b:1", "a:2"])
    expected = planning.identity(plain, {"threshold": "0.4"})
    for changes in (
        {"px_per_nm": 1.0}, {"bar_nm": 100.0}, {"masks": "m"}, {"scales": "a.csv"},
        {"groups": "a.csv"}, {"exclude": ["a:2"]},
    ):  # fmt: skip
        given = argparse.Namespace(**{**vars(plain), **changes})
        assert planning.identity(given, {"threshold": "0.4"}) != expected
    given = argparse.Namespace(**{**vars(plain), "exclude": ["a:2", "b:1"]})
    assert planning.identity(given, {"threshold": "0.4"}) == expected
    assert planning.identity(given, {"threshold": "0.5"}) != expected
