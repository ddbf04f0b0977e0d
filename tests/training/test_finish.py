import json
import shutil

import numpy as np
import pytest
from helpers.training_runs import read_checkpoint, same_bits, tiny

from srd_jax.tasks.make import make_task
from srd_jax.training import train
from srd_jax.training.config import EndConfig

# At a rate of zero no error is ever lower than the first one.
STEPS = 6


def resting():
    config = tiny(epochs=10, end=EndConfig(patience_epochs=2))
    config.optimizer.learning_rate = 0.0
    config.optimizer.schedule = "constant"
    return config


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resting") / "run"
    train.run(resting(), folder, make_task)
    return folder


def test_a_run_ends_once_its_patience_is_over(workdir, capsys):
    summary = json.loads((workdir / "summary.json").read_text())
    assert (summary["ended"], summary["epochs"], summary["steps"]) == ("patience", 3, STEPS)
    assert summary["images"] == 4 * STEPS
    train.run(resting(), workdir, make_task)
    assert "this run is finished" in capsys.readouterr().out


def test_a_run_killed_after_its_last_step_takes_no_further_one(workdir, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(workdir, copy)
    for name in ("summary.json", "weights.safetensors"):
        (copy / name).unlink()
    train.run(resting(), copy, make_task)
    assert same_bits(read_checkpoint(copy, STEPS), read_checkpoint(workdir, STEPS))
    assert (copy / "summary.json").read_bytes() == (workdir / "summary.json").read_bytes()


def test_the_seconds_of_all_starts_add_up(workdir, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(workdir, copy)
    before = json.loads((copy / "time.json").read_text())["seconds"]
    assert before > 0
    shutil.rmtree(copy / "checkpoints" / str(STEPS))
    (copy / "summary.json").unlink()
    (copy / "time.json").write_text('{"seconds": 1000.0}')
    train.run(resting(), copy, make_task)
    after = json.loads((copy / "time.json").read_text())["seconds"]
    assert 1000 < after < 1000 + 600


def test_validation_rows_hold_error_and_loss(workdir):
    rows = [line.split(",") for line in (workdir / "metrics.csv").read_text().splitlines()]
    columns = {name: i for i, name in enumerate(rows[0])}
    for name in ("val_mae", "val_loss"):
        values = [row[columns[name]] for row in rows[1:]]
        assert [bool(value) for value in values] == [False, True] * 3
        assert np.isfinite([float(value) for value in values if value]).all()
    assert not any(row[columns["val_sd"]] for row in rows[1:])
