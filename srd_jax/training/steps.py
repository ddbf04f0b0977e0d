"""What runs on the device: the training step, many of them in a scan, and the validation.

The examples of a step follow from the run's seed and name and from the step alone, so that a run
that goes on from a checkpoint ends with the bits of a run that was never stopped.
"""

import functools
import zlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import struct
from jax.sharding import NamedSharding, PartitionSpec

from srd_jax.networks.modules import Parameters
from srd_jax.support.compiling import jit
from srd_jax.training import optimizer
from srd_jax.training.config import RunConfig
from srd_jax.training.task import Batch, Found, Source, Task

Metrics = dict[str, jax.Array]

# Streams of random numbers of one step.
_EXAMPLES, _LOSS = 0, 1


@struct.dataclass
class TrainState:
    """What training changes.

    Attributes:
      step: () int32, steps done.
      parameters: by name.
      average: exponential average of the parameters.
      optimizer: state of the optimiser.
    """

    step: jax.Array
    parameters: Parameters
    average: Parameters
    optimizer: Any


def train_step(
    config: RunConfig,
    task: Task,
    update: optax.GradientTransformation,
    state: TrainState,
    batch: Batch,
    key: jax.Array,
) -> tuple[TrainState, Metrics]:
    """Returns the state after one step, and its loss, the task's own numbers and gradient norm."""

    def objective(parameters):
        return task.loss(parameters, batch, state.step, key)

    (loss, numbers), gradient = jax.value_and_grad(objective, has_aux=True)(state.parameters)
    updates, optimizer_state = update.update(gradient, state.optimizer, state.parameters)
    parameters = jax.tree.map(jnp.add, state.parameters, updates)
    average = optimizer.averaged(state.average, parameters, state.step, config.optimizer)
    metrics = {"loss": loss, **numbers, "gradient_norm": optax.tree.norm(gradient)}
    return TrainState(state.step + 1, parameters, average, optimizer_state), metrics


def root_key(config: RunConfig) -> jax.Array:
    """Returns the key of all examples of a run: another one for each stage of one seed.

    Stages that draw from the same ranges would otherwise see the same examples again.
    """
    return jax.random.fold_in(jax.random.key(config.seed), zlib.crc32(config.name.encode()))


def make_steps(
    config: RunConfig, mesh: jax.sharding.Mesh, task: Task
) -> Callable[[TrainState, Any], tuple[TrainState, Metrics]]:
    """Returns a compiled function of a state and the source's arrays.

    It takes log_every_steps steps on the device; its metrics hold one value a step. The state that
    goes in is donated.
    """
    update = optimizer.make(config)
    split = NamedSharding(mesh, PartitionSpec("data"))
    root = root_key(config)

    def step(arrays, state, _):
        key = jax.random.fold_in(root, state.step)
        batch = task.source.train(arrays, state.step, jax.random.fold_in(key, _EXAMPLES))
        batch = jax.lax.with_sharding_constraint(batch, split)
        return train_step(config, task, update, state, batch, jax.random.fold_in(key, _LOSS))

    def steps(state, arrays):
        one = functools.partial(step, arrays)
        with jax.default_matmul_precision(config.matmul_precision):
            return jax.lax.scan(one, state, length=config.log_every_steps)

    return jit(steps, donate_argnums=0)


# Of parameters and the source's arrays.
Validate = Callable[[Parameters, Any], Found]


def make_validation(
    config: RunConfig, source: Source, evaluate: Callable[[Parameters, Batch], Found]
) -> Validate:
    """Returns a compiled function of parameters and the source's arrays: the whole set's results.

    Args:
      config: of the run.
      source: of the validation batches.
      evaluate: of parameters and a batch, see `task.Task`.
    """
    size = source.validation_size
    batches = -(-size // config.validation.batch_size)

    def one(parameters, arrays, index):
        return evaluate(parameters, source.validation(arrays, index))

    def validate(parameters, arrays):
        every = functools.partial(one, parameters, arrays)
        with jax.default_matmul_precision(config.matmul_precision):
            found = jax.lax.map(every, jnp.arange(batches))
        return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[:size], found)

    return jit(validate)
