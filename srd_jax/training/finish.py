"""How a run ends: its weights, their calibration, pictures and summary."""

import dataclasses
import json
import math
import pathlib
from typing import Any

import jax
import numpy as np

from srd_jax.support.errors import InputError
from srd_jax.support.files import read_json, write_text
from srd_jax.tasks.period import calibration, unlabelled
from srd_jax.tasks.period.calibration import Calibration
from srd_jax.tasks.period.config import TrainConfig
from srd_jax.tasks.period.pictures import draw_pictures
from srd_jax.tasks.period.scores import by_sd, sd_scores
from srd_jax.tasks.period.sources import Source
from srd_jax.training import candidates, checkpoint, steps, weights
from srd_jax.training.ending import smoothed_errors
from srd_jax.training.metrics import Row, write_metrics
from srd_jax.training.provenance import origin
from srd_jax.training.start import START
from srd_jax.training.weights import Weights

SUMMARY = "summary.json"


def finish(
    config: TrainConfig,
    workdir: pathlib.Path,
    source: Source,
    validate: steps.Validate,
    rows: list[Row],
) -> dict[str, Any]:
    """Writes weights, pictures and, last of all, the summary that marks the run as finished.

    Args:
      config: of the run.
      workdir: of the run.
      source: of the run.
      validate: from `steps.make_validation`, of that source.
      rows: all metrics rows.

    Raises:
      InputError: a checkpoint or a candidate is damaged, or a file cannot be written.
    """
    parameters, step = _best(config, workdir, source, rows)
    row = next((row for row in rows if row["step"] == step), None)
    found = None
    if source.held_out and config.model.confidence:
        found = jax.device_get(validate(parameters, source.arrays))
    fitted = _calibration(workdir, found)
    save_weights(config, workdir, parameters, row, fitted)
    write_metrics(workdir / "metrics.csv", rows)
    draw_pictures(config, workdir, source, parameters, rows, fitted)
    last = rows[-1]
    summary: dict[str, Any] = {
        "run": config.name,
        "steps": int(last["step"]),
        "images": int(last["images"]),
        "epochs": round(last["epoch"]),
        "ended": "epochs" if last["step"] == config.steps else "patience",
        "best_step": step,
        "val_mae": None if row is None else row.get("val_mae"),
        "last_val_mae": last.get("val_mae"),
        "train_mae": float(smoothed_errors(rows, config.end.smoothing_epochs)[-1]),
    }
    if config.model.confidence:
        summary["calibration"] = dataclasses.asdict(fitted)
        summary |= _of_sd(source, found, fitted)
    write_text(workdir / SUMMARY, json.dumps(summary, indent=2) + "\n")
    print(_last_lines(workdir, summary))
    return summary


def save_weights(
    config: TrainConfig,
    workdir: pathlib.Path,
    parameters: dict[str, np.ndarray],
    row: Row | None,
    fitted: Calibration,
) -> None:
    """Writes weights.safetensors of averaged parameters, ready for prediction.

    Args:
      config: of the run.
      workdir: of the run.
      parameters: by name.
      row: metrics of their step, if there are any.
      fitted: calibration of the sd.

    Raises:
      InputError: the file cannot be written.
    """
    found = Weights(parameters, config.model, origin(config, workdir, row), fitted)
    weights.save(workdir / "weights.safetensors", found)


def _best(
    config: TrainConfig, workdir: pathlib.Path, source: Source, rows: list[Row]
) -> tuple[dict[str, np.ndarray], int | None]:
    """Returns the run's parameters and their step; None for an average over several steps."""
    if config.end.keeps:
        crops = unlabelled.frames(config, workdir)
        parameters, epoch = candidates.choose(config, workdir, source, crops, rows)
        return parameters, None if epoch is None else epoch * config.steps_per_epoch
    parameters, _, step = checkpoint.load_parameters(workdir)
    return parameters, step


def _calibration(workdir: pathlib.Path, found: steps.Validated | None) -> Calibration:
    """Fits the sd on held-out crops; without any, takes over that of the run it started from."""
    start = workdir / START
    if found is None or found.sd is None:
        return Calibration(**read_json(start)["calibration"]) if start.exists() else Calibration()
    try:
        return calibration.fit(*_errors(found))
    except InputError as error:
        print(f"{workdir}: the sd stays as it is, not calibrated: {error}")
        return Calibration()


def _of_sd(source: Source, found: steps.Validated | None, fitted: Calibration) -> dict[str, Any]:
    """Returns counts, errors and coverage by the calibrated sd, px of the crop.

    They are of the held-out crops that it was calibrated on.
    """
    if found is None or found.sd is None:
        return {"by_sd": None, "sd": None}
    scale = 1.0 if source.validation_scale is None else source.validation_scale
    error, sd = _errors(found)
    error, sd = error / scale, fitted.apply(sd) / scale
    return {"by_sd": by_sd(error, sd), "sd": sd_scores(error, sd)}


def _errors(found: steps.Validated) -> tuple[np.ndarray, np.ndarray]:
    """Returns errors and their predicted sd, px of the frame."""
    period, sd, target = (np.asarray(x, np.float64) for x in (found.period, found.sd, found.target))
    return period - target, sd


def _last_lines(workdir: pathlib.Path, summary: dict[str, Any]) -> str:
    error = summary["val_mae"]
    if error is None or not math.isfinite(error):
        line = f"training MAE {summary['train_mae']:.2f} px of the frame; nothing was held out"
    else:
        line = f"best validation MAE {error:.2f} px of the frame, at step {summary['best_step']}"
    return (
        f"{line}\n"
        f"results in {workdir}: weights.safetensors, curves.png, attention/, metrics.csv, "
        "events/ (TensorBoard), checkpoints/"
    )
