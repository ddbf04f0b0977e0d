import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from srd_jax.synthetic.surfaces.names import KINDS
from srd_jax.tasks.surfaces import grid
from srd_jax.tasks.surfaces.config import GridConfig

GRID = grid.make(GridConfig(axes=6, turns=8))
D, L = KINDS.index("D"), KINDS.index("L")


def equivalents(rotation, kind):
    """All rotations of the same picture, by SciPy's groups: 48, or 24 of lonsdaleite."""
    group = Rotation.create_group("D6" if kind == L else "O").as_matrix()
    back = np.diag([-1.0, -1.0, 1.0])
    return np.array([b @ rotation @ w for b in (np.eye(3), back) for w in group])


def angle(first, second):
    return np.arccos(np.clip((np.trace(first @ second.T) - 1) / 2, -1, 1))


@pytest.mark.parametrize("kind", [D, L])
def test_closeness_is_minimal_over_all_equivalents(kind):
    rotation = Rotation.random(random_state=kind).as_matrix()
    found = np.asarray(grid.closeness(GRID, jnp.int32(kind), jnp.asarray(rotation, jnp.float32)))
    all_of_it = equivalents(rotation, kind)
    assert len(all_of_it) == (24 if kind == L else 48)
    for turn, axis in itertools.product(range(8), range(len(GRID.kind))):
        if GRID.kind[axis] != kind:
            assert found[turn, axis] == -1
            continue
        cosine, sine = np.cos(GRID.turn[turn]), np.sin(GRID.turn[turn])
        # Counter-clockwise as seen; y points down.
        about_beam = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
        cell = about_beam @ GRID.base[axis]
        expected = min(angle(cell, one) for one in all_of_it)
        assert np.arccos(found[turn, axis]) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("kind", [D, L])
def test_offsets_lead_from_cells_to_an_equivalent(kind):
    rotation = jnp.asarray(Rotation.random(random_state=5).as_matrix(), jnp.float32)
    close = np.asarray(jax.jit(lambda r: grid.closeness(GRID, jnp.int32(kind), r))(rotation))
    turn, axis = np.divmod(np.argsort(close.ravel())[-5:], close.shape[1])
    offset = jax.jit(lambda r: grid.offsets(GRID, jnp.int32(kind), r, turn, axis))(rotation)
    np.testing.assert_allclose(
        np.linalg.norm(offset, axis=1), np.arccos(close[turn, axis]), atol=1e-3
    )
    for one in np.asarray(GRID.rotation(jnp.asarray(turn), jnp.asarray(axis), offset)):
        away = min(np.abs(one - other).max() for other in equivalents(np.asarray(rotation), kind))
        assert away < 1e-5


def test_cells_lie_near_all_orientations():
    fine = grid.make(GridConfig())
    rotations = jnp.asarray(Rotation.random(100, random_state=1).as_matrix(), jnp.float32)
    for kind in (D, L):
        nearness = jax.vmap(lambda r, kind=kind: grid.closeness(fine, jnp.int32(kind), r))
        close = jax.jit(nearness)(rotations)
        angles = np.degrees(np.arccos(np.asarray(close.max(axis=(1, 2)))))
        assert angles.max() < 8 and np.median(angles) < 5


def test_axes_are_of_all_kinds_and_bases_are_rotations():
    assert np.bincount(GRID.kind).tolist() == [6, 6, 6, 6, 12]
    product = GRID.base @ np.swapaxes(GRID.base, 1, 2)
    np.testing.assert_allclose(product, np.broadcast_to(np.eye(3), product.shape), atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(GRID.base), 1, atol=1e-6)


@pytest.mark.parametrize("size", [0.0, 1e-5, 0.3, 2.5])
def test_vectors_of_rotations(size):
    vector = size * np.array([0.6, -0.48, 0.64])
    rotation = jnp.asarray(Rotation.from_rotvec(vector).as_matrix(), jnp.float32)
    np.testing.assert_allclose(grid.vectors(rotation), vector, atol=2e-6)
