"""Finishes a run: writes its weights, their calibration, figures and the summary."""

import json
import math
import pathlib
from typing import Any

import jax
import numpy as np

from srd_jax.support.cluster import distributed
from srd_jax.support.errors import InputError
from srd_jax.support.files import read_json, write_text
from srd_jax.training import candidates, checkpoint, steps
from srd_jax.training.config import RunConfig
from srd_jax.training.metrics import smoothed, write_metrics
from srd_jax.training.provenance import save_weights
from srd_jax.training.task import Calibration, Found, MetricsRow, Task, training_score
from srd_jax.training.workdir import (
    CHECKPOINTS,
    CURVES,
    EVENTS,
    FIGURES,
    METRICS,
    PICTURES,
    START,
    SUMMARY,
    WEIGHTS,
)


def finish(
    config: RunConfig,
    workdir: pathlib.Path,
    task: Task,
    validate: steps.Validate,
    rows: list[MetricsRow],
) -> dict[str, Any]:
    """Writes weights, figures and, last of all, the summary, which marks the run as finished.

    All processes call it; the first writes.

    Args:
      config: of the run.
      workdir: of the run.
      task: of the run.
      validate: from `steps.make_validation`, of the task.
      rows: all metrics rows.

    Returns:
      The content of summary.json.

    Raises:
      InputError: a checkpoint or a candidate is damaged, or a file cannot be written.
    """
    parameters, step = _best(config, workdir, task, rows)
    row = next((row for row in rows if row["step"] == step), None)
    found = None
    if task.source.held_out and (task.calibrate is not None or task.summary is not None):
        found = jax.device_get(validate(parameters, task.source.arrays))
    return distributed.from_first(
        lambda: _write(config, workdir, task, rows, parameters, step, row, found)
    )


def _write(
    config: RunConfig,
    workdir: pathlib.Path,
    task: Task,
    rows: list[MetricsRow],
    parameters: dict[str, np.ndarray],
    step: int | None,
    row: MetricsRow | None,
    found: Found | None,
) -> dict[str, Any]:
    """Writes the files of a finished run, and returns the content of summary.json."""
    calibration = _calibration(workdir, task, found)
    save_weights(config, workdir, task, parameters, row, calibration)
    write_metrics(workdir, task, rows)
    task.draw(workdir, parameters, rows, calibration)
    summary = _summary(config, task, rows, step, row)
    if task.summary is not None:
        summary |= task.summary(found, calibration)
    write_text(workdir / SUMMARY, json.dumps(summary, indent=2) + "\n")
    print(_last_lines(workdir, task, summary))
    return summary


def _best(
    config: RunConfig, workdir: pathlib.Path, task: Task, rows: list[MetricsRow]
) -> tuple[dict[str, np.ndarray], int | None]:
    """Returns the run's parameters and their step, which is None for an average of candidates."""
    if config.end.keeps:
        parameters, epoch = candidates.choose(config, workdir, task, rows)
        return parameters, None if epoch is None else epoch * config.steps_per_epoch
    loaded = checkpoint.load_parameters(workdir)
    return loaded.parameters, loaded.step


def _calibration(workdir: pathlib.Path, task: Task, found: Found | None) -> Calibration:
    """Fits a calibration to held-out examples; without any, returns that of the earlier run."""
    if found is None or task.calibrate is None:
        start = workdir / START
        return read_json(start)["calibration"] if start.exists() else {}
    try:
        return task.calibrate(found)
    except InputError as error:
        print(f"{workdir}: not calibrated: {error}")
        return {}


def _summary(
    config: RunConfig,
    task: Task,
    rows: list[MetricsRow],
    step: int | None,
    row: MetricsRow | None,
) -> dict[str, Any]:
    """Returns the part of the summary that all tasks share."""
    last, shown = rows[-1], task.shown
    column, _ = training_score(shown, rows)
    return {
        "run": config.name,
        "steps": int(last["step"]),
        "images": int(last["images"]),
        "epochs": round(last["epoch"]),
        "ended": "epochs" if last["step"] == config.steps else "patience",
        "best_step": step,
        shown.validation: None if row is None else row.get(shown.validation),
        f"last_{shown.validation}": last.get(shown.validation),
        column: float(smoothed(rows, column, config.end.smoothing_epochs)[-1]),
    }


def _last_lines(workdir: pathlib.Path, task: Task, summary: dict[str, Any]) -> str:
    value, shown = summary[task.shown.validation], task.shown
    if value is None or not math.isfinite(value):
        column, score = training_score(shown, [summary])
        line = f"training {score.text(summary[column])}; nothing was held out"
    else:
        line = f"best validation {shown.text(value)}, at step {summary['best_step']}"
    files = (WEIGHTS, CURVES, FIGURES, PICTURES, METRICS, EVENTS, CHECKPOINTS)
    there = [name + "/" * (workdir / name).is_dir() for name in files if (workdir / name).exists()]
    return f"{line}\nresults in {workdir}: {', '.join(there)}"
