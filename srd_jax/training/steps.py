"""What runs on the device: the training step, many of them in a scan, and the validation.

The images of a step follow from the run's seed and name and from the step alone, so that a run that
goes on from a checkpoint ends with the bits of a run that was never stopped.
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

from srd_jax.support.compiling import jit
from srd_jax.synthetic.batch import Batch
from srd_jax.tasks.period import losses, model
from srd_jax.tasks.period.config import TrainConfig
from srd_jax.tasks.period.sources import Source
from srd_jax.training import optimizer

Metrics = dict[str, jax.Array]

# Streams of random numbers of one step.
_IMAGES, _DROPOUT = 0, 1


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
    parameters: model.Parameters
    average: model.Parameters
    optimizer: Any


@struct.dataclass
class Validated:
    """Predictions of the fixed validation images, (N,) float32, px of the frame.

    Attributes:
      period: predicted.
      sd: predicted; None without the confidence branch.
      target: true period.
    """

    period: jax.Array
    sd: jax.Array | None
    target: jax.Array


def train_step(
    config: TrainConfig,
    apply: model.Apply,
    update: optax.GradientTransformation,
    state: TrainState,
    batch: Batch,
    key: jax.Array,
) -> tuple[TrainState, Metrics]:
    """Returns the state after one step and its loss, MAE (px of the frame) and gradient norm."""
    epoch = state.step // config.steps_per_epoch

    def objective(parameters):
        prediction = apply(parameters, batch.image, key)
        loss = losses.LOSSES[config.loss.name](
            prediction.period, prediction.sd, batch.target, epoch, config.loss.ramp_epochs
        ).mean()
        overlap = losses.query_overlap(model.queries(parameters))
        error = losses.mae(prediction.period, batch.target).mean()
        return loss + config.loss.query_overlap * overlap, error

    (loss, error), gradient = jax.value_and_grad(objective, has_aux=True)(state.parameters)
    updates, optimizer_state = update.update(gradient, state.optimizer, state.parameters)
    parameters = jax.tree.map(jnp.add, state.parameters, updates)
    average = optimizer.averaged(state.average, parameters, state.step, config.optimizer)
    metrics = {"loss": loss, "mae": error, "gradient_norm": optax.tree.norm(gradient)}
    return TrainState(state.step + 1, parameters, average, optimizer_state), metrics


def root_key(config: TrainConfig) -> jax.Array:
    """Returns the key of all images of a run: another one for each stage of one seed.

    Stages that draw from the same ranges would otherwise see the same grana again.
    """
    return jax.random.fold_in(jax.random.key(config.seed), zlib.crc32(config.name.encode()))


def make_steps(
    config: TrainConfig, mesh: jax.sharding.Mesh, source: Source
) -> Callable[[TrainState, Any], tuple[TrainState, Metrics]]:
    """Returns a compiled function of a state and the source's arrays.

    It takes log_every_steps steps on the device; its metrics hold one value a step. The state that
    goes in is donated.
    """
    apply = model.as_function(config.model)
    update = optimizer.make(config)
    split = NamedSharding(mesh, PartitionSpec("data"))
    root = root_key(config)

    def step(arrays, state, _):
        key = jax.random.fold_in(root, state.step)
        batch = source.train(arrays, state.step, jax.random.fold_in(key, _IMAGES))
        batch = jax.lax.with_sharding_constraint(batch, split)
        return train_step(config, apply, update, state, batch, jax.random.fold_in(key, _DROPOUT))

    def steps(state, arrays):
        one = functools.partial(step, arrays)
        with jax.default_matmul_precision(config.matmul_precision):
            return jax.lax.scan(one, state, length=config.log_every_steps)

    return jit(steps, donate_argnums=0)


# Of parameters and the source's arrays.
Validate = Callable[[model.Parameters, Any], Validated]


def make_validation(config: TrainConfig, source: Source) -> Validate:
    """Returns a compiled function of parameters and the source's arrays."""
    apply = model.as_function(config.model)
    batches = -(-source.validation_images // config.validation.batch_size)

    def one(parameters, arrays, index):
        batch = source.validation(arrays, index)
        found = apply(parameters, batch.image)
        return Validated(found.period, found.sd, batch.target)

    def validate(parameters, arrays):
        every = functools.partial(one, parameters, arrays)
        with jax.default_matmul_precision(config.matmul_precision):
            found = jax.lax.map(every, jnp.arange(batches))
        return jax.tree.map(lambda x: x.reshape(-1)[: source.validation_images], found)

    return jit(validate)
