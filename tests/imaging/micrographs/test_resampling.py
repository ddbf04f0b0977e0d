import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import block_reduce

from srd_jax.imaging.micrographs.resampling import Resampled

RANDOM = np.random.default_rng(0).integers(0, 256, (61, 47)).astype(np.uint8)


def whole(grey, factor):
    image = Resampled(grey, factor)
    found = image.rows(np.arange(image.shape[0]))
    assert found.shape == image.shape
    assert found.dtype == np.float32
    return found


def areas(length, factor):
    """The share of each pixel in each new one, by integration over 1000 points a pixel."""
    points = (np.arange(1000 * length) + 0.5) / 1000
    new = np.floor(points * factor).astype(int)
    shares = np.zeros((new.max() + 1, length))
    np.add.at(shares, (new, points.astype(int)), 1.0)
    return shares / shares.sum(1, keepdims=True)


def test_a_whole_number_of_pixels_is_their_mean():
    np.testing.assert_allclose(
        whole(RANDOM[:60, :45], 1 / 3), block_reduce(RANDOM[:60, :45], (3, 3), np.mean), rtol=1e-5
    )


@pytest.mark.parametrize("factor", [0.4, 0.6, 0.93])
def test_other_scales_are_means_over_areas(factor):
    down, across = (areas(length, factor) for length in RANDOM.shape)
    np.testing.assert_allclose(whole(RANDOM, factor), down @ RANDOM @ across.T, atol=0.5)


def test_the_same_scale_changes_nothing():
    np.testing.assert_array_equal(whole(RANDOM, 1.0), RANDOM)


def test_a_finer_scale_keeps_waves_where_they_are():
    rows, columns = np.mgrid[:40, :50] + 0.5
    found = whole(100 + 50 * np.cos(rows / 3 + columns / 4), 2.25)
    rows, columns = (np.mgrid[: found.shape[0], : found.shape[1]] + 0.5) / 2.25
    expected = 100 + 50 * np.cos(rows / 3 + columns / 4)
    np.testing.assert_allclose(found[6:-6, 6:-6], expected[6:-6, 6:-6], atol=0.5)


def test_a_finer_scale_against_cubic_convolution_of_its_kernel():
    # Between samples, the values of an impulse are Keys' kernel.
    impulse = np.zeros((9, 9))
    impulse[4, 4] = 1.0
    found = whole(impulse, 2.0)
    assert found[8, 8] == pytest.approx(((1.5 * 0.25 - 2.5) * 0.25**2 + 1) ** 2)
    # A plane stays a plane away from the edges.
    plane = whole(np.add.outer(np.arange(9.0), 2 * np.arange(9.0)), 2.0)
    np.testing.assert_allclose(np.diff(plane[6], axis=0)[6:10], 1.0, rtol=1e-5)


def test_rows_can_be_asked_for_in_any_order():
    image = Resampled(RANDOM, 0.55)
    which = np.array([20, 3, 4])
    np.testing.assert_array_equal(image.rows(which), whole(RANDOM, 0.55)[which])


def test_more_rows_than_a_block_are_the_same():
    grey = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(700, 5)), 2)
    blocks, one_by_one = whole(grey, 0.9), Resampled(grey, 0.9)
    for row in (0, 255, 256, 257, 629):
        np.testing.assert_allclose(one_by_one.rows(np.array([row]))[0], blocks[row], rtol=1e-5)


def test_pixels_that_are_not_finite_get_the_median():
    grey = np.full((8, 8), 7.0)
    grey[2, 3], grey[5, 5] = np.nan, np.inf
    np.testing.assert_allclose(whole(grey, 0.5), 7.0)
    np.testing.assert_array_equal(whole(np.full((3, 3), np.nan), 1.0), 0.0)


@pytest.mark.parametrize("factor", [0.01, 0.7, 1.0, 3.0])
def test_a_single_pixel(factor):
    np.testing.assert_allclose(whole(np.array([[9]], np.uint8), factor), 9.0, rtol=1e-6)
