import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special
from scipy.spatial.transform import Rotation

from srd_jax.synthetic.surfaces import levels, names, orientations, rotations

errors = jax.jit(orientations.errors, static_argnums=2)
equivalents = jax.jit(orientations.equivalents, static_argnums=1)
harmonics = jax.jit(orientations.harmonics)
zone = jax.jit(orientations.zone)


def drawn(count, seed=0):
    return jnp.float32(Rotation.random(count, random_state=seed).as_matrix())


@pytest.mark.parametrize("kind", names.KINDS)
def test_symmetries_leave_the_level_set_function_as_it_is_up_to_a_translation(kind):
    found = orientations.symmetry(kind)
    group = Rotation.create_group("O" if kind in names.CUBIC else "D6").as_matrix()
    apart = np.abs(found[:, None] - group[None]).max(axis=(2, 3))
    assert len(found) == len(group) and (apart.min(axis=1) < 1e-6).all()
    assert len(set(apart.argmin(axis=1))) == len(group)
    at = np.random.default_rng(0).uniform(-1, 1, (60, 3))
    quarters = np.stack(np.meshgrid(*[np.arange(4) / 4] * 3, indexing="ij"), -1).reshape(-1, 3)
    if kind == "L":  # half of the hexagonal height, or nothing
        quarters = np.array([[0, 0, 0], [0, 0, np.sqrt(2 / 3)]])
    for one in found:
        moved = at @ one.T + quarters[:, None]
        apart = np.abs(levels.values(kind, moved) - levels.values(kind, at)).max(axis=1)
        assert apart.min() < 1e-5


def test_harmonics_are_those_of_degree_four():
    some = np.asarray(drawn(4), np.float64)
    found = np.asarray(harmonics(jnp.float32(some)))
    x, y, z = some[:, 0], some[:, 1], some[:, 2]
    polar, azimuth = np.arccos(z), np.arctan2(y, x)
    expected = []
    for order in range(-4, 5):
        # Real ones, without the phase of Condon and Shortley.
        one = (-1.0) ** order * special.sph_harm_y(4, abs(order), polar, azimuth)
        part = one.imag if order < 0 else one.real
        expected.append((part * (np.sqrt(2) if order else 1)).sum(axis=1))
    expected = np.stack(expected, axis=1)
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_harmonics_are_the_same_for_all_rotations_of_a_cube_and_tell_the_back():
    some = drawn(4)
    all_of_it = harmonics(equivalents(some, "D"))
    expected = np.asarray(harmonics(some))[:, None]
    signs = orientations.BACK_SIGNS[None, None]
    np.testing.assert_allclose(all_of_it[:, :24], expected + np.zeros((1, 24, 1)), atol=1e-5)
    np.testing.assert_allclose(
        all_of_it[:, 24:], expected * signs + np.zeros((1, 24, 1)), atol=1e-5
    )


def test_errors_are_those_of_the_nearest_equivalent():
    true = drawn(12)
    rng = np.random.default_rng(1)
    for kind, count in (("D", 48), ("L", 24)):
        all_of_it = np.asarray(equivalents(true, kind))
        assert all_of_it.shape == (12, count, 3, 3)
        one = all_of_it[np.arange(12), rng.integers(0, count, 12)]
        # First tilted about an axis in the picture, then turned in it.
        tilted = Rotation.from_rotvec([0.06, 0.08, 0.0]).as_matrix()
        found = jnp.float32(Rotation.from_euler("z", 0.03).as_matrix() @ tilted @ one)
        angle, tilt, in_plane = errors(found, true, kind)
        # cos(angle / 2) of a rotation is the product of those of swing and twist.
        expected = 2 * np.arccos(np.cos(0.05) * np.cos(0.015))
        np.testing.assert_allclose(angle, np.full(12, expected), atol=1e-4)
        # A mirror image of the axis may be nearer.
        assert (tilt < 0.1001).all() and np.median(tilt) > 0.0999
        if kind == "D":
            axes = [np.asarray(zone(some)) for some in (found, true)]
            expected = np.arccos(np.minimum((axes[0] * axes[1]).sum(axis=1), 1))
            np.testing.assert_allclose(tilt, expected, atol=3e-4)
        np.testing.assert_allclose(in_plane, np.full(12, 0.03), atol=1e-4)


def test_the_axis_of_a_mirrored_picture_is_no_other():
    true = drawn(12)
    mirrored = jnp.float32(orientations.MIRROR @ np.asarray(true))
    _, tilt, _ = errors(mirrored, true, "D")
    np.testing.assert_allclose(tilt, np.zeros(12), atol=1e-3)


def test_zones_lie_in_the_triangle():
    for hkl, expected in (
        ((0, -1, 1), (1, 0, 1)),
        ((-1, 3, 2), (2, 1, 3)),
        ((1, -1, -1), (1, 1, 1)),
        ((0, 5, 0), (0, 0, 1)),
    ):
        found = zone(rotations.from_hkl(jnp.array(hkl, jnp.float32)))
        np.testing.assert_allclose(found, expected / np.linalg.norm(expected), atol=1e-6)
