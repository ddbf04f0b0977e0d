import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from helpers.network_in_numpy import pool_loop

from srd_jax.tasks.period.model import AttentionPool


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_pool_against_loops(heads):
    random = np.random.default_rng(heads)
    features = random.normal(size=(3, 2, 5, 8))
    pool = AttentionPool(heads, 8, rngs=nnx.Rngs(heads))
    pooled, attention = pool(jnp.asarray(features))
    assert attention.shape == (3, heads, 2, 5)
    np.testing.assert_allclose(attention.sum((2, 3)), 1.0, rtol=1e-5)
    for n in range(3):
        expected = pool_loop(features[n], np.asarray(pool.queries[...], np.float64))
        np.testing.assert_allclose(pooled[n], expected[0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(attention[n], expected[1], rtol=1e-4)


def test_attention_pool_computes_in_float32_whatever_the_features():
    random = np.random.default_rng(0)
    features = jnp.asarray(random.normal(size=(2, 4, 6, 8)) * 4, jnp.bfloat16)
    pool = AttentionPool(2, 8, rngs=nnx.Rngs(0))
    for found, expected in zip(pool(features), pool(features.astype(jnp.float32)), strict=True):
        assert found.dtype == jnp.float32
        np.testing.assert_array_equal(found, expected)
    products = [
        equation
        for equation in jax.make_jaxpr(lambda x: pool(x))(features).eqns
        if equation.primitive.name == "dot_general"
    ]
    assert len(products) == 2
    for product in products:
        assert set(product.params["precision"]) == {jax.lax.Precision.HIGHEST}


def test_attention_pool_stands_large_energies():
    features = jnp.array([1e4, -1e4, 0.0]).reshape(1, 3, 1, 1)
    pool = AttentionPool(1, 1, rngs=nnx.Rngs(0))
    pool.queries[...] = jnp.full((1, 1), 10.0)
    pooled, attention = pool(features)
    np.testing.assert_array_equal(attention.reshape(-1), [1, 0, 0])
    np.testing.assert_array_equal(pooled, [[1e4]])
