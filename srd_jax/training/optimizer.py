"""Makes the optimiser and the learning-rate schedule of a config.

Muon orthogonalises the momentum (Jordan 2024, https://kellerjordan.github.io/posts/muon).
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import optax.contrib
from optax.contrib import MuonDimensionNumbers

from srd_jax.networks.parameters import Parameters
from srd_jax.training.config import OptimizerConfig, RunConfig

# Gives Muon's steps the root mean square of AdamW's steps, so that both work with the same learning
# rates (Liu et al. 2025, arXiv:2502.16982).
_MUON_RMS = 0.2


def learning_rate(config: RunConfig) -> optax.Schedule:
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


def make(config: RunConfig) -> optax.GradientTransformation:
    """Returns the optimiser, which first clips the gradient's global norm."""
    rate, decay = learning_rate(config), config.optimizer.weight_decay
    if config.optimizer.name == "muon":
        update = optax.contrib.muon(
            rate,
            weight_decay=decay,
            adam_weight_decay=decay,
            # optax annotates this argument with another type than it accepts.
            muon_weight_dimension_numbers=_kernels,  # pyright: ignore[reportArgumentType]
            consistent_rms=_MUON_RMS,
        )
    else:
        update = optax.adamw(rate, weight_decay=decay)
    return optax.chain(optax.clip_by_global_norm(config.optimizer.clip_norm), update)


def _kernels(parameters: Parameters) -> dict[str, MuonDimensionNumbers | None]:
    """Returns how Muon reads each kernel as a matrix, inputs × outputs; None for the others."""
    kernel = MuonDimensionNumbers(reduction_axis=(0, 1, 2), output_axis=(3,))
    return {name: kernel if np.ndim(x) == 4 else None for name, x in parameters.items()}


def averaged(
    average: Parameters, parameters: Parameters, step: jax.Array, config: OptimizerConfig
) -> Parameters:
    """Returns the exponential average after one more step.

    The decay is min(average_decay, (1 + step) / (10 + step)), so that the initial parameters soon
    lose their weight.
    """
    decay = jnp.minimum(config.average_decay, (1.0 + step) / (10.0 + step))
    # In this form, the average of constant parameters equals them to the last bit.
    return jax.tree.map(lambda a, p: a + (1.0 - decay) * (p - a), average, parameters)
