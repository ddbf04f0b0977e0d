"""Defines the network of micrographs: a U-Net with a head for each map."""

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx, struct

from srd_jax.networks import modules
from srd_jax.networks.unet import UNet
from srd_jax.tasks.grana.config import ModelConfig

# Grey values beyond are broken pixels or marks; those of almost all pixels lie within -1 and 1.
_LIMIT = 4.0
# An untrained network takes a fifth of all pixels for granum.
_INITIAL_LOGIT = math.log(0.2 / 0.8)


@struct.dataclass
class Prediction:
    """The network's maps of a batch, each (B, rows / STRIDE, columns / STRIDE) float32.

    Attributes:
      logit: of the probability that a pixel belongs to a granum.
      distance: to the outline of the own granum over `synthetic.scenes.batch.REACH_NM`, 0..1.
      cosine, sine: of twice the direction of the lamellae, not normalised; their length is the
        confidence where the loss is the squared error.
      log_period: natural logarithm of the period, px of the tile.
    """

    logit: jax.Array
    distance: jax.Array
    cosine: jax.Array
    sine: jax.Array
    log_period: jax.Array


class MicrographNet(nnx.Module):
    """A U-Net whose result is read as `Prediction`."""

    def __init__(self, config: ModelConfig, *, rngs: nnx.Rngs):
        """Draws the parameters."""
        self.unet = UNet(config.channels, outputs=5, group=config.group, rngs=rngs)
        first = (_INITIAL_LOGIT, 0.0, 0.0, 0.0, math.log(config.initial_period))
        self.unet.head.bias = nnx.Param(jnp.asarray(first, jnp.float32))

    def __call__(self, image: jax.Array) -> Prediction:
        """Returns the maps of a batch.

        Args:
          image: (B, rows, columns), both multiples of `config.multiple`; grey values as in
            `synthetic.scenes.batch.Tiles`.
        """
        found = self.unet(jnp.clip(image, -_LIMIT, _LIMIT)[..., None])
        logit, distance, cosine, sine, log_period = (found[..., i] for i in range(5))
        return Prediction(logit, jax.nn.sigmoid(distance), cosine, sine, log_period)


Apply = Callable[[modules.Parameters, jax.Array], Prediction]


def as_function(config: ModelConfig) -> Apply:
    """Returns the network of a config as a pure function of its parameters and the images."""
    return modules.as_function(_builder(config))


def parameter_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of all parameters of a config's network by name."""
    return modules.parameter_shapes(_builder(config))


def random_parameters(config: ModelConfig, key: jax.Array) -> dict[str, jax.Array]:
    """Returns random parameters of a config's network by name."""
    return modules.parameters_of(MicrographNet(config, rngs=nnx.Rngs(key)))


def _builder(config: ModelConfig) -> Callable[[], MicrographNet]:
    return lambda: MicrographNet(config, rngs=nnx.Rngs(0))
