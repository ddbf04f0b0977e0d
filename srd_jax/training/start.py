"""How a run begins: its workdir, its data and its first parameters."""

import dataclasses
import json
import pathlib

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp

from srd_jax.support.compiling import jit
from srd_jax.support.errors import InputError
from srd_jax.support.files import check_writable, read_json, write_text
from srd_jax.tasks.period import initialisation, model
from srd_jax.tasks.period.calibration import Calibration
from srd_jax.tasks.period.config import StartConfig, TrainConfig, differences, from_dict
from srd_jax.tasks.period.sources import Source
from srd_jax.training import checkpoint, optimizer, weights
from srd_jax.training.handover import HandOver, hand_over
from srd_jax.training.metrics import Row
from srd_jax.training.steps import TrainState

START = "start.json"


def check_workdir(config: TrainConfig, workdir: pathlib.Path) -> None:
    """Checks that a workdir is writable and holds no run of another config.

    Raises:
      InputError: it isn't, or it does.
    """
    path = workdir / "config.json"
    if not path.exists():
        check_writable(path)
        return
    content = read_json(path)
    try:
        found = from_dict(TrainConfig, content)
    except InputError as error:
        raise InputError(f"{path}: not the config of a run ({error})") from None
    if lines := differences(config, found):
        raise InputError(
            f"{workdir}: holds a run of another config ({'; '.join(lines)} there); "
            "accepted: the same config, or another --workdir"
        )


def check_data(workdir: pathlib.Path, source: Source) -> None:
    """Checks that a run goes on with the crops that it was started with.

    Raises:
      InputError: it doesn't.
    """
    path = workdir / "data.json"
    if path.exists() and read_json(path) != {"sha256": source.digest}:
        raise InputError(
            f"{workdir}: holds a run on other crops than there are now (see data.json there); "
            "accepted: the same crops with the same periods in the same order, or another --workdir"
        )


def first_state(
    config: TrainConfig,
    workdir: pathlib.Path,
    source: Source,
    checkpoints: ocp.CheckpointManager,
) -> tuple[TrainState, list[Row], str]:
    """Returns the state to go on from, its rows, and a line that says where it comes from.

    A run that starts from another one writes down what was handed over (start.json).

    Raises:
      InputError: a checkpoint is damaged, or the other run doesn't fit.
    """
    step = checkpoints.latest_step()
    if step is not None:
        shapes = model.parameter_shapes(config.model)
        zeros = {name: jnp.zeros(shape) for name, shape in shapes.items()}
        state, rows = checkpoint.restore(checkpoints, step, _state_of(config, zeros))
        return state, rows, f"goes on from step {step} of {config.steps}"
    other, start = start_workdir(config, workdir), config.start
    if other is None:
        return _state_of(config, _initial(config, source)), [], "new parameters"
    found, step = _parameters_of(other, start)
    initial = _initial(config, source) if start.new else {}
    made = hand_over(found, model.parameter_shapes(config.model), initial, start, str(other))
    origin = f"{start.parameters} parameters of {other}, step {step}; {'; '.join(made.lines)}"
    write_text(workdir / START, _start_json(made, other, start.parameters, step, found))
    return _state_of(config, jax.tree.map(jnp.asarray, made.parameters)), [], origin


def _parameters_of(other: pathlib.Path, start: StartConfig) -> tuple[model.Parameters, int]:
    """Returns the parameters that a start names, and their step; 0 where a file tells none."""
    if not other.is_file():
        found, _, step = checkpoint.load_parameters(other, start.parameters, start.checkpoint)
        return found, step
    released = weights.load(other)
    return released.parameters, int(released.origin.get("step", 0))


def start_workdir(config: TrainConfig, workdir: pathlib.Path) -> pathlib.Path | None:
    """Returns the workdir, or the weights file, that a run starts from; None from scratch."""
    if config.start.workdir:
        return pathlib.Path(config.start.workdir)
    return workdir.absolute().parent / config.start.stage if config.start.stage else None


def _initial(config: TrainConfig, source: Source) -> model.Parameters:
    def draw(arrays):
        # Folded with a number that no step reaches.
        key = jax.random.fold_in(jax.random.key(config.seed), 2**31 - 1)
        of_images, of_parameters = jax.random.split(key)
        image = source.train(arrays, jnp.int32(0), of_images).image
        return initialisation.initial_parameters(config.model, of_parameters, image)

    return jit(draw)(source.arrays)


def _state_of(config: TrainConfig, parameters: model.Parameters) -> TrainState:
    return TrainState(
        step=jnp.int32(0),
        parameters=parameters,
        average=jax.tree.map(jnp.copy, parameters),
        optimizer=optimizer.make(config).init(parameters),
    )


def _start_json(
    made: HandOver, other: pathlib.Path, kind: str, step: int, found: model.Parameters
) -> str:
    path = weights.file_of(other)
    calibration = weights.load(path).calibration if path.exists() else Calibration()
    content = {
        "from": other.name,
        "step": step,
        "parameters": kind,
        "sha256": checkpoint.sha256(found),
        "copied": len(made.copied),
        "cloned": [[clone.part, clone.source, clone.scale] for clone, _ in made.cloned],
        "new": list(made.new),
        "calibration": dataclasses.asdict(calibration),
    }
    return json.dumps(content, indent=2) + "\n"
