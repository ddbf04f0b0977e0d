"""Convolution, bias, ReLU and max-pool with fast gradients.

The plain operations have the same values and gradients. XLA differentiates a convolution and a bias
into sums that its CPU back end computes slowly; the rules here state the same sums in forms that it
computes fast. Other platforms use the plain gradients of these two, but for images of one channel.
Images are (B, rows, columns, channels), kernels (rows, columns, in, out).
"""

import functools
import itertools
import operator

import jax
import jax.numpy as jnp
from jax import lax

_IMAGE_LAYOUT = ("NHWC", "HWIO", "NHWC")


def _valid(image: jax.Array, kernel: jax.Array) -> jax.Array:
    return lax.conv_general_dilated(image, kernel, (1, 1), "VALID", dimension_numbers=_IMAGE_LAYOUT)


@jax.custom_vjp
def convolve(image: jax.Array, kernel: jax.Array) -> jax.Array:
    """Returns the VALID convolution, (B, rows − k + 1, columns − k + 1, out)."""
    if image.shape[3] > 1:
        return _valid(image, kernel)
    return lax.platform_dependent(image, kernel, cpu=_valid, default=_shifted)


def _convolve_forward(image, kernel):
    return convolve(image, kernel), (image, kernel)


def _convolve_backward(residuals, cotangent):
    one_channel = residuals[0].shape[3] == 1
    return lax.platform_dependent(
        *residuals,
        cotangent,
        cpu=_canonical_gradient,
        default=_shifted_gradient if one_channel else _plain_gradient,
    )


def _plain_gradient(image, kernel, cotangent):
    return jax.vjp(_valid, image, kernel)[1](cotangent)


def _shifted(image: jax.Array, kernel: jax.Array) -> jax.Array:
    """Returns the convolution of one channel as a sum over shifts of the image.

    Accelerators' convolutions pad one channel to many; this sum costs what its result costs to
    write, and ends with the bias and the ReLU after it.
    """
    wide, weights = image.astype(jnp.float32), kernel.astype(jnp.float32)
    terms = (
        shift * weights[i, j, 0][None, None, None, :]
        for (i, j), shift in _shifts(wide, kernel.shape)
    )
    return functools.reduce(operator.add, terms).astype(image.dtype)


def _shifted_gradient(image, kernel, cotangent):
    shifts = _shifts(image.astype(jnp.float32), kernel.shape)
    wide = cotangent.astype(jnp.float32)
    # XLA fuses two of these sums; all in one reduction, it would store every product.
    sums = [(shift * wide).sum((0, 1, 2)) for _, shift in shifts]
    kernel_gradient = jnp.stack(sums).reshape(kernel.shape).astype(kernel.dtype)
    # Of the network's input, which nothing asks for; XLA leaves it out then.
    return jax.vjp(lambda x: _valid(x, kernel), image)[1](cotangent)[0], kernel_gradient


def _shifts(image: jax.Array, kernel: tuple[int, ...]):
    """Yields each position (i, j) of a kernel with the part of the image that it meets."""
    rows, columns = (image.shape[axis + 1] - kernel[axis] + 1 for axis in range(2))
    for i, j in itertools.product(range(kernel[0]), range(kernel[1])):
        yield (i, j), image[:, i : i + rows, j : j + columns]


def _canonical_gradient(image, kernel, cotangent):
    """Returns both gradients as convolutions of NHWC images with HWIO kernels.

    XLA's CPU back end computes only these fast. In the kernel's gradient, batch and input channels
    change places.
    """
    margins = [(size - 1, size - 1) for size in kernel.shape[:2]]
    image_gradient = lax.conv_general_dilated(
        cotangent,
        jnp.flip(kernel, (0, 1)).swapaxes(2, 3),
        (1, 1),
        margins,
        dimension_numbers=_IMAGE_LAYOUT,
    )
    kernel_gradient = _valid(image.transpose(3, 1, 2, 0), cotangent.transpose(1, 2, 0, 3))
    return image_gradient, kernel_gradient.transpose(1, 2, 0, 3)


convolve.defvjp(_convolve_forward, _convolve_backward)


