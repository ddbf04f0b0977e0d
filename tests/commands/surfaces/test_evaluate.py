import pytest
from helpers.command import read, refused, run
from helpers.cubic_membranes import NM_PER_PX

from srd_jax.commands.surfaces import evaluate


@pytest.fixture
def drawn(tmp_path):
    folder = tmp_path / "drawn"
    given = ("--type", "D", "--hkl", 1, 0.2, 0.8, "--a", 78, "--nm-per-px", NM_PER_PX)
    size = ("--size", 96, 96, "--n", 2, "--seed", 3, "--clean")
    assert run("surfaces", "generate", *given, *size, "--out", folder) == 0
    return folder


def test_fits_stand_beside_what_was_drawn(drawn, tmp_path, capsys):
    (drawn / "surface_1.png").write_bytes(b"damaged")
    out = tmp_path / "out"
    assert run("surfaces", "evaluate", drawn, "--type", "D", "--weights", "none", "--out", out) == 1
    good, bad = read(out / "evaluation.csv")
    assert (good["file"], good["type"], good["right"]) == ("surface_0.png", "D", "yes")
    assert abs(float(good["cell_error"])) < 0.02
    assert float(good["axis_error"]) < 5
    assert (bad["status"], bad["right"]) == ("error", "")
    assert bad["reason"]
    printed = capsys.readouterr().out
    assert "| refined | 1 of 2 |" in printed
    assert "1 error" in printed
    assert printed.splitlines()[-1].startswith(f"tables in {out / 'evaluation.csv'}")
    assert "| refined | 1 of 2 |" in (out / "evaluation.md").read_text()


def test_what_is_fitted_is_in_the_table_at_once(drawn, tmp_path, monkeypatch):
    out, compared = tmp_path / "out", evaluate._compared

    def stopping(*arguments):
        yield next(compared(*arguments))
        assert [row["file"] for row in read(out / "evaluation.csv")] == ["surface_0.png"]
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "_compared", stopping)
    given = ("--type", "D", "--weights", "none", "--out", out)
    assert run("surfaces", "evaluate", drawn, *given) == 130
    assert "| refined | 1 of 1 |" in (out / "evaluation.md").read_text()


def test_wrong_folders(tmp_path, capsys):
    assert "holds no surfaces.csv" in refused(capsys, "surfaces", "evaluate", tmp_path)
    (tmp_path / "file").write_text("")
    words = refused(capsys, "surfaces", "evaluate", tmp_path, "--out", tmp_path / "file")
    assert "is a file; accepted is a folder" in words
