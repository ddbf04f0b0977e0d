import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax
from jax.test_util import check_grads
from scipy.signal import correlate
from skimage.measure import block_reduce

from srd_jax.networks import convolution
from srd_jax.networks.convolution import add_bias, convolve, convolve_same, max_pool

# Batch, rows, columns, channels in, channels out, kernel rows, kernel columns.
CASES = [(2, 9, 7, 3, 4, 3, 3), (1, 6, 8, 1, 2, 3, 3), (3, 5, 5, 2, 1, 1, 1), (2, 8, 7, 2, 3, 2, 4)]


def arrays(case, seed=0):
    batch, rows, columns, inputs, outputs, *size = case
    random = np.random.default_rng(seed)
    image = random.normal(size=(batch, rows, columns, inputs))
    kernel = random.normal(size=(*size, inputs, outputs))
    shape = (batch, rows - size[0] + 1, columns - size[1] + 1, outputs)
    return image, kernel, random.normal(size=shape)


def single(*values):
    return [jnp.asarray(value, jnp.float32) for value in values]


def scipy_convolve(image, kernel):
    return np.stack(
        [
            [
                sum(
                    correlate(one[..., c], kernel[..., c, o], "valid", "direct")
                    for c in range(kernel.shape[2])
                )
                for o in range(kernel.shape[3])
            ]
            for one in image
        ]
    ).transpose(0, 2, 3, 1)


def scipy_gradients(image, kernel, cotangent):
    """The sums that define both gradients, written with SciPy's correlation."""
    of_image, of_kernel = np.zeros_like(image), np.zeros_like(kernel)
    for b in range(image.shape[0]):
        for c in range(kernel.shape[2]):
            for o in range(kernel.shape[3]):
                out = cotangent[b, ..., o]
                flipped = kernel[::-1, ::-1, c, o]
                of_image[b, ..., c] += correlate(out, flipped, "full", "direct")
                of_kernel[..., c, o] += correlate(image[b, ..., c], out, "valid", "direct")
    return of_image, of_kernel


@pytest.mark.parametrize("case", CASES)
def test_convolution_and_its_gradients_against_scipy(case):
    image, kernel, cotangent = arrays(case)
    value, gradients = jax.vjp(convolve, *single(image, kernel))
    np.testing.assert_allclose(value, scipy_convolve(image, kernel), atol=2e-5)
    for found, expected in zip(
        gradients(*single(cotangent)), scipy_gradients(image, kernel, cotangent), strict=True
    ):
        np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("case", CASES)
def test_gradients_of_all_platforms_agree(case):
    image, kernel, cotangent = single(*arrays(case, seed=1))
    canonical = jax.jit(convolution._canonical_gradient)(image, kernel, cotangent)
    plain = jax.jit(convolution._plain_gradient)(image, kernel, cotangent)
    for found, expected in zip(canonical, plain, strict=True):
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(found, expected, atol=2e-5)
    np.testing.assert_allclose(
        convolution._sum_in_sequence(cotangent), convolution._plain_sum(cotangent), atol=2e-5
    )


@pytest.mark.parametrize("size", [(3, 3), (2, 4), (1, 1)])
def test_one_channel_by_shifts_as_on_accelerators(size):
    image, kernel, cotangent = arrays((2, 9, 8, 1, 3, *size), seed=4)
    found = convolution._shifted(*single(image, kernel))
    np.testing.assert_allclose(found, scipy_convolve(image, kernel), atol=2e-5)
    gradients = convolution._shifted_gradient(*single(image, kernel, cotangent))
    for one, expected in zip(gradients, scipy_gradients(image, kernel, cotangent), strict=True):
        np.testing.assert_allclose(one, expected, atol=2e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 3)])
