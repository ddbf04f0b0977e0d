import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize

from srd_jax.synthetic.surfaces import distance, levels


def closest(kind, place, level):
    """The distance of a place from the surface f = level, in cells, by constrained search."""

    def above(at):
        return levels.values(kind, at[None])[0] - level

    found = optimize.minimize(
        lambda at: np.sum((at - place) ** 2) * 100,
        place + 1e-3,
        constraints={"type": "eq", "fun": above},
        method="SLSQP",
        options={"ftol": 1e-12},
    )
    assert abs(above(found.x)) < 1e-6
    return np.sign(above(place)) * np.linalg.norm(found.x - place)


@pytest.mark.parametrize(
    ("kind", "level"), [("G", 0.6), ("D", 0.3), ("P", 0.6), ("I-WP", 1.0), ("L", 0.2)]
)
def test_distances_are_those_of_the_closest_points(kind, level):
    rng = np.random.default_rng(3)
    at = rng.uniform(0, 1, (4000, 3))
    values = levels.values(kind, at) - level
    at = at[np.abs(values) < 0.1 * np.ptp(values)][:40]
    true = np.array([closest(kind, place, level) for place in at])
    near = np.abs(true) < 0.06
    assert near.sum() >= 20 and np.abs(true[near]).max() > 0.03
    phases = 2 * np.pi * at[near] @ np.array(levels.level_of(kind).waves).T
    s, c = (tuple(jnp.asarray(f(phases).T, jnp.float32)) for f in (np.sin, np.cos))
    for steps, mean, most in ((0, 0.006, 0.03), (1, 1.5e-4, 1e-3), (2, 3e-5, 2e-4)):
        found = distance.signed_distance(levels.level_of(kind), s, c, jnp.float32(level), steps)
        errors = np.abs(np.asarray(found.value) / (2 * np.pi) - true[near])
        assert errors.mean() < mean and errors.max() < most, (steps, errors)


def test_distances_are_finite_and_far_where_the_gradient_vanishes():
    zero = (jnp.zeros(1),) * 3
    found = distance.signed_distance(
        levels.level_of("P"), zero, (jnp.ones(1),) * 3, jnp.float32(0.0), 2
    )
    assert np.isfinite(jax.tree.leaves(dataclasses.asdict(found))).all()
    assert found.value[0] > 0.2 * 2 * np.pi
