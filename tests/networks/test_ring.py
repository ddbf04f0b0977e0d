import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from scipy import signal

from srd_jax.networks.ring import Neighbours, RingConvolution


def test_a_ring_convolution_wraps_its_columns_and_pads_its_rows():
    layer = RingConvolution(1, 1, 3, rngs=nnx.Rngs(0))
    layer.bias = nnx.Param(jnp.array([0.5]))
    features = np.random.default_rng(0).normal(size=(6, 7)).astype(np.float32)
    kernel = np.asarray(layer.kernel[...])[:, :, 0, 0]
    around = np.pad(np.pad(features, ((0, 0), (1, 1)), "wrap"), ((1, 1), (0, 0)))
    expected = signal.correlate2d(around, kernel, mode="valid") + 0.5
    found = layer(jnp.asarray(features)[None, :, :, None])[0, :, :, 0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_neighbours_lie_on_both_sides_of_the_ring():
    layer = Neighbours(2, 3, 2, rngs=nnx.Rngs(1))
    features = np.random.default_rng(1).normal(size=(1, 5, 2)).astype(np.float32)
    kernel = np.asarray(layer.kernel[...])
    for place in range(5):
        around = np.concatenate([features[0, (place + by) % 5] for by in (-2, 0, 2)])
        np.testing.assert_allclose(
            layer(jnp.asarray(features))[0, place], around @ kernel, atol=1e-5
        )


def test_features_turn_with_the_ring():
    layer = RingConvolution(2, 4, 3, rngs=nnx.Rngs(2))
    features = jax.random.normal(jax.random.key(0), (1, 4, 9, 2))
    turned = layer(jnp.roll(features, 4, axis=2))
    np.testing.assert_allclose(turned, jnp.roll(layer(features), 4, axis=2), atol=1e-5)