def test_zeros_around_an_image_against_scipy(channels, size):
    image, kernel, _ = arrays((2, 9, 8, channels, 2, *size), seed=6)
    cotangent = np.random.default_rng(7).normal(size=(2, 9, 8, 2))
    down, right = (length // 2 for length in size)
    padded = np.pad(image, ((0, 0), (down, down), (right, right), (0, 0)))
    value, gradients = jax.vjp(convolve_same, *single(image, kernel))
    np.testing.assert_allclose(value, scipy_convolve(padded, kernel), atol=2e-5)
    of_padded, of_kernel = scipy_gradients(padded, kernel, cotangent)
    found = gradients(*single(cotangent))
    np.testing.assert_allclose(
        found[0], of_padded[:, down : down + 9, right : right + 8], atol=2e-5
    )
    np.testing.assert_allclose(found[1], of_kernel, atol=2e-5)


def test_gradients_of_all_platforms_agree_with_zeros_around():
    image, kernel, _ = single(*arrays(CASES[0], seed=8))
    cotangent = jnp.asarray(np.random.default_rng(9).normal(size=(2, 9, 7, 4)), jnp.float32)
    canonical = jax.jit(convolution._canonical_gradient_same)(image, kernel, cotangent)
    plain = jax.jit(convolution._plain_gradient_same)(image, kernel, cotangent)
    for found, expected in zip(canonical, plain, strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-5)


def test_relu_and_its_gradient():
    image = jnp.asarray([-2.0, -0.0, 0.0, 1e-30, 3.0])
    value, gradient = jax.vjp(convolution.relu, image)
    np.testing.assert_array_equal(value, jax.nn.relu(image))
    (found,) = gradient(jnp.arange(1.0, 6.0))
    np.testing.assert_array_equal(found, [0, 0, 0, 4, 5])


def test_convolution_by_numerical_differentiation():
    image, kernel, _ = single(*arrays(CASES[0], seed=2))
    check_grads(convolve, (image, kernel), order=1, modes=["rev"], atol=2e-2, rtol=2e-2, eps=1e-2)


def test_bias_and_its_gradient():
    random = np.random.default_rng(3)
    image, cotangent = random.normal(size=(2, 2, 5, 7, 3))
    bias = random.normal(size=3)
    value, gradients = jax.vjp(add_bias, *single(image, bias))
    np.testing.assert_allclose(value, image + bias, atol=1e-6)
    of_image, of_bias = gradients(*single(cotangent))
    np.testing.assert_allclose(of_image, cotangent, atol=1e-6)
    np.testing.assert_allclose(of_bias, np.einsum("brcf->f", cotangent), atol=1e-5)
    check_grads(add_bias, single(image, bias), order=1, modes=["rev"], atol=2e-2, rtol=2e-2)


@pytest.mark.parametrize("window", [(2, 2), (2, 1), (1, 3), (3, 2), (1, 1)])
@pytest.mark.parametrize("frame", [(12, 6), (11, 8)])
def test_max_pool_drops_remainders(window, frame):
    image = np.random.default_rng(4).normal(size=(2, *frame, 3)).astype(np.float32)
    rows, columns = (size // w * w for size, w in zip(frame, window, strict=True))
    whole = image[:, :rows, :columns]
    expected = block_reduce(whole, (1, *window, 1), np.max)
    value, gradient = jax.vjp(functools.partial(max_pool, window=window), jnp.asarray(image))
    np.testing.assert_array_equal(value, expected)
    (found,) = gradient(jnp.ones_like(value))
    is_largest = whole == expected.repeat(window[0], 1).repeat(window[1], 2)
    np.testing.assert_array_equal(found[:, :rows, :columns], is_largest)
    assert not np.any(found[:, rows:]) and not np.any(found[:, :, columns:])


def test_gradient_of_equal_values_goes_to_the_first_in_reading_order():
    # All sixteen windows of 2x2 that hold 0 and 1 only.
    windows = np.array([[int(bit) for bit in f"{n:04b}"] for n in range(16)], np.float32)
    gradient = jax.grad(lambda image: max_pool(image, (2, 2)).sum())
    found = gradient(jnp.asarray(windows.reshape(16, 2, 2, 1))).reshape(16, 4)
    np.testing.assert_array_equal(found, np.eye(4)[windows.argmax(1)])


def test_a_block_against_the_plain_operations():
    random = np.random.default_rng(5)
    image, kernel, bias = single(
        random.normal(size=(2, 10, 8, 3)), random.normal(size=(3, 3, 3, 4)), random.normal(size=4)
    )

    def ours(image, kernel, bias):
        return max_pool(jax.nn.relu(add_bias(convolve(image, kernel), bias)), (2, 1))

    def plain(image, kernel, bias):
        layout = ("NHWC", "HWIO", "NHWC")
        features = lax.conv_general_dilated(
            image, kernel, (1, 1), "VALID", dimension_numbers=layout
        )
        features = jax.nn.relu(features + bias.reshape(1, 1, 1, -1))
        window = (1, 2, 1, 1)
        return lax.reduce_window(features, -jnp.inf, lax.max, window, window, "VALID")

    value, gradients = jax.vjp(jax.jit(ours), image, kernel, bias)
    expected, plain_gradients = jax.vjp(jax.jit(plain), image, kernel, bias)
    np.testing.assert_allclose(value, expected, atol=1e-5)
    cotangent = jnp.asarray(random.normal(size=value.shape), jnp.float32)
    for found, wanted in zip(gradients(cotangent), plain_gradients(cotangent), strict=True):
        np.testing.assert_allclose(found, wanted, atol=5e-5)


def test_bfloat16_stays_bfloat16():
    image, kernel, cotangent = (x.astype(jnp.bfloat16) for x in single(*arrays(CASES[0])))
    value, gradients = jax.vjp(convolve, image, kernel)
    assert {x.dtype for x in (value, *gradients(cotangent))} == {jnp.dtype(jnp.bfloat16)}
    value, gradients = jax.vjp(add_bias, value, jnp.ones(4, jnp.bfloat16))
    assert {x.dtype for x in (value, *gradients(cotangent))} == {jnp.dtype(jnp.bfloat16)}
