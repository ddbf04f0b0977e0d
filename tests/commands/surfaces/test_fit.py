import numpy as np
import pytest
from helpers.command import read, refused, run
from helpers.cubic_membranes import NM_PER_PX, region, rendered
from helpers.image_files import write_png


def _picture(path, noise=0.7):
    grey = region(rendered("D")[0], noise).grey
    return write_png(path, np.clip(grey, 0, 255).astype(np.uint8))


def test_fits_go_to_a_table_a_page_and_pictures(tmp_path, capsys):
    good, bad = _picture(tmp_path / "good.png"), tmp_path / "bad.png"
    bad.write_bytes(good.read_bytes()[:300])
    boxes = ("--box", 0, 0, 96, 96, "--box", 50, 50, 200, 90)
    out = tmp_path / "out"
    given = (
        "--nm-per-px",
        NM_PER_PX,
        "--type",
        "d",
        "--cell-nm",
        60,
        95,
        "--weights",
        "none",
        "--out",
        out,
    )
    assert run("surfaces", "fit", bad, good, *boxes, *given) == 1
    rows = read(out / "fits.csv")
    assert [row["status"] for row in rows] == ["error", "ok", "error"]
    assert "accepted" in rows[0]["reason"]
    assert "box 2 (50 50 200 90) isn't within the micrograph; accepted is" in rows[2]["reason"]
    row = rows[1]
    assert row["type"] == "D"
    assert float(row["a_nm"]) == pytest.approx(78, rel=0.01)
    assert float(row["a_px"]) == pytest.approx(78 / NM_PER_PX, rel=0.01)
    assert float(row["fraction"]) == pytest.approx(0.3, abs=0.03)
    page = (out / "report.html").read_text()
    assert "1 ok" in page and "2 error" in page and "data:image/png" in page
    assert (out / "pictures" / "good_1.png").is_file()
    printed = capsys.readouterr().out
    assert "good.png box 1: ok; D, a = 78." in printed
    assert printed.splitlines()[-1].startswith(f"tables in {out / 'fits.csv'}")


def test_regions_come_from_a_mask_and_cells_without_a_scale_are_in_px(tmp_path, capsys):
    good = _picture(tmp_path / "good.png")
    mask = np.zeros((96, 96), np.uint8)
    mask[:, 8:90] = 255
    write_png(tmp_path / "some.png", mask)
    given = (
        "--mask",
        tmp_path / "some.png",
        "--type",
        "D",
        "--weights",
        "none",
        "--out",
        tmp_path / "out",
    )
    assert run("surfaces", "fit", good, *given) == 0
    (row,) = read(tmp_path / "out" / "fits.csv")
    assert (row["region"], row["x0"], row["x1"]) == ("mask 1", "8", "90")
    assert row["a_nm"] == row["nm_per_px"] == ""
    assert float(row["a_px"]) == pytest.approx(78 / NM_PER_PX, rel=0.01)
    assert "where no scale is known, a is in px" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--box", 0, 0, 96), "--box"),
        (("--box", 0, 0, "x", 96), "found 'x'; accepted is a whole number of px"),
        (("--box", 0, 0, 50, 50, "--mask", "m.png"), "--box, --mask: found both"),
        (("--type", "Q"), "found 'Q'; accepted are G (gyroid)"),
        (("--nm-per-px", 0), "accepted is a number above 0"),
        (("--nm-per-px", "nan"), "accepted is a number above 0"),
        (("--nm-per-px", 2, "--px-per-nm", 2), "not allowed with"),
        (("--cell-nm", 90, 60), "accepted is the smaller one first"),
        (("--cell-nm", 60), "--cell-nm"),
        (("--scales", "none.csv"), "none.csv"),
        (("--out", ""), "accepted is a path"),
    ],
)
def test_wrong_options_are_one_line(tmp_path, capsys, monkeypatch, options, words):
    monkeypatch.chdir(tmp_path)
    good = _picture(tmp_path / "good.png")
    assert words in refused(capsys, "surfaces", "fit", good, *options)


def test_other_wrong_inputs_are_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    good = _picture(tmp_path / "good.png")
    other = _picture(tmp_path / "other.png")
    fit = ("surfaces", "fit")
    assert "found with 2 micrographs" in refused(capsys, *fit, good, other, "--mask", good)
    assert "is a file" in refused(capsys, *fit, good, "--out", other)
    assert "nowhere.png" in refused(capsys, *fit, "nowhere.png")


def test_regions_that_cannot_be_fitted_are_errors_with_a_reason(tmp_path):
    blank = write_png(tmp_path / "blank.png", np.full((96, 96), 90, np.uint8))
    small = write_png(tmp_path / "small.png", np.arange(400, dtype=np.uint8).reshape(20, 20))
    good = _picture(tmp_path / "good.png")
    out = tmp_path / "out"
    assert run("surfaces", "fit", blank, small, "--out", out) == 1
    first, second = read(out / "fits.csv")
    assert first["reason"] == "whole is blank; accepted are regions with a lattice"
    assert "accepted are at least 32 x 32" in second["reason"]
    mask = write_png(tmp_path / "mask.png", np.full((50, 50), 255, np.uint8))
    assert run("surfaces", "fit", good, "--mask", mask, "--out", out) == 1
    assert "the mask has 50 x 50 px" in read(out / "fits.csv")[0]["reason"]
    assert run("surfaces", "fit", good, "--cell-nm", 60, 90, "--out", out) == 1
    assert "--cell-nm: found without a scale" in read(out / "fits.csv")[0]["reason"]
