import dataclasses
import itertools
import math
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from srd_jax.networks.receptive_field import Block, Geometry, geometry_of
from srd_jax.support.errors import InputError
from srd_jax.tasks.period.config import EncoderConfig, ModelConfig
from srd_jax.tasks.period.model import ConvEncoder

REFERENCE = EncoderConfig().blocks
ASYMMETRIC = (Block(1, (1, 3), kernel=5), Block(2, (3, 1)), Block(1, (2, 2), kernel=1))


def influence(blocks, frame, pixels):
    """Which positions of the grid each pixel reaches, (pixels, grid rows, grid columns) bool.

    With kernels of ones the features are sums and maxima of nonnegative numbers: an impulse leaves
    a positive feature exactly where the pixel lies in the receptive field.
    """
    encoder = ConvEncoder(EncoderConfig(blocks=blocks, channels=1), rngs=nnx.Rngs(0))
    for convolution in encoder.convolutions:
        convolution.kernel[...] = jnp.ones_like(convolution.kernel[...])
        convolution.bias[...] = jnp.zeros_like(convolution.bias[...])
    impulses = np.zeros((len(pixels), *frame), np.float32)
    impulses[np.arange(len(pixels)), *np.transpose(pixels)] = 1.0
    return np.asarray(nnx.jit(lambda net, x: net(x))(encoder, impulses))[..., 0] > 0


@pytest.mark.parametrize("steps", [(1, 4), (2, 1)])
@pytest.mark.parametrize("blocks", [REFERENCE, ASYMMETRIC])
def test_receptive_fields_are_those_of_the_encoder(blocks, steps):
    geometry = geometry_of(blocks)
    field, stride = geometry.receptive_field, geometry.stride
    frame = tuple(f + n * s for f, n, s in zip(field, steps, stride, strict=True))
    random = np.random.default_rng(0)
    rows, columns = (random.permutation(max(frame)) % size for size in frame)
    pixels = np.stack([rows, columns], axis=1)
    grid = geometry.grid(*frame)
    assert grid == (steps[0] + 1, steps[1] + 1)
    start = [np.arange(n) * s for n, s in zip(grid, stride, strict=True)]
    inside = [
        (pixels[:, axis, None] >= start[axis]) & (pixels[:, axis, None] < start[axis] + field[axis])
        for axis in range(2)
    ]
    expected = inside[0][:, :, None] & inside[1][:, None, :]
    np.testing.assert_array_equal(influence(blocks, frame, pixels), expected)
    # Every row and every column was tried, and none is left over.
    assert expected.any((1, 2)).all()
    assert all(len(set(pixels[:, axis])) == frame[axis] for axis in range(2))


def test_reference_encoder():
    geometry = ModelConfig().geometry
    assert geometry == Geometry(receptive_field=(220, 38), stride=(64, 2))
    assert geometry.grid(476, 476) == (5, 220)


@pytest.mark.parametrize("frame", [(220, 38), (284, 46), (476, 62)])
def test_grid_is_the_shape_of_the_features(frame):
    config = EncoderConfig()
    shape = jax.eval_shape(
        lambda image: ConvEncoder(config, rngs=nnx.Rngs(0))(image), jnp.zeros((1, *frame))
    ).shape
    assert shape == (1, *geometry_of(config.blocks).grid(*frame), config.channels)


def aligned_lengths(field, stride, longest):
    return [size for size in range(field, longest + 1) if (size - field) / stride % 1 == 0]


@pytest.mark.parametrize("geometry", [geometry_of(REFERENCE), Geometry((7, 5), (4, 3))])
def test_aligned_and_nearest_frames_against_all_frames(geometry):
    longest = np.array([700, 100])
    lengths = [
        aligned_lengths(field, stride, most + 3 * stride)
        for field, stride, most in zip(
            geometry.receptive_field, geometry.stride, longest, strict=True
        )
    ]
    every = list(itertools.product(*lengths))
    tried = np.random.default_rng(1).integers(1, longest, (60, 2)).tolist()
    for frame in [*map(tuple, tried), *every[:3], (1, 1)]:
        distances = sorted(math.dist(frame, other) for other in every)
        nearest = geometry.nearest_aligned(*frame)
        assert all(other in every for other in nearest)
        assert nearest[0] != nearest[1]
        np.testing.assert_allclose([math.dist(frame, n) for n in nearest], distances[:2])
        assert geometry.aligns(*frame) == (frame in every)
        assert (nearest[0] == frame) == (frame in every)


@pytest.mark.parametrize(
    "frame", [(475, 476), (476, 475), (477, 476), (219, 38), (220, 36), (0, 0)]
)
def test_misaligned_frame_names_the_nearest_two(frame):
    geometry = ModelConfig().geometry
    assert not geometry.aligns(*frame)
    with pytest.raises(InputError) as caught:
        geometry.grid(*frame)
    message = str(caught.value)
    assert "\n" not in message
    assert f"frame {frame[0]}x{frame[1]} " in message
    named = [tuple(map(int, pair)) for pair in re.findall(r"(\d+)x(\d+)", message)]
    assert named[-2:] == list(geometry.nearest_aligned(*frame))
    assert all(geometry.aligns(*near) for near in named[-2:])


def test_geometry_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ModelConfig().geometry.stride = (1, 1)  # pyright: ignore[reportAttributeAccessIssue]
