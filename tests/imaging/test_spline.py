import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import interpolate, ndimage
from skimage.transform import resize as scikit_resize

from srd_jax.imaging import spline
from srd_jax.imaging.spline import SUPPORT, kernel, resize, resize_matrix, rotate, shift


def random(seed, *shape):
    return np.random.default_rng(seed).random(shape, np.float32)


def test_kernel_is_the_interpolating_spline_of_one_pixel():
    place = np.linspace(-11, 11, 1000)
    one = np.zeros(81)
    one[40] = 1
    expected = interpolate.make_interp_spline(np.arange(-40, 41), one, k=3)(place)
    np.testing.assert_allclose(kernel(jnp.asarray(place)), expected, rtol=0, atol=3e-7)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((2, 5), (40, 37)),  # the smallest accepted
        ((60, 90), (119, 133)),  # both axes grow
        ((150, 140), (47, 61)),  # both shrink
        ((300, 700), (476, 476)),
        ((90, 595), (476, 476)),  # the Gaussian's radius is about to step
        ((119, 119), (119, 119)),
        ((10, 12), (3, 2)),
    ],
)
def test_resize_equals_scikit_image(source, target):
    image = random(0, *source)
    padded = np.full((source[0] + 9, source[1] + 30), 7, np.float32)
    padded[4 : 4 + source[0], 30:] = image
    rows, columns = (
        jax.jit(resize_matrix, static_argnums=(2, 3))(start, length, size, out)
        for start, length, size, out in zip((4, 30), source, padded.shape, target, strict=True)
    )
    expected = scikit_resize(image.astype(np.float64), target, order=3, clip=False)
    np.testing.assert_allclose(resize(padded, rows, columns), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("length", [100, 476, 1150])
def test_a_window_is_those_rows_of_the_whole_matrix(length):
    whole = resize_matrix(0, length, 1200, 476)
    part = resize_matrix(0, length, 1200, 110, 200, 476, longest=1200)
    np.testing.assert_array_equal(part, whole[200:310])
    # The window reads a part of the axis only, so that it alone may be there.
    first = 200 * length // 476 - SUPPORT - 5
    held = 110 * length // 476 + 2 * SUPPORT + 12
    alone = resize_matrix(-first, length, held, 110, 200, 476, longest=1200)
    begin, end = max(first, 0), min(first + held, 1200)
    np.testing.assert_array_equal(alone[:, begin - first : end - first], whole[200:310, begin:end])
    np.testing.assert_allclose(alone.sum(axis=1), 1, atol=1e-6)


def test_accelerators_get_the_same_matrix():
    column = np.random.default_rng(0).integers(-1, 12, (7, 9))  # -1 and 11 lie beside the axis
    weights = random(1, 7, 9)
    expected = np.zeros((7, 11))
    for (i, j), k in np.ndenumerate(column):
        if 0 <= k < 11:
            expected[i, k] += weights[i, j]
    for function in (spline._scattered, spline._compared):
        found = function(jnp.asarray(column), jnp.asarray(weights), padded=11)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_shift_equals_scipy():
    image = np.pad(random(1, 9, 40), ((0, 0), (25, 25)))
    amount = np.array([0, 1, -2, 0.3, -0.7, 5.9, -5.99, 2.5, 1e-3], np.float32)
    expected = [
        ndimage.shift(row.astype(np.float64), by, order=3, mode="mirror")
        for row, by in zip(image, amount, strict=True)
    ]
    move = jax.jit(shift, static_argnums=(2, 3))
    np.testing.assert_allclose(move(image, amount, 6, 1), expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(move(image.T, amount, 6, 0).T, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("degrees", "offset"), [(3, (0, 0)), (-3, (0.5, -0.3)), (10, (-0.5, 1))])
def test_rotate_equals_scipy_on_a_smooth_image(degrees, offset):
    smooth = ndimage.gaussian_filter(np.pad(random(2, 60, 80), 40), 2)
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = (np.array(smooth.shape) - 1) / 2
    expected = ndimage.affine_transform(
        smooth.astype(np.float64), turn, centre - turn @ centre + offset, order=3
    )
    turned = jax.jit(functools.partial(rotate, steepest=np.deg2rad(10)))(
        smooth, np.float32(angle), jnp.array(offset, jnp.float32)
    )
    # Both interpolate an image whose finest detail has a sd of 2 px; unturned they differ by 0.3.
    np.testing.assert_allclose(turned, expected, rtol=0, atol=1e-3)
    assert np.abs(np.asarray(turned) - smooth).max() > 0.05


def test_rotate_by_nothing_changes_no_bit():
    image = random(3, 50, 70)
    turned = jax.jit(rotate, static_argnums=3)(image, jnp.float32(0), jnp.zeros(2), 0.05)
    np.testing.assert_array_equal(turned, image)
