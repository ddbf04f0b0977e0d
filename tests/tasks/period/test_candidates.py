import csv
import dataclasses

import jax
import numpy as np
import pytest
from helpers.training_runs import one_line, same_bits, task_of, tiny

from srd_jax.support.errors import InputError
from srd_jax.tasks.period import candidates as comparison
from srd_jax.tasks.period import model
from srd_jax.tasks.period.config import LossConfig
from srd_jax.training import candidates, weights
from srd_jax.training.config import EndConfig

pytestmark = pytest.mark.hurry

CONFIG = tiny(
    model=dataclasses.replace(tiny().model, confidence=True),
    loss=LossConfig("gaussian_nll"),
    end=EndConfig(keep_epochs=(0, 3), keep_minima=1, smoothing_epochs=1),
)

TASK = task_of(CONFIG)


def rows_of(errors):
    return [{"step": 2.0 * e, "epoch": float(e), "train_mae": x} for e, x in enumerate(errors, 1)]


def parameters(seed):
    return jax.device_get(model.random_parameters(CONFIG.model, jax.random.key(seed)))


def keep_all(workdir, errors):
    for done in range(len(errors) + 1):
        candidates.keep(CONFIG, workdir, TASK, parameters(done), rows_of(errors[:done]))
    return rows_of(errors)


def test_files_are_those_of_the_kept_epochs_with_their_parameters(tmp_path):
    keep_all(tmp_path, [5, 4, 6, 7, 3, 4])
    files = sorted(path.name for path in (tmp_path / "candidates").iterdir())
    assert files == [f"epoch_{epoch:04d}.safetensors" for epoch in (0, 3, 5)]
    for path, epoch in zip(sorted((tmp_path / "candidates").iterdir()), (0, 3, 5), strict=True):
        assert same_bits(weights.load(path).parameters, parameters(epoch))


def test_scores_are_mean_likelihoods_of_the_truth_and_of_the_consensus():
    rng = np.random.default_rng(0)
    period, sd = rng.uniform(20, 140, (3, 5, 4)), rng.uniform(1, 9, (3, 5, 4))
    target = np.array([30.0, np.nan, 50.0, np.nan, 70.0])
    found = comparison.scores(period, sd, target)
    for i in range(3):
        known = [
            np.log(sd[i, k, j]) + (period[i, k, j] - target[k]) ** 2 / (2 * sd[i, k, j] ** 2)
            for k in (0, 2, 4)
            for j in range(4)
        ]
        others = [
            np.log(sd[i, k, j])
            + (period[i, k, j] - np.median(period[:, k])) ** 2 / (2 * sd[i, k, j] ** 2)
            for k in (1, 3)
            for j in range(4)
        ]
        expected = [np.mean(known), np.mean(others), np.mean(known) + np.mean(others)]
        np.testing.assert_allclose(found[i], expected)


def test_the_candidate_that_measures_best_is_chosen(tmp_path, monkeypatch):
    rows = keep_all(tmp_path, [5, 4, 6, 7, 3, 4])
    frames = np.random.default_rng(0).random((2, *CONFIG.validation.frame), np.float32)
    seen = {}

    def recorded(period, sd, target):
        seen.update(period=period, sd=sd, target=target)
        return np.array([[3.0, 1.0, 4.0], [1.0, 1.0, 2.0], [0.5, 2.5, 3.0], [2.0, 2.0, 4.0]])

    monkeypatch.setattr(comparison, "scores", recorded)
    monkeypatch.setattr(comparison, "unlabelled", lambda config, workdir: frames)
    chosen, epoch = candidates.choose(CONFIG, tmp_path, TASK, rows)
    assert epoch == 3
    assert same_bits(chosen, parameters(3))
    # 4 candidates with their average, 4 validation images and 2 others, 4 flips.
    assert seen["period"].shape == seen["sd"].shape == (4, 6, 4)
    np.testing.assert_array_equal(np.isnan(seen["target"]), [False] * 4 + [True] * 2)
    flips = [frames[1], frames[1, ::-1], frames[1, :, ::-1], frames[1, ::-1, ::-1]]
    mean = {
        name: np.mean([parameters(e)[name] for e in (0, 3, 5)], axis=0) for name in parameters(0)
    }
    apply = jax.jit(model.as_function(CONFIG.model))
    for i, one in enumerate((parameters(0), parameters(3), parameters(5), mean)):
        found = apply(one, np.stack(flips))
        np.testing.assert_allclose(seen["period"][i, -1], found.period, rtol=1e-4)
        np.testing.assert_allclose(seen["sd"][i, -1], found.sd, rtol=1e-4)
    with (tmp_path / "candidates" / "candidates.csv").open(encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    assert [row["name"] for row in table] == ["epoch_0000", "epoch_0003", "epoch_0005", "average"]
    assert [row["chosen"] for row in table] == ["", "yes", "", ""]
    assert [float(row["score"]) for row in table] == [4.0, 2.0, 3.0, 4.0]


def test_a_missing_candidate_is_named(tmp_path):
    rows = keep_all(tmp_path, [5, 4, 6])
    (tmp_path / "candidates" / "epoch_0003.safetensors").unlink()
    with pytest.raises(InputError) as error:
        candidates.choose(CONFIG, tmp_path, TASK, rows)
    assert "epoch_0003.safetensors: no such weights file" in one_line(error.value)
