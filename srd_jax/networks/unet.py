"""A U-Net with attention gates, whose result is half as fine as the image.

Ronneberger, Fischer and Brox 2015, "U-Net" (arXiv:1505.04597). The finest level is only encoded, by
one convolution. Skip connections are added, not concatenated, which halves the work of the decoder
(Chaurasia and Culurciello 2017, "LinkNet", arXiv:1707.03718).
"""

import itertools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx

from srd_jax.networks.attention_gate import AttentionGate
from srd_jax.networks.convolution import add_bias, convolve_same, max_pool, relu
from srd_jax.networks.layers import Convolution, GroupNorm

# px of the image per px of the result.
STRIDE = 2
# Half the size of the kernels of a block, and of the largest one of an attention gate.
_BLOCK_REACH, _GATE_REACH = 2, 2
_HEAD_SCALE = 0.1


class _Block(nnx.Module):
    """Two convolutions, each with normalisation and ReLU."""

    def __init__(self, channels_in: int, channels: int, group: int, *, rngs: nnx.Rngs):
        first = Convolution(channels_in, channels, rngs=rngs)
        self.convolutions = nnx.List((first, Convolution(channels, channels, rngs=rngs)))
        self.norms = nnx.List((GroupNorm(channels, group), GroupNorm(channels, group)))

    def __call__(self, image: jax.Array) -> jax.Array:
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            image = relu(norm(convolution(image)))
        return image


class _Up(nnx.Module):
    """Brings coarse features to the next finer level, and adds the gated skip connection."""

    def __init__(self, coarse: int, channels: int, group: int, *, rngs: nnx.Rngs):
        self.project = Convolution(coarse, channels, size=1, rngs=rngs)
        self.gate = AttentionGate(channels, rngs=rngs)
        self.block = _Block(channels, channels, group, rngs=rngs)

    def __call__(self, coarse: jax.Array, skip: jax.Array) -> jax.Array:
        signal = self.project(coarse)
        return self.block(self.gate(skip, signal) + doubled(signal))


class UNet(nnx.Module):
    """An encoder and a decoder with attention gates on the skip connections."""

    def __init__(
        self,
        channels: Sequence[int],
        outputs: int,
        *,
        inputs: int = 1,
        group: int = 8,
        rngs: nnx.Rngs,
    ):
        """Draws the parameters.

        Args:
          channels: of each level, from the finest; each level is half as fine as the one before.
          outputs: channels of the result.
          inputs: channels of the image.
          group: channels that are normalised together; divides the channels of all levels but the
            finest.
          rngs: of the draws.
        """
        self.stem = Convolution(inputs, channels[0], rngs=rngs)
        pairs = [*itertools.pairwise(channels)]
        self.down = nnx.List(_Block(fine, coarse, group, rngs=rngs) for fine, coarse in pairs)
        self.up = nnx.List(
            _Up(coarse, fine, group, rngs=rngs) for fine, coarse in reversed(pairs[1:])
        )
        self.head = Convolution(channels[1], outputs, size=1, rngs=rngs)
        # So that first results lie near the bias.
        self.head.kernel = nnx.Param(_HEAD_SCALE * self.head.kernel[...])

    def __call__(self, image: jax.Array) -> jax.Array:
        """Returns (B, rows / 2, columns / 2, outputs).

        Args:
          image: (B, rows, columns, inputs), rows and columns multiples of
            `receptive_field.multiple_of(levels)`.
        """
        stem = max_pool(convolve_same(image, self.stem.kernel[...]), (STRIDE, STRIDE))
        # The bias of a channel doesn't change where its maximum lies, and there is less to add to.
        features = relu(add_bias(stem, self.stem.bias[...]))
        skips = []
        for level, block in enumerate(self.down):
            features = block(max_pool(features, (2, 2)) if level else features)
            skips.append(features)
        features = skips.pop()
        for up in self.up:
            features = up(features, skips.pop())
        return self.head(features)


def reach(levels: int) -> int:
    """Returns an upper limit of how far from a position the image can influence it, px.

    Each level adds that of its convolutions and of its gate at its stride, once on the way down and
    once on the way up; pools and the resampling of gates add at most two px of the coarser level.
    """
    strides = [2**level for level in range(1, levels)]
    down = 1 + sum(_BLOCK_REACH * stride + stride for stride in strides)
    up = sum(_BLOCK_REACH * fine + (_GATE_REACH + 2) * 2 * fine for fine in strides[:-1])
    return down + up


def doubled(image: jax.Array) -> jax.Array:
    """Returns each px of (B, rows, columns, channels) as 2 × 2 equal ones."""
    batch, rows, columns, channels = image.shape
    wide = jnp.broadcast_to(image[:, :, None, :, None], (batch, rows, 2, columns, 2, channels))
    return wide.reshape(batch, 2 * rows, 2 * columns, channels)
