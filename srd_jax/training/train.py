"""Runs the training of a config: starts or resumes, takes steps, validates, saves, reports."""

import contextlib
import dataclasses
import math
import pathlib
import signal
import time
from collections.abc import Iterator
from typing import Any

import jax
import numpy as np
import optax
import orbax.checkpoint as ocp

from srd_jax.support.cluster import distributed
from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked
from srd_jax.support.files import read_json
from srd_jax.training import candidates, checkpoint, optimizer, start, steps
from srd_jax.training.config import RunConfig
from srd_jax.training.finish import finish
from srd_jax.training.metrics import Reporter, patience_is_over
from srd_jax.training.provenance import save_weights
from srd_jax.training.steps import Metrics
from srd_jax.training.task import Found, MakeTask, MetricsRow, Task, TrainState
from srd_jax.training.workdir import SUMMARY, Clock, check_data, check_workdir, write_start


class Stopped(Exception):
    """A run that ended before its last step; the message says where and how to go on."""


def run(config: RunConfig, workdir: str | pathlib.Path, make: MakeTask) -> dict[str, Any]:
    """Trains a run to its end, from its last checkpoint if it has one, and returns its summary.

    Without a checkpoint, the parameters come from the run that config.start names, else from
    scratch. A finished run is left as it is. Of several processes, all call this function.

    Args:
      config: of the run.
      workdir: folder of the results; docs/formats.md lists its files.
      make: returns the task of a config and a workdir, such as `tasks.make.make_task`.

    Returns:
      The content of summary.json: best validation score, its step, calibration, …

    Raises:
      InputError: the config or the workdir cannot be used.
      Stopped: a signal or a metric that isn't finite ended the run early.
    """
    config, workdir = checked(config), pathlib.Path(workdir)
    mesh = data_mesh(config.batch_size)
    check_workdir(config, workdir)
    summary = distributed.from_first(lambda: _summary_of(workdir))
    if summary is not None:
        print(f"{workdir}: this run is finished")
        return summary
    with checkpoint.manager(workdir, config.keep_checkpoints) as checkpoints:
        # Its errors come before any images are drawn, which may take a minute.
        other = start.read_forerunner(config, workdir, checkpoints)
        task = distributed.first_before_others(lambda: make(config, workdir))
        candidates.check(config, task)
        check_data(workdir, task.source.digest)
        state, rows, origin = start.first_state(config, workdir, task, checkpoints, other, mesh)
        write_start(config, workdir, task.source.digest)
        state, arrays = steps.replicated((state, task.source.arrays), mesh)
        task = dataclasses.replace(task, source=dataclasses.replace(task.source, arrays=arrays))
        print(f"{workdir}: {origin}; {_devices()}")
        validation = steps.make_validation(config, task.source, task.evaluate)

        def validate(parameters, arrays):
            # Parameters from a file, elsewhere than those of the state, would compile it anew.
            return validation(steps.replicated(dict(parameters), mesh), arrays)

        _train(config, workdir, mesh, task, validate, checkpoints, state, rows)
    return finish(config, workdir, task, validate, rows)


def data_mesh(batch_size: int) -> jax.sharding.Mesh:
    """Returns a mesh of all devices along one axis, `data`.

    Raises:
      InputError: the batch does not split evenly over the devices.
    """
    devices = jax.device_count()
    if batch_size % devices:
        below = batch_size // devices * devices
        near = [str(size) for size in (below, below + devices) if size]
        raise InputError(
            f"config.batch_size is {batch_size}, but there are {devices} devices; "
            f"accepted: a multiple of {devices}, such as {' or '.join(near)}"
        )
    return jax.make_mesh((devices,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))


def _summary_of(workdir: pathlib.Path) -> dict[str, Any] | None:
    """Returns the summary of a finished run, else None."""
    path = workdir / SUMMARY
    return read_json(path) if path.exists() else None


def _devices() -> str:
    text = f"{jax.device_count()} {jax.default_backend()} device(s)"
    return text if distributed.count() == 1 else f"{text} of {distributed.count()} processes"


