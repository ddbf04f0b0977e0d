import numpy as np
import pytest
from helpers.command import read, refused, run
from helpers.cubic_membranes import NM_PER_PX, region, rendered
from helpers.image_files import write_png


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
