"""A training run from a config: start or go on, take steps, validate, save, report."""

import contextlib
import dataclasses
import json
import math
import pathlib
import signal
import time
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint as ocp
from jax.sharding import NamedSharding, PartitionSpec

from srd_jax.support.errors import InputError
from srd_jax.support.files import read_json, write_text
from srd_jax.tasks.period import losses, sources, unlabelled
from srd_jax.tasks.period.calibration import Calibration
from srd_jax.tasks.period.config import TrainConfig, to_json, validated
from srd_jax.tasks.period.sources import Source
from srd_jax.training import candidates, checkpoint, optimizer, steps
from srd_jax.training.ending import patience_is_over
from srd_jax.training.finish import SUMMARY, finish, save_weights
from srd_jax.training.metrics import Reporter, Row
from srd_jax.training.start import check_data, check_workdir, first_state
from srd_jax.training.steps import Metrics, TrainState

TIME = "time.json"


class Stopped(Exception):
    """A run that ended before its last step; the message says where and how to go on."""


def run(config: TrainConfig, workdir: str | pathlib.Path) -> dict[str, Any]:
    """Trains, or goes on with a run that was stopped, and returns its summary.

    Parameters come from the workdir's last checkpoint, else from the run that config.start names,
    else from scratch. A finished run is left as it is.

    Args:
      config: of the run.
      workdir: folder of the results; see the README for what lies in it.

    Returns:
      What summary.json holds: best validation MAE in px of the frame, its step, calibration, …

    Raises:
      InputError: the config or the workdir cannot be used.
      Stopped: a signal or a metric that isn't finite ended the run early.
    """
    config, workdir = validated(config), pathlib.Path(workdir)
    mesh = data_mesh(config.batch_size)
    check_workdir(config, workdir)
    if (workdir / SUMMARY).exists():
        print(f"{workdir}: this run is finished")
        return read_json(workdir / SUMMARY)
    unlabelled.check(config)
    source = sources.make(config, workdir)
    check_data(workdir, source)
    with checkpoint.manager(workdir, config.keep_checkpoints) as checkpoints:
        state, rows, origin = first_state(config, workdir, source, checkpoints)
        write_text(workdir / "config.json", to_json(config))
        if source.digest:
            write_text(workdir / "data.json", json.dumps({"sha256": source.digest}) + "\n")
        state, arrays = jax.device_put((state, source.arrays), NamedSharding(mesh, PartitionSpec()))
        source = dataclasses.replace(source, arrays=arrays)
        print(f"{workdir}: {origin}; {jax.device_count()} {jax.default_backend()} device(s)")
        validate = steps.make_validation(config, source)
        _train(config, workdir, mesh, source, validate, checkpoints, state, rows)
    return finish(config, workdir, source, validate, rows)


def data_mesh(batch_size: int) -> jax.sharding.Mesh:
    """Returns all devices along one axis, `data`.

    Raises:
      InputError: the batch does not split evenly over the devices.
    """
    devices = jax.device_count()
    if batch_size % devices:
        raise InputError(
            f"config.batch_size is {batch_size}, but there are {devices} devices; "
            f"accepted: a multiple of {devices}"
        )
    return jax.make_mesh((devices,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))