def _train(
    config: RunConfig,
    workdir: pathlib.Path,
    mesh: jax.sharding.Mesh,
    task: Task,
    validate: steps.Validate,
    checkpoints: ocp.CheckpointManager,
    state: TrainState,
    rows: list[MetricsRow],
) -> None:
    """Takes the remaining steps, and appends their metrics to `rows`."""
    take_steps: Any = steps.make_steps(config, mesh, task)
    rate = optimizer.learning_rate(config)
    arrays, held_out = task.source.arrays, task.source.held_out
    if distributed.count() > 1:
        # The first sum over the devices gives up after 30 s, and compiling may take longer.
        take_steps = take_steps.lower(state, arrays).compile()
        distributed.exchange(None)
    clock = Clock(workdir)
    if config.end.keeps and not rows:
        candidates.keep(config, workdir, task, state.average, rows)
    reporter = Reporter(workdir, config, task, rows) if distributed.is_first() else None
    with reporter or contextlib.nullcontext(), _signals() as stop:
        while not _is_over(config, task, rows):
            began = time.perf_counter()
            state, metrics = take_steps(state, arrays)
            try:
                row = _row(state, metrics, config, rate)
                speed = config.log_every_steps * config.batch_size / (time.perf_counter() - began)
                due = _is_due(config, row)
                if due and held_out:
                    _validation(task, jax.device_get(validate(state.average, arrays)), row)
            except FloatingPointError as bad:
                last = checkpoints.latest_step()
                kept = "none was saved yet" if last is None else f"{checkpoints.directory}/{last}"
                raise Stopped(f"stopped: {bad}; last good checkpoint: {kept}") from None
            # Read once, because a signal may come at any line, to any of the processes.
            told = distributed.exchange([row, bool(stop)])
            row, stopping = told[0][0], any(stopped for _, stopped in told)
            rows.append(row)
            if config.end.keeps and row["step"] % config.steps_per_epoch == 0:
                candidates.keep(config, workdir, task, state.average, rows)
            if due or stopping:
                checkpoint.save(checkpoints, state, config, task, rows)
                clock.write()
            if _is_best(task, rows):
                parameters = jax.device_get(dict(state.average))
                save_weights(config, workdir, task, parameters, row, {})
            if reporter:
                reporter.show(rows, speed)
            if stopping and not _is_over(config, task, rows):
                raise Stopped(
                    f"stopped by a signal; saved step {row['step']} of {config.steps} in "
                    f"{checkpoints.directory}; the same command goes on from there"
                )


def _is_due(config: RunConfig, row: MetricsRow) -> bool:
    """Tells whether a validation and a checkpoint follow a row."""
    between = config.validation.every_epochs * config.steps_per_epoch
    return row["step"] % between == 0 or row["step"] == config.steps


def _is_over(config: RunConfig, task: Task, rows: list[MetricsRow]) -> bool:
    """Tells whether a run is at its end, which is only where a checkpoint is due."""
    if not rows or not _is_due(config, rows[-1]):
        return False
    if rows[-1]["step"] == config.steps:
        return True
    return patience_is_over(rows, config.end, task, task.source.held_out)


def _is_best(task: Task, rows: list[MetricsRow]) -> bool:
    """Tells whether the last row's validation score is the best so far, or equal to the best."""
    column, cost = task.rank.validation, task.rank.cost
    if column not in rows[-1]:
        return False
    return cost(rows[-1][column]) <= min(cost(row[column]) for row in rows if column in row)


def _row(
    state: TrainState, metrics: Metrics, config: RunConfig, rate: optax.Schedule
) -> MetricsRow:
    """Returns the metrics row of the steps just taken.

    Raises:
      FloatingPointError: the loss or the gradient of a step isn't finite.
    """
    step = int(state.step)
    host = {name: np.asarray(value, np.float64) for name, value in jax.device_get(metrics).items()}
    for name in ("loss", "gradient_norm"):
        bad = np.flatnonzero(~np.isfinite(host[name]))
        if bad.size:
            at = step - config.log_every_steps + int(bad[0]) + 1
            raise FloatingPointError(f"{name} is {host[name][bad[0]]} at step {at}")
    norm = float(host.pop("gradient_norm").mean())
    return {
        "step": step,
        "epoch": step / config.steps_per_epoch,
        "images": step * config.batch_size,
        "learning_rate": float(np.asarray(rate(step - 1))),
        **{f"train_{name}": float(value.mean()) for name, value in host.items()},
        "gradient_norm": norm,
    }


def _validation(task: Task, found: Found, row: MetricsRow) -> None:
    """Adds the validation scores of the averaged parameters to a row.

    Raises:
      FloatingPointError: the score that is shown or that ranks isn't finite.
      ValueError: the task's scores lack one of these, or have one without a column.
    """
    scores = {f"val_{name}": float(value) for name, value in task.scores(found).items()}
    for score in (task.shown, task.rank):
        if score.validation not in scores:
            raise ValueError(f"the task's scores lack {score.validation}, found: {[*scores]}")
        if not math.isfinite(value := scores[score.validation]):
            raise FloatingPointError(f"validation {score.words} is {value} at step {row['step']}")
    if unknown := scores.keys() - set(task.columns):
        raise ValueError(f"the task's columns lack its scores {sorted(unknown)}")
    row.update(scores)


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """Yields a list that receives the first Ctrl-C or SIGTERM; a second one interrupts at once."""
    received: list[int] = []

    def note(number, frame):
        if received:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