def convolve_same(image: jax.Array, kernel: jax.Array) -> jax.Array:
    """Returns the convolution of an image with zeros around it, (B, rows, columns, out).

    Args:
      image: (B, rows, columns, in).
      kernel: (k, l, in, out), k and l odd.
    """
    if image.shape[3] > 1:
        return _convolve_same(image, kernel)
    return convolve(jnp.pad(image, ((0, 0), *_margins(kernel.shape), (0, 0))), kernel)


def kernel_gradient_same(
    image: jax.Array, cotangent: jax.Array, size: tuple[int, ...]
) -> jax.Array:
    """Returns the gradient of `convolve_same` by its kernel, (*size, in, out).

    As in `_canonical_gradient`, batch and input channels change places.
    """
    swapped, kernel = image.transpose(3, 1, 2, 0), cotangent.transpose(1, 2, 0, 3)
    return _padded(swapped, kernel, _margins(size)).transpose(1, 2, 0, 3)


def _padded(image: jax.Array, kernel: jax.Array, margins: list[tuple[int, int]]) -> jax.Array:
    return lax.conv_general_dilated(image, kernel, (1, 1), margins, dimension_numbers=_IMAGE_LAYOUT)


def _margins(size: tuple[int, ...]) -> list[tuple[int, int]]:
    """Returns the zeros around an image that keep its size under a kernel of this size."""
    return [(length // 2, length // 2) for length in size[:2]]


def _same(image: jax.Array, kernel: jax.Array) -> jax.Array:
    return _padded(image, kernel, _margins(kernel.shape))


_convolve_same = jax.custom_vjp(_same)


def _plain_gradient_same(image, kernel, cotangent):
    return jax.vjp(_same, image, kernel)[1](cotangent)


def _canonical_gradient_same(image, kernel, cotangent):
    image_gradient = _same(cotangent, jnp.flip(kernel, (0, 1)).swapaxes(2, 3))
    return image_gradient, kernel_gradient_same(image, cotangent, kernel.shape[:2])


def _convolve_same_backward(residuals, cotangent):
    return lax.platform_dependent(
        *residuals, cotangent, cpu=_canonical_gradient_same, default=_plain_gradient_same
    )


_convolve_same.defvjp(
    lambda image, kernel: (_same(image, kernel), (image, kernel)), _convolve_same_backward
)


@jax.custom_vjp
def add_bias(image: jax.Array, bias: jax.Array) -> jax.Array:
    """Returns image + bias, with a bias of one value for each channel, (channels,)."""
    return image + bias[None, None, None, :]


def _add_bias_backward(_, cotangent):
    total = lax.platform_dependent(cotangent, cpu=_sum_in_sequence, default=_plain_sum)
    return cotangent, total


def _plain_sum(cotangent):
    return cotangent.sum((0, 1, 2))


def _sum_in_sequence(cotangent):
    """Returns the sum in two steps: XLA's CPU back end is several times slower in one step."""
    rows = lax.optimization_barrier(cotangent.sum(2))
    return rows.sum((0, 1))


add_bias.defvjp(lambda image, bias: (add_bias(image, bias), None), _add_bias_backward)


@jax.custom_vjp
def relu(image: jax.Array) -> jax.Array:
    """Returns max(image, 0)."""
    return jnp.maximum(image, 0)


def _relu_forward(image):
    # The barrier keeps XLA from asking the input for its sign instead: a GPU's convolution can end
    # with this function if nothing else needs its result.
    positive = lax.optimization_barrier(relu(image))
    return positive, positive


relu.defvjp(_relu_forward, lambda positive, cotangent: (jnp.where(positive > 0, cotangent, 0),))


def max_pool(image: jax.Array, window: tuple[int, int]) -> jax.Array:
    """Returns the max-pool whose stride is its window; a remainder at the far edges is dropped.

    The gradient goes to the first of equal values in reading order, as in PyTorch.
    """
    # Columns first, so that the upper row gets the gradient of equal values.
    for axis, size in ((2, window[1]), (1, window[0])):
        count = image.shape[axis] // size
        pooled = lax.slice_in_dim(image, 0, count * size, size, axis)
        for offset in range(1, size):
            other = lax.slice_in_dim(image, offset, count * size, size, axis)
            # Slices and a select, because the gradient of reduce_window is slow on a CPU.
            pooled = jnp.where(other > pooled, other, pooled)
        image = pooled
    return image
