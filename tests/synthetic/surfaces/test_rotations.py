import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from srd_jax.synthetic.surfaces import rotations

from_vector = jax.jit(rotations.from_vector)
from_hkl = jax.jit(rotations.from_hkl)
turned = jax.jit(rotations.turned)


def drawn(count, seed=0):
    return Rotation.random(count, random_state=seed)


def test_vectors_and_quaternions_give_the_rotations_of_scipy():
    some = drawn(20)
    vectors = some.as_rotvec().astype(np.float32)
    np.testing.assert_allclose(from_vector(vectors), some.as_matrix(), atol=1e-5)
    # SciPy's scalar comes last; the length doesn't count.
    quaternions = 3 * np.roll(some.as_quat(), 1, axis=1).astype(np.float32)
    found = jax.jit(rotations.from_quaternion)(quaternions)
    np.testing.assert_allclose(found, some.as_matrix(), atol=1e-5)


def test_vectors_are_smooth_at_zero():
    assert np.array_equal(from_vector(jnp.zeros(3)), np.eye(3))
    slopes = jax.jit(jax.jacfwd(rotations.from_vector))(jnp.zeros(3))
    assert np.array_equal(slopes[:, :, 2], [[0, -1, 0], [1, 0, 0], [0, 0, 0]])
    tiny = Rotation.from_rotvec([8e-4, 0, -5e-4]).as_matrix()
    np.testing.assert_allclose(from_vector(jnp.array([8e-4, 0, -5e-4])), tiny, atol=1e-7)


def test_six_numbers_give_the_rotation_whose_rows_they_are():
    some = drawn(5).as_matrix().astype(np.float32)
    # The second vector needs neither its length nor to be at right angles.
    six = np.concatenate([2 * some[:, 0], 0.5 * some[:, 1] + some[:, 0]], axis=1)
    np.testing.assert_allclose(jax.jit(rotations.from_six)(six), some, atol=1e-5)


def test_uniform_rotations_take_directions_everywhere():
    draw = jax.jit(rotations.uniform, static_argnums=1)
    found = np.asarray(draw(jax.random.key(0), (4000,)))
    np.testing.assert_allclose(np.linalg.det(found), np.ones(4000), atol=1e-5)
    # A component of a uniform direction is uniform between -1 and 1, by Archimedes.
    np.testing.assert_allclose(found.mean(axis=0), np.zeros((3, 3)), atol=0.04)
    np.testing.assert_allclose((found**2).mean(axis=0), np.full((3, 3), 1 / 3), atol=0.02)
    # The angle of uniform rotations has the density (1 - cos t) / π.
    angles = Rotation.from_matrix(found).magnitude()
    assert angles.mean() == pytest.approx(np.pi / 2 + 2 / np.pi, abs=0.03)


def test_angles_between_rotations_are_those_of_scipy():
    first, second = drawn(30), drawn(30, 1)
    found = rotations.angle_between(jnp.float32(first.as_matrix()), jnp.float32(second.as_matrix()))
    np.testing.assert_allclose(found, (first * second.inv()).magnitude(), atol=2e-3)
    small = from_vector(jnp.array([3e-4, 0, 0]))
    assert rotations.angle_between(small, jnp.eye(3)) == pytest.approx(3e-4, rel=1e-3)


@pytest.mark.parametrize("hkl", [(0, 0, 1), (1, 1, 0), (1, 1, 1), (-1, 2, 3), (0.3, -1.2, 0.5)])
def test_the_normal_of_the_slab_is_hkl_and_the_axes_are_turned_by_polar_angle_and_azimuth(hkl):
    normal = np.array(hkl) / np.linalg.norm(hkl)
    polar, azimuth = np.arccos(normal[2]), np.arctan2(hkl[1], hkl[0])
    axes = (Rotation.from_euler("z", azimuth) * Rotation.from_euler("y", polar)).as_matrix()
    found = np.asarray(from_hkl(jnp.array(hkl, jnp.float32)))
    np.testing.assert_allclose(found, axes.T, atol=1e-6)
    np.testing.assert_allclose(found[2], normal, atol=1e-6)


def test_turned_pictures_turn_counter_clockwise_as_seen():
    some = jnp.float32(drawn(3).as_matrix())
    quarter = np.asarray(turned(some, np.pi / 2))
    # Rightwards becomes upwards, and y points down.
    np.testing.assert_allclose(quarter[:, 1], -some[:, 0], atol=1e-6)
    np.testing.assert_allclose(quarter[:, 0], some[:, 1], atol=1e-6)
    by = jnp.array([0.3, -1.0, 2.5])
    relative = turned(some, by) @ jnp.swapaxes(some, 1, 2)
    np.testing.assert_allclose(rotations.twist(relative), by, atol=1e-5)
    hkl = jnp.array([1.0, 2.0, 3.0])
    found = from_hkl(hkl, 0.7)
    np.testing.assert_allclose(found, turned(from_hkl(hkl), 0.7), atol=1e-6)
    assert jax.jit(rotations.in_plane)(found) == pytest.approx(0.7, abs=1e-5)
