import numpy as np

from srd_jax.imaging.picture import blue_outside, to_bytes


def test_grey_values_become_the_nearest_whole_levels():
    levels = np.arange(256, dtype=np.uint8)
    for kind in (np.float32, np.float64):
        found = to_bytes((levels / 255).astype(kind))
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, levels)
    np.testing.assert_array_equal(to_bytes(np.array([0.4, 0.6]) / 255), [0, 1])


def test_pixels_outside_of_the_mask_are_pure_blue():
    grey, mask = np.array([[7, 9]], np.uint8), np.array([[True, False]])
    rgb = blue_outside(grey, mask)
    assert rgb.dtype == np.uint8
    assert rgb.tolist() == [[[7, 7, 7], [0, 0, 255]]]
