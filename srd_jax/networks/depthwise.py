"""Depth-wise convolution, each channel with its own kernel, as a sum over shifts of the image.

XLA's CPU back end computes grouped convolutions slowly.
"""

import functools
import itertools
import operator

import jax
import jax.numpy as jnp
from jax import lax

from srd_jax.networks.convolution import kernel_gradient_same


@jax.custom_vjp
def depthwise(image: jax.Array, kernel: jax.Array) -> jax.Array:
    """Returns the depth-wise convolution of an image with zeros around it.

    Args:
      image: (B, rows, columns, channels).
      kernel: (k, l, channels), k and l odd.

    Returns:
      (B, rows, columns, channels).
    """
    _, rows, columns, _ = image.shape
    height, width, _ = kernel.shape
    margins = ((0, 0), (height // 2, height // 2), (width // 2, width // 2), (0, 0))
    padded = jnp.pad(image, margins)
    terms = (
        padded[:, i : i + rows, j : j + columns] * kernel[i, j][None, None, None]
        for i, j in itertools.product(range(height), range(width))
    )
    return functools.reduce(operator.add, terms)


def _backward(residuals, cotangent):
    image, kernel = residuals
    # The barrier keeps XLA from computing the cotangent anew for every shift.
    image_gradient = depthwise(lax.optimization_barrier(cotangent), jnp.flip(kernel, (0, 1)))
    # Of every pair of channels, of which those of a channel with itself are needed: one convolution
    # is faster than a sum over the image for each position of the kernel.
    pairs = kernel_gradient_same(image, cotangent, kernel.shape[:2])
    return image_gradient, jnp.diagonal(pairs, axis1=2, axis2=3)


depthwise.defvjp(lambda image, kernel: (depthwise(image, kernel), (image, kernel)), _backward)
