import csv
import json
import os
import signal

import jax
import numpy as np
import pytest
from helpers.micrograph_runs import on_stripes, tiny
from helpers.training_runs import read_checkpoint, same_bits
from PIL import Image

from srd_jax.tasks.grana import scores, weights
from srd_jax.tasks.make import make_task
from srd_jax.training import train
from srd_jax.training.config import OptimizerConfig, ValidationConfig


@pytest.fixture(autouse=True)
def _stripes(monkeypatch):
    on_stripes(monkeypatch)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("micrographs") / "run"
    with pytest.MonkeyPatch.context() as patch:
        on_stripes(patch)
        train.run(tiny(), workdir, make_task)
    return workdir


def test_a_run_writes_scores_weights_threshold_and_pictures(finished):
    with (finished / "metrics.csv").open() as file:
        rows = [*csv.DictReader(file)]
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    names = ("iou", "loss", "precision", "recall", "direction_deg", "period_percent")
    for row in (rows[1], rows[3]):
        assert all(np.isfinite(float(row[f"val_{name}"])) for name in names)
        assert 0 <= float(row["val_iou"]) <= 1
        assert 0 <= float(row["val_direction_deg"]) <= 90
    summary = json.loads((finished / "summary.json").read_text())
    found = weights.load(finished)
    assert summary["threshold"] == found.calibration.threshold
    assert summary["at_threshold"]["iou"] >= summary["val_iou"]
    assert found.model == tiny().model
    assert found.origin["config"]["kind"] == "micrographs"
    with Image.open(finished / "pictures" / "validation_000.png") as picture:
        assert picture.size == (1400, 600)
    assert (finished / "curves.png").exists()


def test_a_stopped_run_goes_on_to_the_same_bits(finished, tmp_path, monkeypatch):
    show = train.Reporter.show

    def shown(reporter, rows, speed):
        show(reporter, rows, speed)
        if rows[-1]["step"] == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(train.Reporter, "show", shown)
        with pytest.raises(train.Stopped):
            train.run(tiny(), tmp_path, make_task)
    train.run(tiny(), tmp_path, make_task)
    assert same_bits(read_checkpoint(tmp_path, 4), read_checkpoint(finished, 4))
    for name in ("metrics.csv", "summary.json"):
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes()


def test_weights_of_a_checkpoint_are_those_of_the_file(finished, tmp_path):
    (tmp_path / "checkpoints").symlink_to(finished / "checkpoints")
    found, expected = weights.load(tmp_path), weights.load(finished)
    assert found.model == expected.model
    assert same_bits(dict(found.parameters), dict(expected.parameters))


def test_scores_of_a_batch_against_hand_made_ones(tmp_path):
    config = tiny()
    task = make_task(config, tmp_path)
    tiles = task.source.validation((), 0)
    parameters = task.initial(jax.random.key(3), tiles)
    found = jax.device_get(task.evaluate(parameters, tiles))
    got = task.scores(found)
    granum, readable = (np.asarray(x) for x in (tiles.granum, tiles.granum & tiles.readable))
    probability = 1 / (1 + np.exp(-found.predicted.logit))
    expected = scores.granum_scores(probability, granum, np.asarray(tiles.care))
    assert {name: got[name] for name in expected} == expected
    period, true = (
        np.exp(np.asarray(x)[readable]) for x in (found.predicted.log_period, tiles.log_period)
    )
    assert got["period_percent"] == pytest.approx(
        100 * np.median(np.abs(period / true - 1)), rel=1e-4
    )
    value, reported = task.loss(parameters, tiles, 0, jax.random.key(0))
    assert got["loss"] == pytest.approx(float(value), rel=1e-5)
    assert float(reported["iou"]) == pytest.approx(expected["iou"], abs=1e-6)


def test_a_network_learns_stripes(tmp_path):
    config = tiny(
        size=64,
        batch_size=4,
        steps_per_epoch=60,
        log_every_steps=60,
        epochs=1,
        model=type(tiny().model)(channels=(8, 16, 16)),
        optimizer=OptimizerConfig(learning_rate=1e-2, warmup_steps=5, average_decay=0.9),
        validation=ValidationConfig(images=8, batch_size=4, frame=(64, 64), pictures=0),
    )
    summary = train.run(config, tmp_path, make_task)
    with (tmp_path / "metrics.csv").open() as file:
        last = [*csv.DictReader(file)][-1]
    assert summary["at_threshold"]["iou"] > 0.6
    assert float(last["val_direction_deg"]) < 15
    assert float(last["val_period_percent"]) < 20


def test_tiles_are_new_in_each_step_and_the_same_in_each_validation(tmp_path):
    source = make_task(tiny(), tmp_path).source
    first, again = (np.asarray(source.validation((), 0).image) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, source.validation((), 1).image)
    keys = jax.random.split(jax.random.key(0))
    assert not np.array_equal(
        source.train((), 0, keys[0]).image, source.train((), 1, keys[1]).image
    )
