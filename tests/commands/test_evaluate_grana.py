import json

import numpy as np
import pytest
from helpers.command import read, refused, run
from helpers.micrographs import Stack, drawn, true_maps
from PIL import Image

from srd_jax.analysis import classical
from srd_jax.analysis.granum import Analysis
from srd_jax.commands import evaluate_grana

STACKS = (
    Stack(170.0, 150.0, 190.0, 130.0, 20.0, 13.0),
    Stack(400.0, 300.0, 150.0, 130.0, 75.0, 15.0),
)
SHAPE = (420, 520)


def corners(stack):
    turn = np.deg2rad(stack.direction)
    along, across = np.array([np.cos(turn), -np.sin(turn)]), np.array([np.sin(turn), np.cos(turn)])
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    centre = np.array([stack.x, stack.y])
    return [
        (centre + a * stack.width / 2 * along + b * stack.height / 2 * across).tolist()
        for a, b in signs
    ]


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    Image.fromarray(drawn(STACKS, SHAPE).grey).save(folder / "a.png")
    grana = [
        {
            "polygon": corners(stack),
            "direction_deg": stack.direction,
            "period_px": stack.period,
            "layers": round(stack.height / stack.period),
        }
        for stack in STACKS
    ]
    content = {"grana": grana, "px_per_nm": 0.67, "size": SHAPE[::-1]}
    (folder / "a.json").write_text(json.dumps(content))
    return folder


@pytest.mark.hurry
def test_a_folder_through_the_whole_pipeline(folder, tmp_path, monkeypatch, capsys):
    def perfect(micrograph, px_per_nm):
        assert px_per_nm == 0.67
        return true_maps(STACKS, micrograph.grey.shape)

    monkeypatch.setattr(classical, "detect", perfect)
    out = tmp_path / "out"
    assert run("evaluate-grana", folder, "--detector", "classical", "--out", out) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == f"1 micrographs of {folder}; report in {out / 'report.html'}"
    assert max(map(len, printed.splitlines()[:-1])) <= 80
    content = json.loads((out / "summary.json").read_text(encoding="utf-8"))["all"]
    assert content["detection"]["f1"] == 1
    assert content["detection"]["mean_iou"] > 0.9
    assert content["direction"]["p95"] < 1
    assert content["period"]["p95"] < 2
    assert content["layers"]["within_1"] == 1
    assert content["sizes"]["height"]["p95"] < 5
    assert [row["outcome"] for row in read(out / "grana.csv")] == ["found", "found"]


@pytest.fixture
def stubbed(monkeypatch):
    def nothing(options):
        return lambda micrograph: Analysis(micrograph.name, *micrograph.grey.shape)

    monkeypatch.setattr(evaluate_grana, "_analyser", nothing)


def test_bad_entries_and_files_are_told_and_the_rest_goes_on(folder, tmp_path, stubbed, capsys):
    (folder / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    square = [[1, 1], [9, 1], [9, 9]]
    (folder / "b.json").write_text(json.dumps({"grana": [{"polygon": square}, {"polygon": 5}]}))
    assert run("evaluate-grana", folder, "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err.splitlines()
    assert error[0].startswith(f"{folder / 'b.json'}: granum grana[1]: polygon is 5; accepted:")
    assert error[1].startswith(f"{folder / 'b.png'}: ")
    assert len(error) == 2
    rows = read(tmp_path / "out" / "micrographs.csv")
    assert [row["detection.missing"] for row in rows] == ["2", "1", "3"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "found neither of FOLDER and --generated"),
        (["set", "--generated", "3"], "found both of FOLDER and --generated"),
        (["set", "--seed", "3"], "--seed 3: is accepted with --generated only"),
        (["--generated", "3", "--px-per-nm", "1"], "--px-per-nm 1: is accepted with a FOLDER only"),
        (["set", "--iou", "1.5"], "found '1.5'; accepted is a number from 0 to 1"),
        (
            ["set", "--detector", "classical", "--weights", "x"],
            "--weights x: found with --detector classical; accepted with --detector network only",
        ),
        (["nowhere"], "nowhere: isn't a folder; accepted: a folder of micrographs"),
    ],
)
def test_wrong_usage_is_one_line(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert words in refused(capsys, "evaluate-grana", *arguments)
