import json
import pathlib

import pytest
from helpers import analyses, analysing


@pytest.fixture
def micrographs(tmp_path, monkeypatch):
    """Two micrographs in a folder of the working folder; the grana of the first are annotated."""
    monkeypatch.chdir(tmp_path)
    analyses.write_micrographs(tmp_path / "in", 2)
    grana = analyses.drawn("in/m0.png", analyses.read(pathlib.Path("in/m0.png")).grey)
    known = [
        {
            "id": f"G{one.number}",
            "polygon": one.outline,
            "direction_deg": one.direction_deg.value,
            "period_px": one.period_px.value * 1.02,
            "layers": 3,
        }
        for one in grana
    ]
    known.append({"id": "missing", "polygon": [[2, 2], [22, 2], [22, 22], [2, 22]]})
    pathlib.Path("in/m0.json").write_text(json.dumps({"image": "m0.png", "grana": known}))
    return grana


def test_known_grana_stand_beside(micrographs, tmp_path, capsys):
    assert analysing.run(tmp_path / "log", "in", "--annotations", "in", "--out", "out") == 0
    said = capsys.readouterr().out
    count = len(micrographs)
    assert f"{count} of {count + 1} known grana found, 0 found that are none" in said
    assert "median error of the SRD of ok ones 2.0 %" in said
    first = micrographs[0]
    row = next(line.split() for line in said.splitlines() if line.split()[:1] == ["1"])
    true, found = first.period_px.value * 1.02 / 0.6, first.period_px.value / 0.6
    assert row[1:3] == [f"{true:.2f}", f"{found:.2f}"]
    assert "missing" in said


def test_annotations_of_other_micrographs_are_refused(micrographs, tmp_path, capsys):
    analyses.write_micrographs(tmp_path / "other", 1)
    code = analysing.run(tmp_path / "log", "other", "--annotations", "in", "--out", "out")
    assert code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "annotates none of the 1 micrographs" in said
    assert not pathlib.Path("out/grana.csv").exists()


def test_annotations_of_another_size_are_a_line_and_the_results_stay(micrographs, tmp_path, capsys):
    content = json.loads(pathlib.Path("in/m0.json").read_text()) | {"size": [300, 200]}
    pathlib.Path("in/m0.json").write_text(json.dumps(content))
    assert analysing.run(tmp_path / "log", "in", "--annotations", "in", "--out", "out") == 1
    out, err = capsys.readouterr()
    assert "states 200 x 300 px" in err and err.count("\n") == 1
    assert "open out/report.html" in out


def test_excluded_grana_are_shown_as_such(micrographs, tmp_path, capsys):
    given = ("in", "--annotations", "in", "--exclude", "m0:1", "--out", "out")
    assert analysing.run(tmp_path / "log", *given) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert next(row for row in rows if row[:1] == ["1"])[-1] == "excluded"
