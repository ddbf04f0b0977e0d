"""Starts a run: from its last checkpoint, else from another run's parameters, else from scratch."""

import dataclasses
import functools
import json
import pathlib

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp
from jax.sharding import NamedSharding, PartitionSpec

from srd_jax.networks.modules import check_shapes, shapes_of
from srd_jax.networks.parameters import Parameters
from srd_jax.support.cluster import distributed
from srd_jax.support.compiling import jit
from srd_jax.support.files import write_text
from srd_jax.training import checkpoint, optimizer, weights
from srd_jax.training.config import RunConfig, StartConfig, start_workdir
from srd_jax.training.handover import HandOver, hand_over
from srd_jax.training.task import MetricsRow, Task, TrainState
from srd_jax.training.workdir import START


@dataclasses.dataclass(frozen=True)
class Forerunner:
    """The parameters of the run that a run starts from.

    Attributes:
      path: its workdir, or a weights file.
      parameters: by name.
      step: of the parameters; 0 where a file doesn't state it.
    """

    path: pathlib.Path
    parameters: Parameters
    step: int


def read_forerunner(
    config: RunConfig, workdir: pathlib.Path, checkpoints: ocp.CheckpointManager
) -> Forerunner | None:
    """Reads the parameters to start from; returns None for a run from scratch or a resumed one.

    Raises:
      InputError: the run to start from is missing or damaged.
    """
    path = start_workdir(config, workdir)
    if path is None or checkpoints.latest_step() is not None:
        return None
    if path.is_file():
        found = weights.load(path)
        return Forerunner(path, found.parameters, int(found.origin.get("step", 0)))
    loaded = checkpoint.load_parameters(path, config.start.parameters, config.start.checkpoint)
    return Forerunner(path, loaded.parameters, loaded.step)


def first_state(
    config: RunConfig,
    workdir: pathlib.Path,
    task: Task,
    checkpoints: ocp.CheckpointManager,
    other: Forerunner | None,
    mesh: jax.sharding.Mesh,
) -> tuple[TrainState, list[MetricsRow], str]:
    """Returns the state to go on from, its metrics rows, and a line that names its origin.

    A run that starts from another one records the hand-over in start.json.

    Args:
      config: of the run.
      workdir: of the run.
      task: of the run.
      checkpoints: of the run.
      other: from `read_forerunner`.
      mesh: of the devices that a checkpoint is restored to, however many saved it.

    Raises:
      InputError: a checkpoint is damaged, the other run's parameters don't fit, or the processes
        find different ones.
    """
    step = checkpoints.latest_step()
    distributed.check_alike(f"the last checkpoint in {workdir}", step)
    if step is not None:
        state, rows = checkpoint.restore(checkpoints, step, _abstract_state(config, task, mesh))
        return state, rows, f"goes on from step {step} of {config.steps}"
    if other is None:
        return _state_of(config, _initial(config, task)), [], "new parameters"
    start = config.start
    initial = _initial(config, task) if start.new else {}
    made = hand_over(other.parameters, task.shapes, initial, start, str(other.path))
    origin = f"{start.parameters} parameters of {other.path}, step {other.step}"
    if distributed.is_first():
        write_text(workdir / START, _start_json(made, other, start))
    state = _state_of(config, jax.tree.map(jnp.asarray, made.parameters))
    return state, [], f"{origin}; {'; '.join(made.lines)}"


def _initial(config: RunConfig, task: Task) -> Parameters:
    def draw(arrays):
        # No step reaches this number, so no training batch has the same key.
        key = jax.random.fold_in(jax.random.key(config.seed), 2**31 - 1)
        of_examples, of_parameters = jax.random.split(key)
        batch = task.source.train(arrays, jnp.int32(0), of_examples)
        return task.initial(of_parameters, batch)

    drawn = jit(draw)(task.source.arrays)
    check_shapes(shapes_of(drawn), task.shapes, "the task's initial parameters")
    return drawn


def _state_of(config: RunConfig, parameters: Parameters) -> TrainState:
    return TrainState(
        step=jnp.int32(0),
        parameters=parameters,
        average=jax.tree.map(jnp.copy, parameters),
        optimizer=optimizer.make(config).init(parameters),
    )


def _abstract_state(config: RunConfig, task: Task, mesh: jax.sharding.Mesh) -> TrainState:
    """Returns shapes and types of a state, to be placed on every device."""
    shapes = {name: jax.ShapeDtypeStruct(s, jnp.float32) for name, s in task.shapes.items()}
    everywhere = NamedSharding(mesh, PartitionSpec())
    return jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=everywhere),
        jax.eval_shape(functools.partial(_state_of, config), shapes),
    )


def _start_json(made: HandOver, other: Forerunner, start: StartConfig) -> str:
    file = weights.file_of(other.path)
    content = {
        "from": other.path.name,
        "step": other.step,
        "parameters": start.parameters,
        "sha256": checkpoint.sha256(other.parameters),
        "copied": len(made.copied),
        "cloned": [[clone.part, clone.source, clone.scale] for clone, _ in made.cloned],
        "new": list(made.new),
        "calibration": weights.load(file).calibration if file.exists() else {},
    }
    return json.dumps(content, indent=2) + "\n"
