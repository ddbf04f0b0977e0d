import csv
import errno
import io
import os
import pathlib
import stat

import pytest
from helpers.command import read, refused, run
from helpers.crops import write_crop

from srd_jax.commands import saving
from srd_jax.measuring import overlays

OLD = "file,period_px,sd_px\r\na.png,1,2\r\n"


@pytest.fixture
def predict(tmp_path):
    """The arguments that measure three crops without a network."""
    for seed in range(3):
        write_crop(tmp_path / "grana" / f"{seed}.png", seed)
    return ("predict", tmp_path / "grana", "--method", "fft")


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("out", ["-", "/dev/stdout"])
def test_standard_output_holds_the_csv_alone(predict, tmp_path, capsys, out):
    assert run(*predict, "--out", tmp_path / "r.csv") == 0
    capsys.readouterr()
    assert run(*predict, "--out", out) == 0
    said = capsys.readouterr()
    assert rows(said.out) == read(tmp_path / "r.csv")
    assert said.err.splitlines()[-1].endswith("results in standard output")
    assert "0.png" in said.err


def test_results_that_cannot_be_written_are_copied_and_shown(
    predict, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(*predict, "--out", "/dev/full") == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: /dev/full: cannot be written (No space left on device); ")
    assert said.err.count("\n") == 1
    copy = said.err.rstrip().rpartition("the results are in ")[2]
    assert pathlib.Path(copy).parent == tmp_path
    assert [pathlib.Path(row["file"]).name for row in read(copy)] == ["0.png", "1.png", "2.png"]
    assert said.out.endswith(f"3 of 3 measured (3 ok); results in {copy}\n")


def test_without_any_place_the_table_holds_all(tmp_path, capsys, monkeypatch):
    def nowhere(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(saving.table, "TABLE_ROWS", 2)
    for seed in range(3):
        write_crop(tmp_path / "grana" / f"{seed}.png", seed)
    monkeypatch.setattr("tempfile.mkstemp", nowhere)
    monkeypatch.setattr(saving.arguments, "check_target", lambda *_: None)
    assert run("predict", tmp_path / "grana", "--method", "fft", "--out", tmp_path / "r.csv") == 2
    said = capsys.readouterr()
    assert said.err.endswith("; no copy could be written either\n")
    assert all(f"{seed}.png" in said.out for seed in range(3))
    assert said.out.endswith("results in this table only\n")


def test_an_earlier_table_is_replaced_through_its_link_with_its_mode(predict, tmp_path):
    target, link = tmp_path / "r.csv", tmp_path / "link.csv"
    target.write_text(OLD)
    target.chmod(0o604)
    link.symlink_to(target)
    assert run(*predict, "--out", link) == 0
    assert link.is_symlink()
    assert len(read(target)) == 3
    assert stat.S_IMODE(target.stat().st_mode) == 0o604


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("new.tif", None),
        ("new.PNG", None),
        ("new.safetensors", None),
        ("new.csv.gz", None),
        ("old.csv", b"II*\0\0\0"),
        ("old", b"\x89PNG\0"),
        ("old.notes", b"my notes\n"),
        ("annotations.csv", b"granum_image,period_px\na.png,20\n"),
    ],
)
def test_what_is_no_table_of_results_is_not_replaced(predict, tmp_path, capsys, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    said = refused(capsys, *predict, "--out", path)
    assert said.startswith(f"--out {path}: is ")
    assert "accepted is a" in said
    assert (path.read_bytes() if path.exists() else None) == content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("r.csv", OLD.encode("utf-8-sig")),
        ("r.dat", OLD.replace(",", ";").encode()),
        ("r.csv", b""),
        ("r.csv", b"other,table\n"),
        ("r", None),
        ("r.2", None),
    ],
)
def test_tables_are_replaced(predict, tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert run(*predict, "--out", tmp_path / name) == 0
    assert len(read(tmp_path / name)) == 3


def test_a_missing_overlay_is_one_line_and_the_rest_goes_on(predict, tmp_path, capsys):
    folder = tmp_path / "overlays"
    taken = folder / "1.png.overlay.png"
    taken.mkdir(parents=True)
    assert run(*predict, "--out", tmp_path / "r.csv", "--overlay", folder) == 1
    assert [row["status"] for row in read(tmp_path / "r.csv")] == ["ok"] * 3
    assert sum(path.is_file() for path in folder.iterdir()) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"1 of 3 overlays are missing, the first: {taken}")
    assert "Is a directory" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("letter", ["x", "ö"])
def test_overlays_of_long_names_are_told_apart(predict, tmp_path, letter):
    # A name may have 255 bytes.
    first = f"{letter * ((250 - 1) // len(letter.encode()))}"
    for last in "ab":
        write_crop(tmp_path / "grana" / f"{first[:-1]}{last}.png")
    folder = tmp_path / "overlays"
    assert run(*predict, "--out", tmp_path / "r.csv", "--overlay", folder) == 0
    assert len(list(folder.iterdir())) == 5


def test_a_full_disk_costs_the_overlays_only(predict, tmp_path, capsys, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(overlays.Image.Image, "save", full)
    assert run(*predict, "--out", tmp_path / "r.csv", "--overlay", tmp_path / "o") == 1
    assert len(read(tmp_path / "r.csv")) == 3
    assert capsys.readouterr().err.startswith("3 of 3 overlays are missing, the first: ")


@pytest.mark.parametrize("flag", ["--out", "--overlay", "--annotations"])
def test_an_empty_path_is_refused(predict, capsys, flag):
    assert f"argument {flag}: found ''; accepted is a path" in refused(capsys, *predict, flag, "")
    assert "argument PATH: found ''" in refused(capsys, "predict", "")
