"""Optimiser and learning-rate schedule of a config."""

import jax
import jax.numpy as jnp
import optax

from srd_jax.config import OptimizerConfig, TrainConfig
from srd_jax.model import Parameters


def learning_rate(config: TrainConfig) -> optax.Schedule:
    """Returns the learning rate as a function of the step."""
    optimizer = config.optimizer
    warmup = optimizer.warmup_steps
    if optimizer.schedule == "cosine":
        after = optax.cosine_decay_schedule(optimizer.learning_rate, config.steps - warmup)
    elif optimizer.schedule == "step":
        after = optax.piecewise_constant_schedule(
            optimizer.learning_rate,
            {
                epoch * config.steps_per_epoch - warmup: optimizer.step_factor
                for epoch in optimizer.step_epochs
            },
        )
    else:
        after = optax.constant_schedule(optimizer.learning_rate)
    if not warmup:
        return after
    rise = optax.linear_schedule(0.0, optimizer.learning_rate, warmup)
    return optax.join_schedules([rise, after], [warmup])


def make(config: TrainConfig) -> optax.GradientTransformation:
    """Returns AdamW behind a clip of the gradient's global norm."""
    return optax.chain(
        optax.clip_by_global_norm(config.optimizer.clip_norm),
        optax.adamw(learning_rate(config), weight_decay=config.optimizer.weight_decay),
    )


def averaged(
    average: Parameters, parameters: Parameters, step: jax.Array, config: OptimizerConfig
) -> Parameters:
    """Returns the exponential average moved towards the parameters.

    The decay is min(average_decay, (1 + step) / (10 + step)), so that the first random
    parameters are forgotten soon.
    """
    decay = jnp.minimum(config.average_decay, (1.0 + step) / (10.0 + step))
    return jax.tree.map(lambda a, p: decay * a + (1.0 - decay) * p, average, parameters)
