import jax
import numpy as np
from flax import nnx

from srd_jax.networks.layers import Convolution, GroupNorm, WholeGroupNorm

IMAGE = np.random.default_rng(0).normal(3.0, 2.0, size=(2, 4, 5, 6)).astype(np.float32)


def test_groups_are_normalised_at_each_position():
    norm = GroupNorm(6, 3)
    norm.scale[...], norm.shift[...] = np.arange(1.0, 7.0), np.arange(6.0)
    groups = IMAGE.reshape(2, 4, 5, 2, 3)
    mean, variance = groups.mean(-1, keepdims=True), groups.var(-1, keepdims=True)
    plain = ((groups - mean) / np.sqrt(variance + 1e-5)).reshape(IMAGE.shape)
    np.testing.assert_allclose(norm(IMAGE), plain * np.arange(1, 7) + np.arange(6), atol=1e-4)


def test_one_position_does_not_depend_on_another():
    norm = GroupNorm(6, 2)
    np.testing.assert_allclose(norm(IMAGE)[:, 1:2, 2:3], norm(IMAGE[:, 1:2, 2:3]), atol=1e-6)


def test_even_features_stay_finite():
    gradient = jax.grad(lambda image: GroupNorm(6, 3)(image).sum())(0 * IMAGE)
    assert np.isfinite(gradient).all()


def test_groups_are_normalised_over_the_whole_image():
    norm = WholeGroupNorm(6, 3)
    norm.scale[...], norm.shift[...] = np.arange(1.0, 7.0), np.arange(6.0)
    groups = IMAGE.reshape(2, 4, 5, 2, 3)
    mean, variance = (f(groups, axis=(1, 2, 4), keepdims=True) for f in (np.mean, np.var))
    plain = ((groups - mean) / np.sqrt(variance + 1e-5)).reshape(IMAGE.shape)
    np.testing.assert_allclose(norm(IMAGE), plain * np.arange(1, 7) + np.arange(6), atol=1e-4)


def test_a_convolution_keeps_the_size_and_starts_with_the_variance_of_a_relu():
    layer = Convolution(64, 32, rngs=nnx.Rngs(0))
    image = np.random.default_rng(1).normal(size=(1, 12, 14, 64)).astype(np.float32)
    found = np.asarray(layer(np.maximum(image, 0)))
    assert found.shape == (1, 12, 14, 32)
    # He et al. 2015: kernels of variance 2 / fan_in keep the second moment through ReLUs.
    np.testing.assert_allclose(np.square(found[:, 1:-1, 1:-1]).mean(), 1.0, rtol=0.35)
    layer.bias[...] = np.arange(32.0)
    moved = np.asarray(layer(np.maximum(image, 0))) - found
    np.testing.assert_allclose(moved, np.broadcast_to(np.arange(32.0), found.shape), atol=1e-4)
