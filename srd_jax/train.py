"""A training run from a config: start or go on, take steps, validate, save, report."""

import contextlib
import dataclasses
import functools
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

from srd_jax import checkpoint, model, optimizer, sources, steps, weights
from srd_jax.compiling import jit
from srd_jax.config import TrainConfig, differences, from_dict, to_json, validated
from srd_jax.errors import InputError, one_line
from srd_jax.files import check_writable, write_text
from srd_jax.reporting import Reporter, Row, write_metrics
from srd_jax.run_pictures import draw_pictures
from srd_jax.sources import Source
from srd_jax.steps import Metrics, TrainState


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
      What summary.json holds: best validation MAE in px of the frame, its step, paths.

    Raises:
      InputError: the config or the workdir cannot be used.
      Stopped: a signal or a metric that isn't finite ended the run early.
    """
    config, workdir = validated(config), pathlib.Path(workdir)
    mesh = data_mesh(config.batch_size)
    _check_workdir(config, workdir)
    if (workdir / "summary.json").exists():
        print(f"{workdir}: this run is finished")
        return _read_json(workdir / "summary.json")
    source = sources.make(config)
    _check_data(workdir, source)
    with checkpoint.manager(workdir, config.keep_checkpoints) as checkpoints:
        state, rows, origin = _first_state(config, workdir, checkpoints)
        write_text(workdir / "config.json", to_json(config))
        if source.digest:
            write_text(workdir / "data.json", json.dumps({"sha256": source.digest}) + "\n")
        state, arrays = jax.device_put((state, source.arrays), NamedSharding(mesh, PartitionSpec()))
        source = dataclasses.replace(source, arrays=arrays)
        print(f"{workdir}: {origin}; {jax.device_count()} {jax.default_backend()} device(s)")
        _train(config, workdir, mesh, source, checkpoints, state, rows)
    return _finish(config, workdir, source, rows)


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


def _check_workdir(config: TrainConfig, workdir: pathlib.Path) -> None:
    """Checks that a workdir is writable and holds no run of another config."""
    path = workdir / "config.json"
    if not path.exists():
        check_writable(path)
        return
    content = _read_json(path)
    try:
        found = from_dict(TrainConfig, content)
    except InputError as error:
        raise InputError(f"{path}: not the config of a run ({error})") from None
    if lines := differences(config, found):
        raise InputError(
            f"{workdir}: holds a run of another config ({'; '.join(lines)} there); "
            "accepted: the same config, or another --workdir"
        )


def _check_data(workdir: pathlib.Path, source: Source) -> None:
    """Checks that a run goes on with the crops that it was started with."""
    path = workdir / "data.json"
    if path.exists() and _read_json(path) != {"sha256": source.digest}:
        raise InputError(
            f"{workdir}: holds a run on other crops than there are now (see data.json there); "
            "accepted: the same crops with the same periods in the same order, or another --workdir"
        )


def _read_json(path: pathlib.Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not JSON ({one_line(error)})") from None


def _first_state(
    config: TrainConfig, workdir: pathlib.Path, checkpoints: ocp.CheckpointManager
) -> tuple[TrainState, list[Row], str]:
    """Returns the state to go on from, its rows, and a line that says where it comes from."""
    step = checkpoints.latest_step()
    if step is None:
        state, origin = _initial_state(config, workdir)
        return state, [], origin
    shapes = model.parameter_shapes(config.model)
    zeros = {name: jnp.zeros(shape) for name, shape in shapes.items()}
    like = _state_of(config, zeros)
    state, rows = checkpoint.restore(checkpoints, step, like)
    return state, rows, f"goes on from step {step} of {config.steps}"


def _initial_state(config: TrainConfig, workdir: pathlib.Path) -> tuple[TrainState, str]:
    source = _start_workdir(config, workdir)
    if source is not None:
        found, _, step = checkpoint.load_parameters(source, config.start.parameters)
        expected = model.parameter_shapes(config.model)
        parameters = checkpoint.transferred(found, expected, str(source))
        origin = f"{len(parameters)} {config.start.parameters} parameters of {source}, step {step}"
        return _state_of(config, jax.tree.map(jnp.asarray, parameters)), origin
    # Folded with a number that no step reaches.
    key = jax.random.fold_in(jax.random.key(config.seed), 2**31 - 1)
    initialise = jit(functools.partial(model.initial_parameters, config.model))
    return _state_of(config, initialise(key)), "new parameters"


def _state_of(config: TrainConfig, parameters: model.Parameters) -> TrainState:
    return TrainState(
        step=jnp.int32(0),
        parameters=parameters,
        average=jax.tree.map(jnp.copy, parameters),
        optimizer=optimizer.make(config).init(parameters),
    )


def _start_workdir(config: TrainConfig, workdir: pathlib.Path) -> pathlib.Path | None:
    if config.start.workdir:
        return pathlib.Path(config.start.workdir)
    return workdir.absolute().parent / config.start.stage if config.start.stage else None


def _train(
    config: TrainConfig,
    workdir: pathlib.Path,
    mesh: jax.sharding.Mesh,
    source: Source,
    checkpoints: ocp.CheckpointManager,
    state: TrainState,
    rows: list[Row],
) -> None:
    """Takes the steps that are left, and appends to `rows`."""
    take_steps = steps.make_steps(config, mesh, source)
    validate = steps.make_validation(config, source)
    rate = optimizer.learning_rate(config)
    between = config.validation.every_epochs * config.steps_per_epoch
    with Reporter(workdir, config, rows) as reporter, _signals() as stop:
        while int(state.step) < config.steps:
            began = time.perf_counter()
            state, metrics = take_steps(state, source.arrays)
            try:
                row = _row(state, metrics, config, rate)
                speed = config.log_every_steps * config.batch_size / (time.perf_counter() - began)
                due = row["step"] % between == 0 or row["step"] == config.steps
                if due:
                    row["val_mae"] = _validation_error(validate, state, source)
            except FloatingPointError as error:
                last = checkpoints.latest_step()
                kept = "none was saved yet" if last is None else f"{checkpoints.directory}/{last}"
                raise Stopped(f"stopped: {error}; last good checkpoint: {kept}") from None
            rows.append(row)
            stopping = bool(stop)  # once a chunk: a signal may come at any line
            if due or stopping:
                checkpoint.save(checkpoints, state, config, rows)
            if due and row["val_mae"] <= min(r["val_mae"] for r in rows if "val_mae" in r):
                _save_weights(config, workdir, jax.device_get(state.average), row)
            reporter.show(rows, speed)
            if stopping and row["step"] < config.steps:
                raise Stopped(
                    f"stopped by a signal; saved step {row['step']} of {config.steps} in "
                    f"{checkpoints.directory}; the same command goes on from there"
                )


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


def _validation_error(validate, state: TrainState, source: Source) -> float:
    """Returns the MAE of the averaged parameters over the validation set, px of the frame."""
    period, target = jax.device_get(validate(state.average, source.arrays))
    error = float(np.abs(period.astype(np.float64) - target).mean())
    if not math.isfinite(error):
        raise FloatingPointError(f"validation MAE is {error} at step {int(state.step)}")
    return error


def _save_weights(
    config: TrainConfig, workdir: pathlib.Path, parameters: dict[str, np.ndarray], row: Row
) -> None:
    origin = {
        "run": config.name,
        "parameters": "averaged",
        "seed": config.seed,
        "step": row["step"],
        "images": row["images"],
        "val_mae": row["val_mae"],
        "versions": checkpoint.versions(),
    }
    weights.save(workdir / "weights.safetensors", weights.Weights(parameters, config.model, origin))


def _finish(
    config: TrainConfig, workdir: pathlib.Path, source: Source, rows: list[Row]
) -> dict[str, Any]:
    """Writes weights, pictures and, last of all, the summary that marks the run as finished."""
    parameters, _, step = checkpoint.load_parameters(workdir)
    best = next(row for row in rows if row["step"] == step)
    _save_weights(config, workdir, parameters, best)
    write_metrics(workdir / "metrics.csv", rows)
    draw_pictures(config, workdir, source, parameters, rows)
    summary = {
        "run": config.name,
        "steps": config.steps,
        "images": config.steps * config.batch_size,
        "best_step": step,
        "val_mae": best["val_mae"],
        "last_val_mae": rows[-1]["val_mae"],
    }
    write_text(workdir / "summary.json", json.dumps(summary, indent=2) + "\n")
    print(
        f"best validation MAE {best['val_mae']:.2f} px of the frame, at step {step}\n"
        f"results in {workdir}: weights.safetensors, curves.png, attention/, metrics.csv, "
        "events/ (TensorBoard), checkpoints/"
    )
    return summary


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
