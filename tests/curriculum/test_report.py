import base64
import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from helpers.html_page import Page
from PIL import Image

from srd_jax.curriculum.record import read_stage
from srd_jax.curriculum.report import sentences, write_report
from srd_jax.curriculum.tables import duration
from srd_jax.support.errors import InputError
from srd_jax.support.fields import to_json
from srd_jax.synthetic.config import StripesConfig
from srd_jax.tasks.period.config import (
    CONFIDENCE_CLONES,
    CropsConfig,
    DataConfig,
    LossConfig,
    MaskedStripesConfig,
    ModelConfig,
    PeriodConfig,
)
from srd_jax.tasks.period.scores import by_sd
from srd_jax.training.config import EndConfig, StartConfig

STAGES = [f"stage{number}" for number in range(1, 7)]
ERRORS = {"stage1": 0.3, "stage2": 0.41, "stage3": 7.25, "stage4": 4.0, "stage5": 3.9}
REFERENCE = {"stage1": 3.58, "stage2": 4.13, "stage3": 5.82, "stage4": 5.67, "stage5": 5.49}
CANDIDATES = (
    "name,epoch,nll,agreement,score,chosen\n"
    "epoch_0200,200,0.51234567,0.25,0.76234567,\n"
    "average,,0.5,0.125,0.625,yes\n"
)


def config(name):
    changes = {
        "stage1": dict(loss=LossConfig("log_period")),
        "stage2": dict(source=StripesConfig(noise_sd=(0.0, 100.0))),
        "stage3": dict(source=MaskedStripesConfig()),
        "stage4": dict(source=CropsConfig(), data=DataConfig(dir="my <grana>")),
        "stage5": dict(loss=LossConfig("mse_to_gaussian_nll", 30), source=CropsConfig()),
        "stage6": dict(loss=LossConfig("gaussian_nll"), source=CropsConfig()),
    }[name]
    if name in ("stage5", "stage6"):
        changes["model"] = ModelConfig(confidence=True)
    if name == "stage6":
        changes["data"] = DataConfig(validation_share=0.0)
        changes["end"] = EndConfig(keep_epochs=(200,))
    number = int(name[-1])
    start = StartConfig(stage=f"stage{number - 1}") if number > 1 else StartConfig()
    mae = REFERENCE.get(name, float("nan"))
    return PeriodConfig(name=name, epochs=20, start=start, reference_mae=mae, **changes)


def metrics(name, epochs):
    random = np.random.default_rng(int(name[-1]))
    level = ERRORS.get(name, 3.8)
    for epoch in range(1, epochs + 1):
        decay = 1 + 20 * np.exp(-epoch / 3)
        row = {"step": 50 * epoch, "epoch": epoch, "images": 800 * epoch, "learning_rate": 1e-3}
        row["train_mae"] = 1.2 * level * decay * random.uniform(0.8, 1.2)
        row["train_loss"] = row["train_mae"] / 10
        row["val_mae"] = level * decay if name in ERRORS and epoch % 2 == 0 else ""
        yield row


def summary(name):
    found = {"run": name, "steps": 1000, "images": 16000, "epochs": 20, "ended": "epochs"}
    found |= {"best_step": 900, "val_mae": ERRORS.get(name), "last_val_mae": ERRORS.get(name)}
    found["train_mae"] = 3.21
    if name == "stage5":
        found["ended"] = "patience"
        random = np.random.default_rng(0)
        sd = random.uniform(0.5, 8, 60)
        found["by_sd"] = by_sd(sd * random.normal(size=60), sd)
    if name == "stage6":
        found["by_sd"] = None
    if name in ("stage5", "stage6"):
        found["calibration"] = {"scale": 1.75, "exponent": 0.875}
    return found


def handed_over(name):
    clones = CONFIDENCE_CLONES if name == "stage5" else ()
    return {
        "from": f"stage{int(name[-1]) - 1}",
        "step": 900,
        "parameters": "averaged",
        "copied": 25,
        "cloned": [[one.part, one.source, one.scale] for one in clones],
        "new": [],
    }


