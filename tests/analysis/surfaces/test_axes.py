import jax
import jax.numpy as jnp
import numpy as np
import pytest

from srd_jax.analysis.surfaces.axes import apart, direction, view
from srd_jax.synthetic.surfaces import rotations
from srd_jax.synthetic.surfaces.orientations import BACK, equivalents, errors


@pytest.mark.parametrize("kind", ["D", "L"])
def test_equivalent_orientations_are_one_view(kind):
    rotation = rotations.uniform(jax.random.key(3))
    views = [view(np.asarray(one), kind) for one in equivalents(rotation, kind)]
    for one in views:
        np.testing.assert_allclose(one.axis, views[0].axis, atol=1e-5)
        np.testing.assert_allclose(one.in_plane_deg, views[0].in_plane_deg, atol=1e-3)
        np.testing.assert_allclose(one.direction_deg, views[0].direction_deg, atol=1e-3)


def test_a_view_renders_the_same_orientation():
    for seed in range(4):
        rotation = rotations.uniform(jax.random.key(seed))
        found = view(np.asarray(rotation), "G")
        again = rotations.from_hkl(jnp.array(found.axis), np.radians(found.in_plane_deg))
        assert errors(again, rotation)[0] < 1e-3
        x, y, z = found.axis
        assert z >= x >= abs(y)


def test_the_direction_in_the_zone_110_is_that_of_1_minus_1_0():
    # The picture's x is [1 0 -1]; turned counter-clockwise by 30°, it points up on the right.
    found = view(np.asarray(rotations.from_hkl(jnp.array([1.0, 0.0, 1.0]), np.radians(30))), "D")
    assert found.zone == "[110]"
    assert found.off_zone_deg < 0.1
    np.testing.assert_allclose(found.direction_deg, 150, atol=0.01)
    other = np.asarray(rotations.from_hkl(jnp.array([1.0, 1.0, 0.0]), 0.2))
    assert view(other, "D").zone == "[110]"


def test_an_axis_far_from_the_zones_is_stated_in_numbers():
    found = view(np.asarray(rotations.from_hkl(jnp.array([0.45, 0.2, 0.87]), 0.0)), "D")
    assert direction(found, 0.5) == "[0.45 0.20 0.87], 7° off [123]"
    assert direction(found, 30.0).count(" ") == 0


def test_the_angle_apart_is_the_least_over_equivalents():
    one, other = (rotations.uniform(jax.random.key(seed)) for seed in (5, 6))
    angle = apart(np.asarray(one), np.asarray(other), "P")
    np.testing.assert_allclose(angle, errors(one, other, "P")[0], atol=1e-4)
    assert apart(np.asarray(one), BACK @ np.asarray(one), "P") < 1e-3
