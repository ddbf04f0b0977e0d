"""Compiles the work of the device: many training steps in one scan, and the validation.

The examples of a step follow from the run's seed, its name and the step alone. So a resumed run
ends with the same bits as a run that was never stopped.
"""

import functools
import zlib
from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import NamedSharding, PartitionSpec

from srd_jax.networks.parameters import Parameters
from srd_jax.support.compiling import jit
from srd_jax.training import optimizer
from srd_jax.training.config import RunConfig
from srd_jax.training.task import Batch, Found, Source, Task, TrainState

Metrics = dict[str, jax.Array]
_Tree = TypeVar("_Tree")

# Folded into a step's key, for independent random numbers.
_EXAMPLES, _LOSS = 0, 1


def train_step(
    config: RunConfig,
    task: Task,
    update: optax.GradientTransformation,
    state: TrainState,
    batch: Batch,
    key: jax.Array,
) -> tuple[TrainState, Metrics]:
    """Returns the state after one step, and the loss, the task's scores and the gradient norm."""

    def objective(parameters):
        return task.loss(parameters, batch, state.step, key)

    (loss, scores), gradient = jax.value_and_grad(objective, has_aux=True)(state.parameters)
    updates, optimizer_state = update.update(gradient, state.optimizer, state.parameters)
    parameters = jax.tree.map(jnp.add, state.parameters, updates)
    average = optimizer.averaged(state.average, parameters, state.step, config.optimizer)
    metrics = {"loss": loss, **scores, "gradient_norm": optax.tree.norm(gradient)}
    return TrainState(state.step + 1, parameters, average, optimizer_state), metrics


def root_key(config: RunConfig) -> jax.Array:
    """Returns the random key of a run, which follows from its seed and its name.

    Without the name, stages of one seed and the same ranges would draw the same examples again.
    """
    return jax.random.fold_in(jax.random.key(config.seed), zlib.crc32(config.name.encode()))


def make_steps(
    config: RunConfig, mesh: jax.sharding.Mesh, task: Task
) -> Callable[[TrainState, Any], tuple[TrainState, Metrics]]:
    """Returns a compiled function that takes log_every_steps training steps.

    Its arguments are the state, which is donated, and the source's arrays. It returns the new state
    and the metrics, each (log_every_steps,).
    """
    update = optimizer.make(config)
    split = NamedSharding(mesh, PartitionSpec("data"))
    everywhere = NamedSharding(mesh, PartitionSpec())
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

    return jit(steps, donate_argnums=0, out_shardings=everywhere)


def replicated(tree: _Tree, mesh: jax.sharding.Mesh) -> _Tree:
    """Returns a tree of arrays that lie on every device; all processes have the same values."""
    everywhere = NamedSharding(mesh, PartitionSpec())
    if jax.process_count() == 1:
        return jax.device_put(tree, everywhere)

    def put(x):
        if isinstance(x, jax.Array) and not x.is_fully_addressable:
            return x
        # jax.device_put would first send all of it to every process, for a comparison.
        return jax.make_array_from_callback(np.shape(x), everywhere, np.asarray(x).__getitem__)

    return jax.tree.map(put, tree)


# (parameters, arrays of the source) → results of all validation examples.
Validate = Callable[[Parameters, Any], Found]


def make_validation(
    config: RunConfig, source: Source, evaluate: Callable[[Parameters, Batch], Found]
) -> Validate:
    """Returns a compiled function that evaluates parameters on the whole validation set.

    Args:
      config: of the run.
      source: of the validation batches.
      evaluate: (parameters, batch) → results of the batch; see `task.Task`.
    """
    size = source.validation_size
    batches = -(-size // config.validation.batch_size)

    def one(parameters, arrays, index):
        found = evaluate(parameters, source.validation(arrays, index))
        _check_size(found, config.validation.batch_size)
        return found

    def validate(parameters, arrays):
        every = functools.partial(one, parameters, arrays)
        with jax.default_matmul_precision(config.matmul_precision):
            found = jax.lax.map(every, jnp.arange(batches))
        return jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[:size], found)

    return jit(validate)


def _check_size(found: Found, batch_size: int) -> None:
    """Checks that the results of a batch are those of `batch_size` examples, else some were lost.

    Raises:
      ValueError: they aren't, which is a mistake of the task.
    """
    for leaf in jax.tree.leaves(found):
        if leaf.ndim == 0 or leaf.shape[0] != batch_size:
            raise ValueError(
                f"the task's results of a validation batch have shape {leaf.shape}; "
                f"accepted: {batch_size} examples first, as config.validation.batch_size says"
            )
