import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from srd_jax.synthetic.surfaces import fractions, levels, names

# Counted on fine grids by another program.
COUNTED = {
    "G": {0.0: 0.5, 0.2: 0.436, 0.4: 0.371, 0.6: 0.305, 0.8: 0.239, 1.0: 0.170, 1.2: 0.099},
    "D": {0.0: 0.5, 0.2: 0.384, 0.4: 0.268, 0.6: 0.147, 0.8: 0.041},
    "P": {0.0: 0.5, 0.2: 0.443, 0.4: 0.386, 0.6: 0.329, 0.8: 0.271, 1.0: 0.213},
    "I-WP": {0.0: 0.531},
}


@pytest.mark.parametrize("kind", COUNTED)
def test_fractions_of_the_literature(kind):
    found = fractions.fraction_of_level(kind, jnp.array(list(COUNTED[kind])))
    np.testing.assert_allclose(found, list(COUNTED[kind].values()), atol=0.0015)


@pytest.mark.parametrize("kind", names.KINDS)
def test_levels_split_random_places_by_their_fraction(kind):
    fraction = np.array([0.05, 0.2, 0.5, 0.8, 0.95], np.float32)
    found = np.asarray(fractions.level_of_fraction(kind, fraction))
    # Of so many cells that their own border doesn't count.
    at = np.random.default_rng(0).uniform(-300, 300, (200_000, 3))
    counted = (levels.values(kind, at)[:, None] > found[None, :]).mean(axis=0)
    np.testing.assert_allclose(counted, fraction, atol=0.004)
    np.testing.assert_allclose(fractions.fraction_of_level(kind, found), fraction, atol=2e-4)


def test_derivatives_are_those_of_the_functions():
    there = jax.jit(functools.partial(fractions.level_of_fraction, "G"))
    back = functools.partial(fractions.fraction_of_level, "G")
    at = np.array([0.1234, 0.31, 0.5, 0.77], np.float32)
    found = jax.jit(jax.vmap(jax.grad(there)))(at)
    np.testing.assert_allclose(found, (there(at + 0.004) - there(at - 0.004)) / 0.008, rtol=0.02)
    inverse = jax.jit(jax.vmap(jax.grad(back)))(there(at))
    np.testing.assert_allclose(found * inverse, np.ones(4), rtol=0.03)


def test_fractions_out_of_range_are_taken_for_the_nearest():
    low, high = fractions.level_limits("P")
    assert (low, high) == pytest.approx((-3, 3), abs=0.02)
    found = fractions.level_of_fraction("P", jnp.array([-1.0, 2.0]))
    np.testing.assert_allclose(found, [high, low], rtol=1e-6)