def write_stage(workdir, name, epochs=20):
    """A workdir as training leaves it; unfinished if it has fewer than 20 epochs."""
    folder = workdir / name
    (folder / "attention").mkdir(parents=True)
    (folder / "config.json").write_text(to_json(config(name)))
    rows = list(metrics(name, epochs))
    with (folder / "metrics.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    if name != "stage1":
        (folder / "start.json").write_text(json.dumps(handed_over(name)))
    if epochs < 20:
        return folder
    (folder / "summary.json").write_text(json.dumps(summary(name)))
    (folder / "time.json").write_text(json.dumps({"seconds": 333.0}))
    grey = np.random.default_rng(0).integers(0, 255, (90, 1600, 3), np.uint8)
    Image.fromarray(grey).save(folder / "attention" / "validation_000.attention.png")
    if name == "stage6":
        (folder / "candidates").mkdir()
        (folder / "candidates" / "candidates.csv").write_text(CANDIDATES)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("whole")
    for name in STAGES:
        write_stage(workdir, name)
    write_report(workdir, STAGES)
    return workdir


def rows_of(workdir):
    with (workdir / "stages.csv").open(newline="", encoding="utf-8") as file:
        return {row["stage"]: row for row in csv.DictReader(file)}


def test_the_page_needs_no_other_file_and_shows_every_stage(whole):
    text = (whole / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert "url(" not in text
    assert all(f'id="{link.removeprefix("#")}"' in text for link in page.links)
    kinds = {}
    for source in page.sources:
        kind, data = re.fullmatch(r"data:image/([a-z+]+);base64,(.*)", source).groups()
        kinds.setdefault(kind, []).append(base64.b64decode(data))
    (curves,) = kinds["svg+xml"]
    assert ElementTree.fromstring(curves).tag.endswith("svg")
    sizes = [Image.open(io.BytesIO(data)).size for data in kinds["jpeg"]]
    assert sizes == [(1400, 79)] * 6  # of 1600 x 90
    for name in STAGES:
        assert page.cells.count(name) >= 2
    for words in (
        "finished early, for it got no better",
        "squared error, over 30 epochs to Gaussian likelihood (NLL)",
        "crops in my <grana>, changed at random; 30 % of them held out",
        "5.5 min",
        "nothing: from scratch",
    ):
        assert words in page.cells
    assert any(
        "sd_regressor.output cloned from period_regressor.output × 0.1" in cell
        for cell in page.cells
    )


def test_the_confidence_and_the_candidates_are_tables(whole):
    page = Page((whole / "report.html").read_text(encoding="utf-8"))
    for row in summary("stage5")["by_sd"]:
        error = "–" if row["mae"] is None else f"{row['mae']:.2f}"
        assert f"{error} ({row['count']})" in page.cells
    assert page.cells.count("1.75") == page.cells.count("0.88") == 2
    at = page.cells.index("average")
    assert page.cells[at : at + 6] == ["average", "", "0.5000", "0.1250", "0.6250", "yes"]


def test_the_csv_holds_the_figures_of_each_stage(whole):
    rows = rows_of(whole)
    assert list(rows) == STAGES
    for name, error in ERRORS.items():
        assert float(rows[name]["val_mae"]) == pytest.approx(error)
        assert float(rows[name]["ratio"]) == pytest.approx(error / REFERENCE[name], rel=1e-5)
        assert float(rows[name]["seconds"]) == 333
    assert rows["stage6"]["val_mae"] == rows["stage6"]["ratio"] == ""
    assert float(rows["stage6"]["train_mae"]) == 3.21
    assert rows["stage2"]["handed_over"].startswith("25 averaged parameters of stage1 copied")


def test_the_first_sentence_names_the_stages_that_are_worse_than_the_reference(whole):
    records = [read_stage(whole / name) for name in STAGES]
    (first,) = sentences(records)
    assert "4 have a lower validation error than it, but not stage3." in first
    (first,) = sentences([one for one in records if one.name != "stage3"])
    assert "(stage1, stage2, stage4, stage5), all have a lower validation error than it." in first
    (first,) = sentences(records[-1:])
    assert "no stage that can be compared with the reference is finished yet" in first


def test_stages_that_are_missing_or_unfinished_are_told(tmp_path):
    write_stage(tmp_path, "stage1")
    write_stage(tmp_path, "stage2", epochs=7)
    write_report(tmp_path, STAGES[:3])
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    page = Page(text)
    line = "Still to come: stage2 (unfinished, epoch 7 of 20), stage3 (not started)."
    assert line in page.cells
    rows = rows_of(tmp_path)
    assert rows["stage3"]["state"] == "not started"
    assert rows["stage2"]["epochs"] == "7"
    lowest = min(float(row["val_mae"]) for row in metrics("stage2", 7) if row["val_mae"])
    assert float(rows["stage2"]["val_mae"]) == pytest.approx(lowest, rel=1e-5)
    assert {"#curves", "#attention"} <= set(page.links)
    assert not {"#confidence", "#candidates"} & set(page.links)


def test_before_anything_is_trained_the_page_says_so(tmp_path):
    write_report(tmp_path, STAGES)
    page = Page((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.sources == []
    assert page.cells.count("not started") == 6


def test_what_a_kill_left_of_a_picture_is_passed_over(tmp_path):
    write_stage(tmp_path, "stage1")
    pictures = tmp_path / "stage1" / "attention"
    (pictures / ".validation_000.attention.bu7n8i1d.png").write_bytes(b"\x89PNG\r\n")
    assert read_stage(tmp_path / "stage1").figures == [pictures / "validation_000.attention.png"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", "{}"),
        ("summary.json", "{"),
        ("metrics.csv", b"\xff\xfe,"),
        ("attention/validation_000.attention.png", "no picture"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, file, content):
    path = write_stage(tmp_path, "stage1") / file
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=re.escape(str(path))) as caught:
        write_report(tmp_path, ["stage1"])
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (45.4, "45 s"), (282.0, "4.7 min"), (5760.0, "1.6 h"), (24480.0, "6.8 h")],
)
def test_times_are_told_in_a_fitting_unit(seconds, words):
    assert duration(seconds) == words
