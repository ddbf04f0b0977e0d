import jax
import jax.numpy as jnp
import numpy as np
import pytest

from srd_jax.networks.receptive_field import Block
from srd_jax.tasks.period import model
from srd_jax.tasks.period.config import EncoderConfig, ModelConfig

pytestmark = pytest.mark.hurry

CONFIG = ModelConfig(
    encoder=EncoderConfig(blocks=(Block(2, (2, 2)), Block(2, (3, 1)), Block(1, (2, 1))), channels=6)
)


def images(rows=48, columns=40):
    """Smooth images, in which neighbouring pixels are similar as in micrographs."""
    noise = np.random.default_rng(0).normal(size=(3, rows, columns)).cumsum(1)
    return (0.3 + 0.05 * noise).astype(np.float32)


def output_sds(parameters, image):
    """Sd of each convolution's outputs, in float64 NumPy."""
    features, sds, layer = ((image - 0.2845) / 0.1447)[..., None].astype(np.float64), [], 0
    for block in CONFIG.encoder.blocks:
        for position in range(block.convolutions):
            if position:
                features = np.maximum(features, 0)
            patches = np.lib.stride_tricks.sliding_window_view(features, (3, 3), (1, 2))
            kernel = np.asarray(parameters[f"encoder.convolutions.{layer}.kernel"], np.float64)
            features = np.tensordot(patches, kernel, ((4, 5, 3), (0, 1, 2)))
            sds.append(features.std())
            layer += 1
        down, across = block.pool
        rows, columns = features.shape[1] // down, features.shape[2] // across
        features = features[:, : rows * down, : columns * across]
        features = features.reshape(len(image), rows, down, columns, across, -1).max((2, 4))
    return sds


def test_outputs_of_every_convolution_have_unit_sd():
    found = model.initial_parameters(CONFIG, jax.random.key(3), jnp.asarray(images()))
    np.testing.assert_allclose(output_sds(found, images()), 1.0, rtol=1e-4)


@pytest.mark.parametrize("layer", range(5))
def test_kernels_are_orthogonal_up_to_scale(layer):
    found = model.initial_parameters(CONFIG, jax.random.key(3), jnp.asarray(images()))
    kernel = np.asarray(found[f"encoder.convolutions.{layer}.kernel"], np.float64).reshape(-1, 6)
    gram = kernel.T @ kernel
    np.testing.assert_allclose(gram / gram[0, 0], np.eye(6), atol=1e-5)


def test_blank_images_scale_nothing_to_infinity():
    blank = jnp.full((2, 48, 40), 0.2845)
    found = model.initial_parameters(CONFIG, jax.random.key(3), blank)
    assert all(np.isfinite(value).all() for value in found.values())
