"""First parameters of a network trained from scratch: each convolution answers at unit scale.

Dmitry Mishkin and Jiri Matas, "All you need is a good init" (ICLR 2016, arXiv:1511.06422).
"""

import jax
import jax.numpy as jnp

from srd_jax.networks.convolution import convolve, max_pool
from srd_jax.tasks.period import model
from srd_jax.tasks.period.config import ModelConfig

# Below it a channel's spread is rounding, as on blank images, and is left alone.
_LEAST_SD = 1e-6


def initial_parameters(
    config: ModelConfig, key: jax.Array, image: jax.Array
) -> dict[str, jax.Array]:
    """Returns random parameters whose convolutions have outputs of unit sd on some images.

    Orthogonal kernels are divided by that sd one layer after the other, over all channels,
    positions and images; biases are zero. Pools and regressors are as the model draws them.

    Args:
      config: of the network.
      key: of the draw.
      image: (B, rows, columns) of an aligned frame, grey value 0..1.
    """
    parameters = model.initial_parameters(config, key)
    orthogonal = jax.nn.initializers.orthogonal()
    features = ((image - config.grey_mean) / config.grey_sd)[..., None]
    layer = 0
    for block in config.encoder.blocks:
        for position in range(block.convolutions):
            if position:
                features = jax.nn.relu(features)
            name = f"encoder.convolutions.{layer}"
            shape = parameters[f"{name}.kernel"].shape
            kernel = orthogonal(jax.random.fold_in(key, layer), shape)
            features = convolve(features, kernel)
            sd = features.std()
            sd = jnp.where(sd > _LEAST_SD, sd, 1.0)
            parameters[f"{name}.kernel"], features = kernel / sd, features / sd
            parameters[f"{name}.bias"] = jnp.zeros_like(parameters[f"{name}.bias"])
            layer += 1
        features = max_pool(features, block.pool)
    return parameters
