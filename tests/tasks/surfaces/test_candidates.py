import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from srd_jax.synthetic.surfaces import orientations
from srd_jax.synthetic.surfaces.names import KINDS
from srd_jax.tasks.surfaces import grid, losses, scores
from srd_jax.tasks.surfaces.candidates import candidates, kind_probability
from srd_jax.tasks.surfaces.config import GridConfig
from srd_jax.tasks.surfaces.model import Prediction
from srd_jax.tasks.surfaces.targets import Truth, target

GRID = grid.make(GridConfig(axes=24, turns=24))
SPREAD = np.radians(5.0)
NAMES = ("G", "D", "P", "I-WP", "L")


def rotations(count, seed=0):
    return jnp.asarray(Rotation.random(count, random_state=seed).as_matrix(), jnp.float32)


def exact(kind, rotation, log_cell=3.7, fraction=0.2):
    """The answer of a network that knows an orientation exactly: (T, M) leading axes."""
    return _exact(jnp.int32(kind), rotation, jnp.float32(log_cell), jnp.float32(fraction))


@jax.jit
def _exact(kind, rotation, log_cell, fraction):
    true = Truth(kind, log_cell, fraction, rotation)
    close = target(GRID, true).closeness
    turn, axis = jnp.divmod(jnp.arange(close.size), close.shape[1])
    offset = grid.offsets(GRID, true.kind, rotation, turn, axis).reshape(*close.shape, 3)
    full = jnp.ones(close.shape)
    sd = jnp.broadcast_to(jnp.log(jnp.array([0.02, 0.03, 0.01, 0.05])), (*close.shape, 4))
    return Prediction((close - 1) / SPREAD**2, log_cell * full, fraction * full, offset, sd)


def mixed(first, second, share):
    """The answer that holds the first with a share, and else the second, at the second's cells."""
    p = [jax.nn.softmax(one.logit.reshape(-1)).reshape(one.logit.shape) for one in (first, second)]
    mine = share * p[0] > (1 - share) * p[1]

    def chosen(a, b):
        return jnp.where(mine.reshape(*mine.shape, *[1] * (a.ndim - mine.ndim)), a, b)

    found = jax.tree.map(chosen, first, second)
    return found.replace(logit=jnp.log(share * p[0] + (1 - share) * p[1] + 1e-30))


def batch(*found):
    return jax.tree.map(lambda *x: np.stack(x), *found)


def best_of(*found):
    """The best candidates of up to 6 answers, filled up to 6, so that one program serves all."""
    best = _best(batch(*found, *[found[0]] * (6 - len(found))))
    return jax.tree.map(lambda x: x[: len(found)], best)


_best = jax.jit(lambda found: candidates(found, GRID, 3))


def test_a_known_orientation_is_recovered_of_each_kind():
    turned = rotations(5)
    found = [exact(kind, turned[kind]) for kind in range(5)]
    best = best_of(*found)
    assert np.asarray(best.kind)[:, 0].tolist() == list(range(5))
    np.testing.assert_allclose(best.weight[:, 0], 1, atol=1e-3)
    np.testing.assert_allclose(best.log_cell[:, 0], 3.7, atol=1e-4)
    np.testing.assert_allclose(best.fraction[:, 0], 0.2, atol=1e-4)
    np.testing.assert_allclose(best.sd[:, 0], np.tile([0.02, 0.03, 0.01, 0.05], (5, 1)), rtol=0.01)
    for kind, name in enumerate(NAMES):
        angle, axis, turn = orientations.errors(best.rotation[kind, 0], turned[kind], name)
        assert np.degrees([angle, axis, turn]).max() < 0.1
    kinds = jax.jit(lambda found: kind_probability(found, GRID))(batch(*found))
    np.testing.assert_allclose(kinds, np.eye(5), atol=1e-4)


def test_two_possible_answers_are_two_candidates_by_their_probability():
    one, two = rotations(2, seed=4)
    first = exact(1, one, log_cell=3.7, fraction=0.2)
    others = (exact(1, two, 3.9, 0.4), exact(4, two, 3.5, 0.6))
    for second, kind in zip(others, (1, 4), strict=True):
        best = best_of(mixed(first, second, 0.7))
        assert np.asarray(best.kind)[0, :2].tolist() == [1, kind]
        np.testing.assert_allclose(best.weight[0], [0.7, 0.3, 0], atol=0.02)
        assert float(best.log_cell[0, 1]) == pytest.approx(float(second.log_cell[0, 0]), abs=0.01)
        angle = orientations.errors(best.rotation[0, 1], two, KINDS[kind])[0]
        assert np.degrees(angle) < 1


@jax.jit
def _shares(rotation):
    true = Truth(jnp.int32(1), jnp.float32(0), jnp.float32(0), rotation)
    return losses.shares(target(GRID, true).closeness, SPREAD)


def test_disagreement_of_cells_adds_to_the_sd():
    rotation = rotations(1, seed=2)[0]
    found = exact(1, rotation)
    share = np.asarray(_shares(rotation))
    noise = np.random.default_rng(0).normal(size=share.shape).astype(np.float32)
    best = best_of(found.replace(log_cell=3.7 + 0.1 * noise))
    mean = (share * noise).sum()
    spread = (share * (noise - mean) ** 2).sum()
    assert float(best.log_cell[0, 0]) == pytest.approx(float(3.7 + 0.1 * mean), abs=3e-3)
    assert float(best.sd[0, 0, 0]) == pytest.approx(
        float(np.sqrt(0.02**2 + 0.01 * spread)), rel=0.05
    )


def test_distances_to_the_truth_are_those_of_the_orientations():
    turned, true = rotations(6, seed=1), rotations(6, seed=9)
    found = best_of(*(exact(1, one) for one in turned))
    truth = Truth(jnp.full(6, 1), jnp.zeros(6), jnp.zeros(6), true)
    away, axis = jax.jit(scores.away_of)(found, truth)
    angle, expected, _ = jax.jit(orientations.errors)(found.rotation[:, 0], true)
    np.testing.assert_allclose(np.linalg.norm(away[:, 0], axis=-1), angle, atol=1e-3)
    np.testing.assert_allclose(axis[:, 0], expected, atol=1e-4)
