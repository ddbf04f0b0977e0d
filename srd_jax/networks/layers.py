"""Layers of image networks: convolution with bias, and a normalisation at each position."""

import jax
import jax.numpy as jnp
from flax import nnx

from srd_jax.networks.convolution import add_bias, convolve_same

# By default, accelerators multiply float32 matrices in fewer bits.
_FLOAT32 = jax.lax.Precision.HIGHEST
_LEAST_VARIANCE = 1e-5


class Convolution(nnx.Module):
    """A convolution with a bias; the image has zeros around it, and keeps its size."""

    def __init__(self, channels_in: int, channels_out: int, size: int = 3, *, rngs: nnx.Rngs):
        """Draws the kernel from He's normal distribution; the bias is 0."""
        draw = nnx.initializers.he_normal()
        self.kernel = nnx.Param(draw(rngs.params(), (size, size, channels_in, channels_out)))
        self.bias = nnx.Param(jnp.zeros(channels_out))

    def __call__(self, image: jax.Array) -> jax.Array:
        """Returns (B, rows, columns, channels_out)."""
        return add_bias(convolve_same(image, self.kernel[...]), self.bias[...])


class GroupNorm(nnx.Module):
    """Group normalisation of the channels at each position on its own.

    The statistics of Wu and He (2018, "Group normalization", arXiv:1803.08494) are those of a group
    of channels over the whole image. Here they are of one position, so that a part of an image has
    the features that it has in the whole image, and a large image can be read in tiles.
    """

    def __init__(self, channels: int, group: int):
        """Starts with scale 1 and shift 0.

        Args:
          channels: of the image.
          group: channels in a group; divides `channels`.
        """
        self.group = group
        self.scale = nnx.Param(jnp.ones(channels))
        self.shift = nnx.Param(jnp.zeros(channels))

    def __call__(self, image: jax.Array) -> jax.Array:
        """Returns (B, rows, columns, channels), of mean 0 and variance 1 before scale and shift."""
        channels = image.shape[-1]
        groups = jnp.arange(channels) // self.group
        # A product with this matrix is the mean over the own group, at each channel; XLA's CPU back
        # end is slow in sums over the last axis.
        means = (groups[:, None] == groups[None]).astype(image.dtype) / self.group
        centred = image - _product(image, means)
        variance = _product(jnp.square(centred), means)
        scale = self.scale[...][None, None, None] * jax.lax.rsqrt(variance + _LEAST_VARIANCE)
        return add_bias(centred * scale, self.shift[...])


class WholeGroupNorm(nnx.Module):
    """Group normalisation by statistics of the whole image: strong features stay strong.

    Source: Wu and He 2018, "Group normalization", arXiv:1803.08494.
    """

    def __init__(self, channels: int, group: int):
        """Starts with scale 1 and shift 0.

        Args:
          channels: of the image.
          group: channels in a group; divides `channels`.
        """
        self.group = group
        self.scale = nnx.Param(jnp.ones(channels))
        self.shift = nnx.Param(jnp.zeros(channels))

    def __call__(self, image: jax.Array) -> jax.Array:
        """Returns (B, rows, columns, channels); a group has mean 0 and variance 1 before scale."""
        mean = self._by_group(jnp.mean(image, axis=(1, 2)))
        centred = image - mean[:, None, None]
        variance = self._by_group(jnp.mean(jnp.square(centred), axis=(1, 2)))
        scale = self.scale[...][None] * jax.lax.rsqrt(variance + _LEAST_VARIANCE)
        return add_bias(centred * scale[:, None, None], self.shift[...])

    def _by_group(self, values: jax.Array) -> jax.Array:
        """Returns the mean of a group at each of its channels, (B, channels)."""
        groups = jnp.mean(values.reshape(values.shape[0], -1, self.group), axis=-1)
        return jnp.repeat(groups, self.group, axis=1)


def _product(image: jax.Array, matrix: jax.Array) -> jax.Array:
    return jnp.einsum("brci,io->brco", image, matrix, precision=_FLOAT32)
