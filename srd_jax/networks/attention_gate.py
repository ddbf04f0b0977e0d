"""The multi-scale attention gate, which weakens a skip connection where it is of no use."""

import jax
import jax.numpy as jnp
from flax import nnx

from srd_jax.networks.convolution import add_bias, relu
from srd_jax.networks.depthwise import depthwise


class _MultiScale(nnx.Module):
    """The sum of depth-wise convolutions of several sizes."""

    def __init__(self, channels: int, sizes: tuple[int, ...], *, rngs: nnx.Rngs):
        """Draws kernels so that their sum keeps the variance of an image."""
        self.sizes = sizes
        self.kernels = nnx.List(
            nnx.Param(jax.random.normal(rngs.params(), (k, k, channels)) / (k * len(sizes) ** 0.5))
            for k in sizes
        )

    def __call__(self, image: jax.Array) -> jax.Array:
        """Returns (B, rows, columns, channels)."""
        largest = max(self.sizes)
        # Convolutions add up to the one with the sum of their kernels, each in the middle.
        margins = [((largest - k) // 2,) * 2 for k in self.sizes]
        kernels = [
            jnp.pad(kernel[...], (margin, margin, (0, 0)))
            for kernel, margin in zip(self.kernels, margins, strict=True)
        ]
        return depthwise(image, sum(kernels))


class AttentionGate(nnx.Module):
    """Weights a skip connection x by α = σ(ψᵀ ReLU(W_x x + W_g g + b_g) + b_ψ), at each position.

    Source: Oktay et al. 2018, "Attention U-Net" (arXiv:1804.03999). W_x and W_g are sums of
    depth-wise convolutions of 1, 3 and 5 px, in place of 1×1 convolutions. They are computed on the
    grid of g, where x is averaged, and α is resampled bilinearly to the grid of x.
    """

    def __init__(self, channels: int, sizes: tuple[int, ...] = (1, 3, 5), *, rngs: nnx.Rngs):
        """Draws kernels; α starts near 0.7, so that features pass.

        Args:
          channels: of x and g.
          sizes: of the kernels, px, odd.
          rngs: of the draws.
        """
        self.skip = _MultiScale(channels, sizes, rngs=rngs)
        self.signal = _MultiScale(channels, sizes, rngs=rngs)
        self.bias = nnx.Param(jnp.zeros(channels))
        self.psi = nnx.Param(jax.random.normal(rngs.params(), (channels,)) / channels**0.5)
        self.psi_bias = nnx.Param(jnp.ones(()))

    def attention(self, x: jax.Array, g: jax.Array) -> jax.Array:
        """Returns α on the grid of g, (B, r, c).

        Args:
          x: (B, n·r, n·c, channels) features of the skip connection.
          g: (B, r, c, channels) the gating signal, n times as coarse.
        """
        batch, rows, columns, channels = g.shape
        step = x.shape[1] // rows
        coarse = x.reshape(batch, rows, step, columns, step, channels).mean((2, 4))
        mixed = relu(add_bias(self.skip(coarse) + self.signal(g), self.bias[...]))
        energy = (mixed * self.psi[...][None, None, None]).sum(3)
        return jax.nn.sigmoid(energy + self.psi_bias[...])

    def __call__(self, x: jax.Array, g: jax.Array) -> jax.Array:
        """Returns α · x, of the shape of x; see `attention`."""
        alpha = jax.image.resize(self.attention(x, g), x.shape[:3], "bilinear")
        return x * alpha[..., None]
