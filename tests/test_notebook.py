"""The notebook, which runs the curriculum as a whole."""

import copy
import csv
import json
import re

import nbclient
import nbformat
import numpy as np
import pytest
from helpers.html_page import Page
from helpers.training_runs import HURRY, ROOT, same_bits

from srd_jax.curriculum.config import CurriculumConfig
from srd_jax.training import weights

NOTEBOOK = ROOT / "notebooks" / "curriculum_colab.ipynb"
STAGES = CurriculumConfig().stages


def read():
    return nbformat.read(NOTEBOOK, as_version=nbformat.NO_CONVERT)


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The cells by id, run in smoke size with a second training at the end, and the workdir."""
    workdir = tmp_path_factory.mktemp("notebook") / "all"
    notebook = read()
    ids = [cell.id for cell in notebook.cells]
    chosen = nbformat.v4.new_code_cell(f"PRESET = 'smoke'\nWORKDIR = {str(workdir)!r}")
    notebook.cells.insert(ids.index("settings") + 1, chosen)
    again = copy.deepcopy(read().cells[ids.index("train")])
    again.id = "again"
    notebook.cells.append(again)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XLA_FLAGS", HURRY)
        nbclient.execute(notebook, cwd=str(NOTEBOOK.parent), timeout=1200)
    return {cell.id: cell for cell in notebook.cells}, workdir


@pytest.fixture
def workdir(executed):
    return executed[1]


@pytest.fixture
def shown(executed):
    """The output of each code cell: its joined texts, and its number of pictures."""
    cells = {name: cell.outputs for name, cell in executed[0].items() if "outputs" in cell}
    found = {}
    for name, outputs in cells.items():
        texts = [one.get("text") or one.data.get("text/plain", "") for one in outputs]
        pictures = sum("image/png" in one.get("data", {}) for one in outputs)
        found[name] = "".join(texts), pictures
    return found


def test_the_notebook_is_stored_as_it_was_written():
    notebook = read()
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.source.startswith("# @title ") for cell in code)
    assert not any(cell.outputs or cell.execution_count for cell in code)


def test_every_stage_is_trained_from_the_one_before(shown, workdir):
    assert re.findall(r"stage \d of 6: (.*)", shown["train"][0]) == [*STAGES]
    for before, name in zip(("", *STAGES), STAGES, strict=False):
        summary = json.loads((workdir / name / "summary.json").read_text())
        assert (summary["run"], summary["epochs"]) == (name, 2)
        rows = rows_of(workdir / name / "metrics.csv")
        assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
        assert (workdir / name / "start.json").exists() == bool(before)
        if before:
            start = json.loads((workdir / name / "start.json").read_text())
            assert start["from"] == before
            assert len(start["cloned"]) == (3 if name == "stage5" else 0)


def test_the_last_stage_chooses_one_of_its_candidates(workdir):
    folder = workdir / "stage6" / "candidates"
    rows = rows_of(folder / "candidates.csv")
    (chosen,) = (row for row in rows if row["chosen"])
    assert float(chosen["score"]) == min(float(row["score"]) for row in rows)
    kept = [weights.load(path).parameters for path in sorted(folder.glob("*.safetensors"))]
    assert len(kept) == len(rows) - 1
    found = {name: np.mean([one[name] for one in kept], axis=0) for name in kept[0]}
    if chosen["epoch"]:
        found = weights.load(folder / f"{chosen['name']}.safetensors").parameters
    assert same_bits(weights.load(workdir / "stage6" / "weights.safetensors").parameters, found)
    assert same_bits(weights.load(workdir / "weights.safetensors").parameters, found)


def test_the_report_is_one_file_and_shown(executed, workdir):
    text = (workdir / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert len(page.sources) == 1 + len(STAGES)
    assert all(source.startswith("data:image/") for source in page.sources)
    assert all(link.startswith("#") for link in page.links)
    assert not re.search(r"url\(|@import|<script|<link", text)
    assert "Still to come" not in text
    (output,) = executed[0]["report"].outputs
    assert len(output.data["text/html"]) > len(text)


def test_pictures_are_shown(shown):
    assert shown["attention"][1] == 2 * len(STAGES)
    assert shown["overlays"][1] == 3


def test_the_sample_crops_are_measured(shown, workdir):
    rows = rows_of(workdir / "measured.csv")
    assert len(rows) == 6
    lines = {line.split()[0]: line.split() for line in shown["measure"][0].splitlines() if line}
    for row in rows:
        period, scale, sd = (float(row[name]) for name in ("period_px", "px_per_nm", "sd_px"))
        assert period > 0
        assert sd > 0
        assert scale == 1.298
        printed = lines[row["file"].rpartition("/")[2]][2:6]
        expected = [period, sd, period / scale, sd / scale]
        assert [float(cell) for cell in printed] == pytest.approx(expected, abs=0.006)


def test_a_finished_curriculum_is_left_as_it_is(shown):
    assert shown["again"][0].count("this run is finished") == len(STAGES)
    assert "epoch 1/" not in shown["again"][0]
    assert "epoch 1/" in shown["train"][0]
