"""The training core on a task of its own: the line fit in the docstring of training/task.py."""

import dataclasses
import json
import textwrap

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers.command import read
from helpers.training_runs import one_line, read_checkpoint, same_bits
from safetensors.numpy import load_file

from srd_jax.support.errors import InputError
from srd_jax.training import checkpoint, task, train, weights
from srd_jax.training.config import (
    EndConfig,
    OptimizerConfig,
    RunConfig,
    StartConfig,
    ValidationConfig,
)

# The example, as the docstring shows it.
_CODE = task.__doc__.split("\n\n", 2)[2].split("\n\n`train.run")[0]
_NAMES = {"jax": jax, "jnp": jnp, "np": np, "Task": task.Task}
_NAMES |= {"Source": task.Source, "Score": task.Score}
exec(textwrap.dedent(_CODE), _NAMES)
make_line = _NAMES["make_line"]


def config(**changes):
    """A run of 12 steps in epochs of 2, validated after each."""
    return dataclasses.replace(
        RunConfig(
            name="line",
            batch_size=8,
            steps_per_epoch=2,
            epochs=6,
            log_every_steps=1,
            optimizer=OptimizerConfig("adamw", 0.3, 0.0, 10.0, "constant", 0),
            validation=ValidationConfig(images=8, batch_size=8, pictures=0),
        ),
        **changes,
    )


def changed(**changes):
    """Makes the line's task with other fields; `source` holds changes of its source."""

    def make(run, workdir):
        made = make_line(run, workdir)
        of_source = changes.get("source", {})
        source = dataclasses.replace(made.source, **of_source)
        return dataclasses.replace(made, **{**changes, "source": source})

    return make


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("line") / "run"
    train.run(config(), workdir, make_line)
    return workdir


def test_the_line_is_found_and_its_best_checkpoint_has_the_highest_score(undisturbed):
    rows = read(undisturbed / "metrics.csv")
    assert list(rows[0]) == [
        *("step", "epoch", "images", "learning_rate", "train_loss", "gradient_norm", "val_r2")
    ]
    scores = {int(row["step"]): float(row["val_r2"]) for row in rows if row["val_r2"]}
    best = max(scores, key=scores.__getitem__)
    assert scores[best] > 0.9 > scores[2]
    summary = json.loads((undisturbed / "summary.json").read_text())
    assert (summary["best_step"], summary["val_r2"]) == (best, scores[best])
    assert summary["last_val_r2"] == scores[12]
    assert checkpoint.load_parameters(undisturbed).step == best
    found = load_file(undisturbed / "weights.safetensors")
    average = read_checkpoint(undisturbed, best)
    for name in ("slope", "offset"):
        assert found[name].shape == ()
        assert found[name] == average[f"['average']['{name}']"]
    # The line itself, whose scores were made of the averaged parameters.
    x = np.linspace(-1, 1, 5)
    assert np.abs(found["slope"] * x + found["offset"] - (2 * x + 1)).max() < 0.7


def test_weights_tell_what_the_task_tells(undisturbed):
    found = weights.load(undisturbed / "weights.safetensors")
    assert (found.about, found.calibration) == ({"task": "line"}, {})
    assert found.origin["run"] == "line"
    assert (
        found.origin["val_r2"] == json.loads((undisturbed / "summary.json").read_text())["val_r2"]
    )


class Killed(BaseException):
    """Stands for SIGKILL, which no handler can catch."""


@pytest.mark.parametrize("step", [1, 4, 5, 12])
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, monkeypatch, undisturbed, step):
    show = train.Reporter.show

    def shown(reporter, rows, speed):
        if rows[-1]["step"] == step:
            raise Killed
        show(reporter, rows, speed)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(train.Reporter, "show", shown)
        train.run(config(), tmp_path / "run", make_line)
    train.run(config(), tmp_path / "run", make_line)
    assert same_bits(read_checkpoint(tmp_path / "run", 12), read_checkpoint(undisturbed, 12))
    for name in ("metrics.csv", "summary.json"):
        assert (tmp_path / "run" / name).read_bytes() == (undisturbed / name).read_bytes()


def test_nothing_held_out_ends_by_the_training_loss(tmp_path, capsys):
    make = changed(source={"held_out": False})
    summary = train.run(config(), tmp_path, make)
    rows = read(tmp_path / "metrics.csv")
    assert not any(row["val_r2"] for row in rows)
    assert summary["val_r2"] is None
    losses = np.array([float(row["train_loss"]) for row in rows])
    assert summary["train_loss"] == pytest.approx(losses.mean())
    assert checkpoint.load_parameters(tmp_path).step == summary["best_step"] == 12
    assert f"training loss {losses.mean():.2f}; nothing was held out" in capsys.readouterr().out


def test_a_run_whose_score_rests_ends_early(tmp_path):
    resting = config(epochs=40, end=EndConfig(patience_epochs=2))
    resting.optimizer.learning_rate = 0.0
    summary = train.run(resting, tmp_path, make_line)
    assert (summary["ended"], summary["epochs"]) == ("patience", 3)


def test_a_score_that_rises_goes_on_where_one_that_falls_would_end(tmp_path):
    patient = config(end=EndConfig(patience_epochs=2))
    assert train.run(patient, tmp_path / "max", make_line)["ended"] == "epochs"
    falls = task.Score("r2", "R²", best="min")
    summary = train.run(patient, tmp_path / "min", changed(shown=falls, rank=falls))
    assert (summary["ended"], summary["best_step"]) == ("patience", 2)


