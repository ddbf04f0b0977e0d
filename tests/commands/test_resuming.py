import fcntl
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest
from helpers import predicting
from helpers.command import read, refused, run
from helpers.crops import stripes, write_crop
from helpers.image_files import write_png

from srd_jax.measuring import measure_files
from srd_jax.support import journal

TESTS = pathlib.Path(__file__).parents[1]
METHOD = ("--method", "fft")


@pytest.fixture
def grana(tmp_path, monkeypatch):
    """Seven files in a folder of the working folder; one shows two grana."""
    monkeypatch.chdir(tmp_path)
    for seed in range(6):
        write_crop(tmp_path / "grana" / f"{seed}.png", seed)
    image = np.full((140, 330), 150, np.uint8)
    image[10:130, 10:160], image[10:130, 170:320] = stripes(0), stripes(1)[::-1]
    labels = np.zeros(image.shape, np.uint8)
    labels[10:130, 10:160], labels[10:130, 170:320] = 3, 8
    write_png(tmp_path / "grana" / "2b.png", image)
    write_png(tmp_path / "grana" / "2b_cp_masks.png", labels)
    return pathlib.Path("grana")


@pytest.fixture
def opened(monkeypatch):
    """The names of the files that are read."""
    names, open_crops = [], measure_files.open_crops

    def opening(path):
        names.append(pathlib.Path(path).name)
        return open_crops(path)

    monkeypatch.setattr(measure_files, "open_crops", opening)
    return names


def whole(grana, *options):
    """The bytes of the table of an undisturbed run."""
    assert run("predict", grana, "--out", "whole.csv", *METHOD, *options) == 0
    return pathlib.Path("whole.csv").read_bytes()


def kept():
    return pathlib.Path("r.csv.partial").exists()


def test_killed_it_goes_on_without_repeating_or_losing_a_row(grana, opened, capsys):
    expected = whole(grana)
    command = ("predict", grana, "--out", "r.csv", *METHOD, "--batch-size", 2)
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    done = subprocess.run(
        [sys.executable, "-m", "helpers.predicting", "5", *map(str, command[1:])],
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == -signal.SIGKILL
    assert kept()
    assert not pathlib.Path("r.csv").exists()
    opened.clear()
    capsys.readouterr()
    assert run(*command) == 0
    assert opened == ["3.png", "4.png", "5.png"]
    assert capsys.readouterr().err == ("4 files are taken from r.csv.partial, of a stopped run\n")
    assert pathlib.Path("r.csv").read_bytes() == expected
    assert not kept()


def test_worker_processes_change_nothing(grana):
    expected = whole(grana, "--auto-rotate")
    command = ("predict", grana, "--out", "r.csv", *METHOD, "--auto-rotate", "--batch-size", 2)
    predicting.stopped(2, *command[1:], "--workers", 2)
    assert run(*command, "--workers", 2) == 0
    assert pathlib.Path("r.csv").read_bytes() == expected


def test_what_has_changed_is_measured_anew(grana, opened, capsys):
    command = (grana, "--out", "r.csv", *METHOD)
    predicting.stopped(6, *command)
    write_crop(grana / "1.png", 9)
    labels = np.zeros((140, 330), np.uint8)
    labels[10:130, 10:160] = 1
    write_png(grana / "2b_cp_masks.png", labels)
    (grana / "0.txt").write_text("PixelSize=1")
    opened.clear()
    capsys.readouterr()
    assert run("predict", *command) == 0
    assert opened == ["0.png", "1.png", "2b.png", "5.png"]
    assert capsys.readouterr().err.splitlines() == [
        "3 files are taken from r.csv.partial, of a stopped run",
        "3 files of a stopped run are measured anew: they or options changed",
    ]
    assert pathlib.Path("r.csv").read_bytes() == whole(grana)


def test_other_options_start_anew_and_the_first_ones_are_not_lost(grana, opened):
    command = (grana, "--out", "r.csv", *METHOD)
    predicting.stopped(3, *command)
    opened.clear()
    predicting.stopped(2, *command, "--px-per-nm", 1)
    assert opened[:2] == ["0.png", "1.png"]
    opened.clear()
    assert run("predict", *command) == 0
    assert opened == ["2b.png", "3.png", "4.png", "5.png"]
    assert pathlib.Path("r.csv").read_bytes() == whole(grana)


def test_errors_are_tried_again(grana, opened, capsys):
    sound = (grana / "1.png").read_bytes()
    (grana / "1.png").write_text("hello")
    command = (grana, "--out", "r.csv", *METHOD)
    predicting.stopped(4, *command)
    opened.clear()
    stopped = pathlib.Path("r.csv.partial").read_bytes()
    assert run("predict", *command) == 1
    assert opened[0] == "1.png"
    pathlib.Path("r.csv.partial").write_bytes(stopped)
    (grana / "1.png").write_bytes(sound)
    assert run("predict", *command) == 0
    assert pathlib.Path("r.csv").read_bytes() == whole(grana)


def test_missing_overlays_are_drawn(grana, opened):
    files = [grana / f"{number}.png" for number in range(3)]
    command = (*files, "--out", "r.csv", *METHOD, "--overlay", "o")
    predicting.stopped(2, *command)
    pathlib.Path("o/1.png.overlay.png").unlink()
    opened.clear()
    assert run("predict", *command) == 0
    assert opened == ["1.png", "2.png"]
    assert len(list(pathlib.Path("o").iterdir())) == 3


def test_nothing_is_kept_where_there_is_no_file(grana, capsys):
    assert run("predict", grana, "--out", "-", *METHOD) == 0
    assert list(pathlib.Path().iterdir()) == [grana]


def test_two_runs_into_one_table_are_refused(grana, capsys):
    with pathlib.Path("r.csv.partial").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        said = refused(capsys, "predict", grana, "--out", "r.csv", *METHOD)
    assert said.startswith("r.csv.partial: another srd predict is writing there; accepted is")


def test_another_file_of_that_name_is_left_alone(grana, capsys):
    pathlib.Path("r.csv.partial").write_text("mine")
    said = refused(capsys, "predict", grana, "--out", "r.csv", *METHOD)
    assert said.startswith("r.csv.partial: is there already and doesn't hold results of")
    assert pathlib.Path("r.csv.partial").read_text() == "mine"


def test_a_full_disk_costs_only_the_going_on(grana, capsys, monkeypatch):
    def full(self, entry):
        raise journal.Unwritable("r.csv.partial: cannot be written (No space left)")

    monkeypatch.setattr(journal.Journal, "append", full)
    assert run("predict", grana, "--out", "r.csv", *METHOD) == 0
    assert len(read("r.csv")) == 8
    assert capsys.readouterr().err == (
        "r.csv.partial: cannot be written (No space left); the run goes on, but can't be taken up "
        "again from here\n"
    )
