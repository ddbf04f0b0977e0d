import numpy as np
import pytest
from helpers.command import read, refused, run
from helpers.cubic_membranes import NM_PER_PX, region, rendered
from helpers.image_files import write_png

from srd_jax.analysis.surfaces.answer import failed
from srd_jax.commands.surfaces import map as mapping


def test_domains_go_to_tables_and_a_picture(tmp_path, capsys):
    grey = region(rendered("D", side=144)[0], 0.5).grey
    both = np.concatenate([grey, np.full((144, 96), grey.mean())], axis=1)
    good = write_png(tmp_path / "good.png", np.clip(both, 0, 255).astype(np.uint8))
    bad, out = tmp_path / "bad.png", tmp_path / "out"
    bad.write_bytes(good.read_bytes()[:300])
    given = ("--nm-per-px", NM_PER_PX, "--type", "D", "--cell-nm", 60, 95, "--weights", "none")
    size = ("--window", 96, "--step", 48)
    assert run("surfaces", "map", bad, good, *given, *size, "--out", out) == 1
    (domain,) = read(out / "domains.csv")
    assert (domain["type"], domain["domain"], domain["windows"]) == ("D", "1", "6")
    assert float(domain["a_nm"]) == pytest.approx(78, rel=0.01)
    rows = read(out / "windows.csv")
    assert len(rows) == 8
    assert {row["status"] for row in rows if int(row["x0"]) >= 144} == {"error"}
    assert (out / "good_domains.png").is_file()
    said = capsys.readouterr()
    assert "good.png: 1 domains on 6 of 8 windows" in said.out
    assert said.err.splitlines()[-1].startswith(f"{bad}: ")
    assert said.out.splitlines()[-1] == (
        f"tables in {out / 'domains.csv'} and {out / 'windows.csv'}"
    )


def test_windows_that_are_fitted_are_kept_when_one_stops_the_command(tmp_path, monkeypatch):
    fitted = []

    def fit(*arguments):
        if len(fitted) == 3:
            raise KeyboardInterrupt
        fitted.append(failed(f"window {len(fitted) + 1}", (0, 0, 64, 64), "no lattice"))
        return fitted[-1]

    monkeypatch.setattr(mapping, "_of_window", fit)
    monkeypatch.setattr(mapping, "_KEPT", 2)
    picture = write_png(tmp_path / "one.png", np.full((64, 200), 9, np.uint8))
    given = ("--type", "D", "--weights", "none", "--window", 64, "--step", 32)
    assert run("surfaces", "map", picture, *given, "--out", tmp_path / "out") == 130
    assert [row["region"] for row in read(tmp_path / "out" / "windows.csv")] == [
        "window 1",
        "window 2",
    ]


def test_a_step_that_makes_too_many_windows_is_one_line(tmp_path, capsys):
    picture = write_png(tmp_path / "one.png", np.full((4000, 4000), 9, np.uint8))
    given = ("--type", "D", "--weights", "none", "--window", 32, "--step", 32)
    assert run("surfaces", "map", picture, *given, "--out", tmp_path / "out") == 1
    words = "a step of 32 px makes 15,625 windows of 4000 x 4000 px; accepted are at most 10,000"
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--window", "8"), "--window: found '8'; accepted is a whole number from 32 px on"),
        (("--cell-nm", 90, 60), "accepted is the smaller one first"),
        (("--cell-nm", 60, 90), "--cell-nm: found without a scale"),
        (("--weights", "nowhere"), "nowhere"),
    ],
)
def test_bad_options_are_one_line(tmp_path, capsys, options, words):
    picture = write_png(tmp_path / "one.png", np.full((64, 64), 9, np.uint8))
    given = ("--type", "D", "--out", tmp_path / "out", *options)
    if "--weights" not in options:
        given += ("--weights", "none")
    if "scale" in words:
        assert run("surfaces", "map", picture, *given) == 1
        assert words in capsys.readouterr().err
    else:
        assert words in refused(capsys, "surfaces", "map", picture, *given)