def test_the_candidate_whose_last_column_is_lowest_is_chosen(tmp_path):
    def compare(several):
        slope, offset = (np.array([float(p[n]) for p in several]) for n in ("slope", "offset"))
        return {"slope": slope, "distance": np.abs(slope - 2.0) + np.abs(offset - 1.0)}

    keeping = config(end=EndConfig(smoothing_epochs=1, keep_epochs=(0, 3, 6)))
    make = changed(source={"held_out": False}, compare=compare)
    summary = train.run(keeping, tmp_path, make)
    table = read(tmp_path / "candidates" / "candidates.csv")
    assert list(table[0]) == ["name", "epoch", "slope", "distance", "chosen"]
    names = ["epoch_0000", "epoch_0003", "epoch_0006"]
    assert [row["name"] for row in table] == [*names, "average"]
    parameters = {n: load_file(tmp_path / "candidates" / f"{n}.safetensors") for n in names}
    slopes = [float(parameters[name]["slope"]) for name in names]
    assert [float(row["slope"]) for row in table] == [*slopes, pytest.approx(np.mean(slopes))]
    distance = [float(row["distance"]) for row in table]
    chosen = int(np.argmin(distance))
    assert [row["chosen"] == "yes" for row in table] == [i == chosen for i in range(4)]
    assert summary["best_step"] == [0, 6, 12, None][chosen]
    found = load_file(tmp_path / "weights.safetensors")
    assert float(found["slope"]) == float(table[chosen]["slope"])


def test_candidates_of_a_task_that_cannot_compare_them_are_refused(tmp_path):
    with pytest.raises(InputError) as error:
        train.run(config(end=EndConfig(keep_epochs=(1,))), tmp_path, make_line)
    assert "this task cannot compare them" in one_line(error.value)


def test_what_a_task_fits_summarises_and_draws_is_kept(tmp_path):
    def draw(workdir, parameters, rows, calibration):
        drawn = [sorted(parameters), len(rows), calibration]
        (workdir / "drawn.json").write_text(json.dumps(drawn))

    make = changed(
        calibrate=lambda found: {"sd": float(np.std(found["y"] - found["true"]))},
        summary=lambda found, calibration: {"sd": calibration["sd"], "n": len(found["y"])},
        draw=draw,
    )
    summary = train.run(config(), tmp_path / "first", make)
    fitted = weights.load(tmp_path / "first" / "weights.safetensors").calibration
    assert (summary["sd"], summary["n"]) == (fitted["sd"], 24)
    drawn = json.loads((tmp_path / "first" / "drawn.json").read_text())
    assert drawn == [["offset", "slope"], 12, fitted]
    # A run that holds nothing out keeps the calibration of the one that it starts from.
    second = config(name="second", start=StartConfig(stage="first"))
    train.run(second, tmp_path / "second", changed(source={"held_out": False}))
    assert weights.load(tmp_path / "second" / "weights.safetensors").calibration == fitted


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"loss": lambda p, b, step, key: (p["slope"] * jnp.where(step < 2, 1.0, jnp.nan), {})},
         "loss is nan at step 3"),
        ({"scores": lambda found: {"r2": float("inf")}}, "validation R² is inf at step 2"),
    ],
)  # fmt: skip
def test_a_number_that_is_not_finite_stops_the_run(tmp_path, bad, said):
    with pytest.raises(train.Stopped) as stop:
        train.run(config(), tmp_path, changed(**bad))
    assert one_line(stop.value).startswith(f"stopped: {said}; last good checkpoint: ")


def test_results_are_those_of_the_whole_set_whatever_its_last_batch(tmp_path):
    table = jnp.arange(80.0).reshape(20, 4)  # two batches of 8, and 4 of a third
    seen = {}

    def validation(arrays, index):
        return arrays["x"][(index * 8 + jnp.arange(8)) % 20]

    def scores(found):
        seen.update(found)
        return {"r2": 0.5}

    make = changed(
        source={"arrays": {"x": table}, "validation": validation, "validation_size": 20},
        evaluate=lambda parameters, batch: {"x": batch, "sum": batch.sum(1) + parameters["slope"]},
        scores=scores,
        summary=lambda found, calibration: {"n": found["x"].shape[0]},
    )
    summary = train.run(config(epochs=1), tmp_path, make)
    np.testing.assert_array_equal(seen["x"], table)
    assert seen["sum"].shape == (20,)
    assert summary["n"] == 20


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (
            {"evaluate": lambda parameters, batch: batch[0][:4]},
            r"have shape \(4,\); accepted: 8 ex",
        ),
        ({"evaluate": lambda parameters, batch: batch[0].mean()}, r"have shape \(\); accepted: 8"),
        ({"scores": lambda found: {"f1": 0.5}}, "scores lack val_r2"),
        ({"scores": lambda found: {"r2": 0.5, "f1": 0.5}}, r"columns lack its scores \['val_f1'\]"),
        ({"shapes": {"slope": ()}}, "the task's initial parameters: extra offset"),
    ],
)
def test_a_mistake_of_the_task_is_told(tmp_path, mistake, said):
    with pytest.raises(ValueError, match=said):
        train.run(config(), tmp_path, changed(**mistake))


def test_a_score_that_nothing_ranks_may_be_unknown(tmp_path):
    make = changed(
        scores=lambda found: {"r2": np.float32(0.5), "f1": np.nan}, columns=("val_r2", "val_f1")
    )
    train.run(config(), tmp_path, make)
    rows = [row for row in read(tmp_path / "metrics.csv") if row["val_r2"]]
    assert {(row["val_r2"], row["val_f1"]) for row in rows} == {("0.5", "nan")}
