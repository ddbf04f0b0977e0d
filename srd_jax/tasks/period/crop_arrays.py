"""Holds crops of grana of all sizes, padded, on the device, and finds their masks there.

A tilted crop is the crop turned about its centre, in px of the same size. A positive angle moves
its right half down.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from srd_jax.imaging.masks import MIN_LENGTH, check_shapes
from srd_jax.support.errors import InputError, naming

# Beyond every crop, px.
FAR = 2**20


@struct.dataclass
class Crops:
    """N crops with their known periods, padded at their ends to R rows and C columns.

    Attributes:
      image: (N, R, C) uint8, grey value 0..255; 0 outside of the mask.
      mask: (N, R, C) bool, True inside of the granum.
      span: (N, R, 2) int32, the mask's first column in each row and the column after its last; (0,
        0) in rows without a pixel of the mask.
      size: (N, 2) int32, rows and columns in use.
      period: (N,) float32, px of the crop.
    """

    image: jax.Array
    mask: jax.Array
    span: jax.Array
    size: jax.Array
    period: jax.Array


def pad(
    images: Sequence[np.ndarray], masks: Sequence[np.ndarray], periods: Sequence[float]
) -> Crops:
    """Returns crops on the device, their grey values rounded to 8 bits.

    Args:
      images: each (rows, columns), grey value 0..1, lamellae horizontal, cropped tightly to the
        mask; values outside of the mask don't matter.
      masks: each (rows, columns), True inside of the granum.
      periods: each in px of its crop.

    Raises:
      InputError: there are no crops, their numbers or shapes disagree, or a crop has fewer than
        2 rows or columns, an empty mask, a grey value not in 0..1 or a period not above 0.
    """
    if not images or not len(images) == len(masks) == len(periods):
        raise InputError(
            f"{len(images)} images, {len(masks)} masks and {len(periods)} periods; "
            "accepted is the same number of each, at least 1"
        )
    for place, crop in enumerate(zip(images, masks, periods, strict=True), 1):
        _check(f"crop {place} of {len(images)}", *crop)
    size = np.array([image.shape for image in images], np.int32)
    most = size.max(axis=0)
    image, mask = (np.zeros((len(size), *most), kind) for kind in (np.uint8, bool))
    for i, (rows, columns) in enumerate(size):
        mask[i, :rows, :columns] = masks[i]
        image[i, :rows, :columns] = np.where(masks[i], np.rint(255 * images[i]), 0)
    first, last = mask.argmax(axis=2), most[1] - mask[:, :, ::-1].argmax(axis=2)
    span = np.where(mask.any(axis=2, keepdims=True), np.stack([first, last], axis=2), 0)
    return Crops(
        image=jnp.asarray(image),
        mask=jnp.asarray(mask),
        span=jnp.asarray(span, jnp.int32),
        size=jnp.asarray(size),
        period=jnp.asarray(np.asarray(periods), jnp.float32),
    )


def tight_box(crop: Crops, angle: jax.Array, window: jax.Array) -> jax.Array:
    """Returns the box around the mask in a window of the tilted crop, at least 2 x 2 px.

    A row of the crop counts as filled from the first to the last pixel of its mask.

    Args:
      crop: one crop.
      angle: () float32, tilt in radians.
      window: (2, 2) int32, first row and one past the last, likewise columns, of the tilted crop;
        it holds a pixel of the mask.

    Returns:
      (2, 2) int32, as the window.
    """
    centre = _centre(crop.size)
    row = jnp.arange(crop.span.shape[0], dtype=jnp.float32)
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    # Avoids a division by 0 without changing a box: all rows are half a px or more off the limits.
    sine = jnp.where(jnp.abs(sine) < 1e-6, 1e-6, sine)
    # A little wider than the window, so that rounding loses no pixel; clipped below.
    limits = window + jnp.array([[-0.501, -0.499]]) - centre[:, None]
    across = row[:, None] - centre[0]
    columns = jnp.stack(
        [
            crop.span - jnp.array([[0.0, 1.0]]) - centre[1],
            jnp.sort((limits[:1] - cosine * across) / sine, axis=1),
            (limits[1:] + sine * across) / cosine,
        ]
    )
    first = jnp.ceil(columns[:, :, 0].max(axis=0) + centre[1])
    last = jnp.floor(columns[:, :, 1].min(axis=0) + centre[1])
    ends = jnp.stack([jnp.stack([row, first]), jnp.stack([row, last])], axis=1)
    ends = jnp.round(tilted(ends, crop.size, angle)).astype(jnp.int32)
    ends = jnp.clip(ends, window[:, :1, None], window[:, 1:, None] - 1)
    filled = (first <= last)[None, None, :]
    low = jnp.where(filled, ends, FAR).min(axis=(1, 2))
    high = jnp.where(filled, ends, -FAR).max(axis=(1, 2)) + 1
    return jnp.stack([low, jnp.maximum(high, low + MIN_LENGTH)], axis=1)


def mask_pixel(key: jax.Array, crop: Crops) -> jax.Array:
    """Draws a pixel of one crop's mask: its row and column, (2,) float32."""
    row_key, column_key = jax.random.split(key)
    ahead = jnp.cumsum(crop.span[:, 1] - crop.span[:, 0])
    row = jnp.argmax(ahead > jax.random.randint(row_key, (), 0, ahead[-1]))
    ahead = jnp.cumsum(crop.mask[row])
    column = jnp.argmax(ahead > jax.random.randint(column_key, (), 0, ahead[-1]))
    return jnp.stack([row, column]).astype(jnp.float32)


def tilted(place: jax.Array, size: jax.Array, angle: jax.Array) -> jax.Array:
    """Returns the places in the tilted crop of places of the crop, both (2, …) rows and columns."""
    centre = _centre(size).reshape(2, *[1] * (place.ndim - 1))
    row, column = place - centre
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    return jnp.stack([cosine * row + sine * column, cosine * column - sine * row]) + centre


def _check(name: str, image: np.ndarray, mask: np.ndarray, period: float) -> None:
    with naming(name):
        check_shapes(image, mask)
    if min(image.shape) < MIN_LENGTH:
        raise InputError(
            f"{name}: {image.shape[0]} x {image.shape[1]} px (rows x columns); "
            f"accepted are at least {MIN_LENGTH} x {MIN_LENGTH} px"
        )
    grey = image[mask.astype(bool)]
    if grey.size == 0:
        raise InputError(f"{name}: nothing is inside of the mask; accepted is a granum inside")
    if not (grey.min() >= 0 and grey.max() <= 1):
        raise InputError(
            f"{name}: grey values {grey.min():g} to {grey.max():g}; "
            "accepted are finite values from 0 to 1"
        )
    if not 0 < period < np.inf:
        raise InputError(f"{name}: period {period:g} px; accepted is a finite one above 0")


def _centre(size: jax.Array) -> jax.Array:
    return (size.astype(jnp.float32) - 1.0) / 2.0
