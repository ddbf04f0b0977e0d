import numpy as np
import pytest
from flax import nnx
from scipy.signal import correlate

from srd_jax.networks.attention_gate import AttentionGate

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(2, 12, 16, 3)).astype(np.float32)
G = RANDOM.normal(size=(2, 6, 8, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def gate():
    made = AttentionGate(3, rngs=nnx.Rngs(0))
    made.bias[...] = np.array([0.1, -0.2, 0.3])
    made.psi_bias[...] = np.float32(-0.4)
    return made


def multi_scale(image, kernels):
    """The sum of depth-wise convolutions, one after the other, channel by channel."""
    total = np.zeros_like(image)
    for kernel in kernels:
        for b in range(image.shape[0]):
            for c in range(image.shape[3]):
                total[b, ..., c] += correlate(
                    image[b, ..., c], np.asarray(kernel[..., c]), "same", "direct"
                )
    return total


def test_attention_is_the_formula_on_the_grid_of_the_signal(gate):
    coarse = X.reshape(2, 6, 2, 8, 2, 3).mean((2, 4))
    skip, signal = (
        multi_scale(image, [kernel[...] for kernel in part.kernels])
        for image, part in ((coarse, gate.skip), (G, gate.signal))
    )
    mixed = np.maximum(skip + signal + np.asarray(gate.bias[...]), 0)
    expected = 1 / (1 + np.exp(-(mixed @ np.asarray(gate.psi[...]) - 0.4)))
    np.testing.assert_allclose(gate.attention(X, G), expected, atol=1e-5)


def test_the_skip_is_weighted_by_resampled_attention(gate):
    alpha = np.asarray(gate.attention(X, G))
    weights = np.asarray(gate(X, G)) / X
    np.testing.assert_allclose(weights.std(3), 0, atol=1e-5)
    weights = weights.mean(3)
    # Between the centres of coarse pixels, linear: 9/16, 3/16, 3/16, 1/16.
    expected = (9 * alpha[:, 2, 3] + 3 * alpha[:, 2, 4] + 3 * alpha[:, 3, 3] + alpha[:, 3, 4]) / 16
    np.testing.assert_allclose(weights[:, 5, 7], expected, atol=1e-4)
    np.testing.assert_allclose(weights[:, 0, 0], alpha[:, 0, 0], atol=1e-4)


def test_sizes_of_the_kernels_are_those_asked_for():
    gate = AttentionGate(2, sizes=(1, 7), rngs=nnx.Rngs(1))
    assert [kernel.shape for kernel in gate.skip.kernels] == [(1, 1, 2), (7, 7, 2)]
    alpha = gate.attention(X[..., :2], G[..., :2])
    assert alpha.shape == (2, 6, 8)
