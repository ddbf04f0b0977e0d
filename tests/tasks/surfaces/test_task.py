import csv
import json

import jax
import numpy as np
import pytest
from helpers.membrane_runs import on_waves, tiny
from helpers.training_runs import one_line, same_bits
from PIL import Image

from srd_jax.cli import main
from srd_jax.support.errors import InputError
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import weights as period_weights
from srd_jax.tasks.surfaces import answers, weights
from srd_jax.training import train
from srd_jax.training.config import OptimizerConfig, ValidationConfig

# Nothing here depends on how well the programs are optimised.
pytestmark = pytest.mark.hurry

# Enough to learn waves; one run for all tests, as most of its time goes into compiling.
LONGER = tiny(
    batch_size=20,
    steps_per_epoch=30,
    log_every_steps=30,
    optimizer=OptimizerConfig(learning_rate=1e-2, warmup_steps=5, average_decay=0.9),
    validation=ValidationConfig(images=50, batch_size=50, frame=(32, 32), pictures=1),
)

_finished = []


@pytest.fixture(autouse=True)
def _waves(monkeypatch):
    on_waves(monkeypatch)


@pytest.fixture
def finished(tmp_path_factory):
    """The workdir of a run; the first test that asks for it trains it, in a hurry, too."""
    if not _finished:
        workdir = tmp_path_factory.mktemp("surfaces") / "run"
        train.run(LONGER, workdir, make_task)
        _finished.append(workdir)
    return _finished[0]


def rows_of(workdir):
    with (workdir / "metrics.csv").open() as file:
        return [*csv.DictReader(file)]


def test_a_run_writes_scores_weights_calibration_and_pictures(finished):
    rows = rows_of(finished)
    assert [row["step"] for row in rows] == ["30", "60"]
    for row in rows:
        assert np.isfinite(float(row["val_loss"]))
        assert 0 <= float(row["val_accuracy"]) <= 1 and 0 <= float(row["val_reached"]) <= 1
    summary = json.loads((finished / "summary.json").read_text())
    found = weights.load(finished)
    assert summary["calibration"]["temperature"] == found.calibration.temperature
    assert sum(sum(row.values()) for row in summary["confusion"].values()) == 50
    assert found.model == LONGER.model
    assert found.origin["config"]["kind"] == "surfaces"
    with Image.open(finished / "pictures" / "validation_000.png") as picture:
        assert picture.size == (1300, 360)
    assert (finished / "curves.png").exists()


def test_a_network_learns_waves(finished):
    last = rows_of(finished)[-1]
    assert float(last["val_cell_percent"]) < 8 and float(last["val_turn_deg"]) < 6
    # Two axes of view a kind are a coarse grid; orientations at random are 40 degrees apart.
    assert float(last["val_angle_deg"]) < 25


def test_weights_answer_for_pictures(finished):
    found = weights.load(finished)
    random = np.random.default_rng(0)
    grey, mask = random.normal(90, 20, (2, 24, 40)), np.ones((2, 24, 40), bool)
    answer = answers.make(found, 3)
    kinds, best = answer(grey, mask)
    assert kinds.shape == (2, 5) and best.rotation.shape == (2, 3, 3, 3)
    np.testing.assert_allclose(kinds.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(best.weight.sum(axis=1), 1, atol=1e-5)
    assert (np.diff(best.weight, axis=1) <= 1e-6).all()
    # Brightness and contrast don't count.
    np.testing.assert_allclose(answer(1000 - 3 * (90 - grey), mask)[0], kinds, atol=1e-3)


def test_what_is_saved_is_loaded(finished, tmp_path):
    found = weights.load(finished)
    weights.save(tmp_path / "weights.safetensors", found)
    loaded = weights.load(tmp_path)
    assert (loaded.model, loaded.calibration) == (found.model, found.calibration)
    assert same_bits(dict(loaded.parameters), dict(found.parameters))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "checkpoints").symlink_to(finished / "checkpoints")
    assert same_bits(dict(weights.load(tmp_path / "other").parameters), dict(found.parameters))


def test_the_command_tells_where_weights_come_from(finished, capsys):
    assert main(["weights", "--weights", str(finished)]) == 0
    text = capsys.readouterr().out
    fitted = weights.load(finished).calibration
    assert f"calibration: temperature {fitted.temperature:.4g}, log_cell " in text
    assert (
        "data: drawn cubic membranes, pictures of 32x32, batches of 20; loss soft; "
        f"{LONGER.optimizer.name}, rate 0.01" in text
    )
    assert "right kinds, median errors of cell" in text


def test_the_weights_of_another_task_are_refused():
    with pytest.raises(InputError, match="of the task 'period'; accepted: 'surfaces'") as error:
        weights.load(period_weights.RELEASED)
    assert one_line(error.value).startswith(str(period_weights.RELEASED))


def test_pictures_are_new_in_each_step_and_the_same_in_each_validation(tmp_path):
    source = make_task(tiny(), tmp_path).source
    validation, training = jax.jit(source.validation), jax.jit(source.train)
    first, again = (np.asarray(validation((), 0).image) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, validation((), 1).image)
    keys = jax.random.split(jax.random.key(0))
    assert not np.array_equal(training((), 0, keys[0]).image, training((), 1, keys[1]).image)