def _train(
    config: TrainConfig,
    workdir: pathlib.Path,
    mesh: jax.sharding.Mesh,
    source: Source,
    validate: steps.Validate,
    checkpoints: ocp.CheckpointManager,
    state: TrainState,
    rows: list[Row],
) -> None:
    """Takes the steps that are left, and appends to `rows`."""
    take_steps = steps.make_steps(config, mesh, source)
    rate = optimizer.learning_rate(config)
    error = checkpoint.validation_error(config) if source.held_out else ""
    clock = _Clock(workdir)
    if config.end.keeps and not rows:
        candidates.keep(config, workdir, state.average, rows)
    with Reporter(workdir, config, rows) as reporter, _signals() as stop:
        while not _is_over(config, rows, error):
            began = time.perf_counter()
            state, metrics = take_steps(state, source.arrays)
            try:
                row = _row(state, metrics, config, rate)
                speed = config.log_every_steps * config.batch_size / (time.perf_counter() - began)
                due = _is_due(config, row)
                if due and source.held_out:
                    found = jax.device_get(validate(state.average, source.arrays))
                    _validation(config, found, row)
            except FloatingPointError as bad:
                last = checkpoints.latest_step()
                kept = "none was saved yet" if last is None else f"{checkpoints.directory}/{last}"
                raise Stopped(f"stopped: {bad}; last good checkpoint: {kept}") from None
            rows.append(row)
            if config.end.keeps and row["step"] % config.steps_per_epoch == 0:
                candidates.keep(config, workdir, state.average, rows)
            stopping = bool(stop)  # once a chunk: a signal may come at any line
            if due or stopping:
                checkpoint.save(checkpoints, state, config, rows)
                clock.write()
            if error in row and row[error] <= min(r[error] for r in rows if error in r):
                parameters = jax.device_get(dict(state.average))
                save_weights(config, workdir, parameters, row, Calibration())
            reporter.show(rows, speed)
            if stopping and not _is_over(config, rows, error):
                raise Stopped(
                    f"stopped by a signal; saved step {row['step']} of {config.steps} in "
                    f"{checkpoints.directory}; the same command goes on from there"
                )


def _is_due(config: TrainConfig, row: Row) -> bool:
    """Tells whether a validation and a checkpoint follow a row."""
    between = config.validation.every_epochs * config.steps_per_epoch
    return row["step"] % between == 0 or row["step"] == config.steps


def _is_over(config: TrainConfig, rows: list[Row], error: str) -> bool:
    """Tells whether a run has come to its end; only where a checkpoint holds it."""
    if not rows or not _is_due(config, rows[-1]):
        return False
    return rows[-1]["step"] == config.steps or patience_is_over(rows, config.end, error)


class _Clock:
    """Adds up the seconds of a run over all of its starts, in time.json."""

    def __init__(self, workdir: pathlib.Path):
        """Starts where the file ends."""
        self._path = workdir / TIME
        before = read_json(self._path)["seconds"] if self._path.exists() else 0.0
        self._began = time.perf_counter() - before

    def write(self) -> None:
        """Writes the seconds so far."""
        seconds = round(time.perf_counter() - self._began, 1)
        write_text(self._path, json.dumps({"seconds": seconds}) + "\n")


def _row(state: TrainState, metrics: Metrics, config: TrainConfig, rate: optax.Schedule) -> Row:
    """Returns the metrics row of the steps just taken; errors in px of the frame.

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
    return {
        "step": step,
        "epoch": step / config.steps_per_epoch,
        "images": step * config.batch_size,
        "learning_rate": float(np.asarray(rate(step - 1))),
        "train_loss": float(host["loss"].mean()),
        "train_mae": float(host["mae"].mean()),
        "gradient_norm": float(host["gradient_norm"].mean()),
    }


def _validation(config: TrainConfig, found: steps.Validated, row: Row) -> None:
    """Adds errors of the averaged parameters over the validation set to a row, px of the frame.

    Raises:
      FloatingPointError: an error isn't finite.
    """
    row["val_mae"] = float(np.abs(found.period.astype(np.float64) - found.target).mean())
    name = "gaussian_nll" if config.model.confidence else config.loss.name
    sd = None if found.sd is None else jnp.asarray(found.sd)
    period, target = jnp.asarray(found.period), jnp.asarray(found.target)
    row["val_loss"] = float(losses.LOSSES[name](period, sd, target, jnp.int32(0), 1).mean())
    if found.sd is not None:
        row["val_sd"] = float(found.sd.mean())
    for name, words in (("val_mae", "MAE"), ("val_loss", "loss")):
        if not math.isfinite(row[name]):
            raise FloatingPointError(f"validation {words} is {row[name]} at step {row['step']}")


@contextlib.contextmanager
def _signals() -> Iterator[list[int]]:
    """Yields a list that holds a number once Ctrl-C or SIGTERM came; a second one interrupts."""
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
