"""Layers of features around a ring, such as those at all directions of a plane."""

import jax
import jax.numpy as jnp
from flax import nnx

from srd_jax.networks.convolution import add_bias, convolve


class RingConvolution(nnx.Module):
    """A convolution whose columns close to a ring, and whose rows have zeros around them."""

    def __init__(self, channels_in: int, channels_out: int, size: int = 3, *, rngs: nnx.Rngs):
        """Draws the kernel from He's normal distribution; the bias is 0.

        Args:
          channels_in: of the features.
          channels_out: of the result.
          size: of the kernel, odd.
          rngs: random numbers.
        """
        draw = nnx.initializers.he_normal()
        self.kernel = nnx.Param(draw(rngs.params(), (size, size, channels_in, channels_out)))
        self.bias = nnx.Param(jnp.zeros(channels_out))

    def __call__(self, features: jax.Array) -> jax.Array:
        """Returns (B, rows, columns, channels_out) of (B, rows, columns, channels_in)."""
        kernel = self.kernel[...]
        margin = kernel.shape[0] // 2
        around = jnp.concatenate(
            [features[:, :, -margin:], features, features[:, :, :margin]], axis=2
        )
        around = jnp.pad(around, ((0, 0), (margin, margin), (0, 0), (0, 0)))
        return add_bias(convolve(around, kernel), self.bias[...])


class Neighbours(nnx.Module):
    """A linear map of the features at a place of a ring and at two others, as far on each side."""

    def __init__(self, channels_in: int, channels_out: int, distance: int, *, rngs: nnx.Rngs):
        """Draws the matrix from He's normal distribution; the bias is 0.

        Args:
          channels_in: of the features.
          channels_out: of the result.
          distance: to the other two places.
          rngs: random numbers.
        """
        draw = nnx.initializers.he_normal()
        self.distance = distance
        self.kernel = nnx.Param(draw(rngs.params(), (3 * channels_in, channels_out)))
        self.bias = nnx.Param(jnp.zeros(channels_out))

    def __call__(self, features: jax.Array) -> jax.Array:
        """Returns (B, places, channels_out) of (B, places, channels_in)."""
        sides = [jnp.roll(features, by, axis=1) for by in (self.distance, 0, -self.distance)]
        return jnp.concatenate(sides, axis=-1) @ self.kernel[...] + self.bias[...][None, None]
