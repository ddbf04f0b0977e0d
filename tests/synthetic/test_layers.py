import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from srd_jax.synthetic import layers
from srd_jax.synthetic.config import LayersConfig

pytestmark = pytest.mark.hurry

HEIGHT, WIDTH = 220.0, 500.0
STRAIGHT = LayersConfig(
    tilt=0.0, bend=(0.0, 0.0), fan=0.0, variation=(0.0, 0.0), faults=(0, 0), endings=(0, 0)
)
WHOLE = LayersConfig(tilt=3.0, bend=(0.15, 0.15), fan=0.1, variation=(0.05, 0.05), faults=(0, 0))


@functools.cache
def drawn(seed, period, kind):
    config = {"straight": STRAIGHT, "whole": WHOLE, "any": LayersConfig()}[kind]
    draw = jax.jit(
        lambda key: layers.draw_layers(
            key, jnp.float32(period), (jnp.float32(HEIGHT), jnp.float32(WIDTH)), config
        )
    )
    return draw(jax.random.key(seed))


def grid(step=1.0):
    return (
        jnp.arange(-HEIGHT / 2, HEIGHT / 2, step, dtype=jnp.float32),
        jnp.arange(-WIDTH / 2, WIDTH / 2, step, dtype=jnp.float32),
    )


def test_straight_layers_are_one_period_apart():
    found = drawn(0, 17.5, "straight")
    turns = np.asarray(layers.phase(found, *grid()), np.float64)
    np.testing.assert_allclose(np.diff(turns, axis=0), 1 / 17.5, atol=1e-5)
    np.testing.assert_allclose(np.diff(turns, axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(layers.local_period(found, *grid(7.0)), 17.5, rtol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_the_local_period_is_the_inverse_gradient_of_the_phase(seed):
    found = drawn(seed, 20.0, "whole").replace(endings=jnp.zeros((3, 4)))
    rows, columns = grid()
    turns = np.asarray(layers.phase(found, rows, columns), np.float64)
    down, right = np.gradient(turns)
    expected = 1 / np.hypot(down, right)
    local = np.asarray(layers.local_period(found, rows, columns))
    inner = np.s_[2:-2, 2:-2]
    np.testing.assert_allclose(local[inner], expected[inner], rtol=2e-3)
    assert local.std() > 0.2


@pytest.mark.parametrize("seed", range(6))
def test_the_mean_local_period_is_that_of_counted_lamellae(seed):
    """With faults and endings: lamellae are counted down each column."""
    found = drawn(seed, 16.0, "any")
    rows, columns = grid()
    turns = np.asarray(layers.phase(found, rows, columns), np.float64)
    spacing = float(rows[-1] - rows[0]) / (turns[-1] - turns[0])
    slope = np.gradient(np.asarray(layers.deflection(found, columns), np.float64))
    counted = np.mean(spacing / np.sqrt(1 + slope**2))
    # The mean of a varying period is above its harmonic mean, which counting gives.
    local = np.asarray(layers.local_period(found, rows, columns), np.float64)
    assert np.mean(1 / local) == pytest.approx(1 / counted, rel=0.01)
    assert counted <= local.mean() <= 1.03 * counted


def test_lamellae_follow_their_deflection():
    found = drawn(3, 20.0, "whole").replace(
        fan=jnp.float32(0), stretch=jnp.ones((3, 4)).at[:, 0].set(0.0), endings=jnp.zeros((3, 4))
    )
    _, columns = grid()
    path = layers.deflection(found, columns)
    turns = layers.phase(found, path, columns)
    along = np.asarray(jnp.diagonal(turns))
    np.testing.assert_allclose(along, found.start, atol=1e-4)
    assert path.max() - path.min() > 10


def test_a_fault_shifts_the_whole_stack():
    found = drawn(0, 20.0, "straight")
    found = found.replace(faults=jnp.array([[10.0, 2.0, 0.4]]), endings=jnp.zeros((0, 4)))
    turns = np.asarray(layers.phase(found, *grid()))
    np.testing.assert_allclose(turns[:, -1] - turns[:, 0], 0.4, atol=1e-4)
    np.testing.assert_allclose(layers.local_period(found, *grid(5.0)), 20.0, rtol=1e-5)


def test_an_ending_takes_one_layer_from_one_side():
    found = drawn(0, 20.0, "straight")
    found = found.replace(
        faults=jnp.zeros((0, 3)), endings=jnp.array([[0.0, -30.0, 1.0, 1.0]], jnp.float32)
    )
    turns = np.asarray(layers.phase(found, *grid()), np.float64)
    layers_seen = turns[-1] - turns[0]
    assert layers_seen[-1] - layers_seen[0] == pytest.approx(1, abs=0.03)


def test_what_is_drawn_lies_in_its_ranges():
    config = LayersConfig(faults=(1, 2), endings=(1, 3))
    draw = jax.jit(
        jax.vmap(
            lambda key: layers.draw_layers(
                key, jnp.float32(15.0), (jnp.float32(HEIGHT), jnp.float32(WIDTH)), config
            )
        )
    )
    found = draw(jax.random.split(jax.random.key(1), 500))
    assert np.abs(np.rad2deg(np.arctan(found.tilt))).max() <= 3.0
    slopes = np.sum(found.bend[..., 0] / found.bend[..., 1], axis=1) * 2 * np.pi
    assert slopes.max() <= 0.15 * (1 + 1e-5)
    assert slopes.max() > 0.13
    faults = np.count_nonzero(found.faults[..., 2], axis=1)
    endings = np.count_nonzero(found.endings[..., 3], axis=1)
    assert set(faults) == {1, 2}
    assert set(endings) == {1, 2, 3}
