"""Renders stripes in the masks of crops, changed at random as crops are.

Stripes are drawn in px of the frame, in a mask rescaled to the frame, and then changed by tilt,
window and rescaling (GRANA: Bukat, Bukowicki et al. 2025, Plant Physiology kiaf212).
docs/methods.md, "Stripes in the masks of grana", says why in this order.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.imaging.preparation import FRAME
from srd_jax.networks.receptive_field import Geometry, Size
from srd_jax.support.compiling import over_images
from srd_jax.synthetic import stripes
from srd_jax.synthetic.batch import Batch
from srd_jax.tasks.period import crop_arrays
from srd_jax.tasks.period.augment import augment
from srd_jax.tasks.period.config import MaskedStripesConfig
from srd_jax.tasks.period.crop_arrays import Crops


def render(
    key: jax.Array, size: int, frame: Size, config: MaskedStripesConfig, geometry: Geometry
) -> Batch:
    """Returns stripes with noise of both kinds, not masked; the same key gives the same bits.

    Args:
      key: PRNG key.
      size: number of images.
      frame: rows and columns, px.
      config: ranges.
      geometry: of the encoder; clean rectangles are receptive fields of it.
    """
    stripes_key, sd_key, noise_key = jax.random.split(key, 3)
    drawn = stripes.render(stripes_key, size, frame, config.stripes, geometry)
    low, high = config.even_noise_sd
    sd = jax.random.uniform(sd_key, (size, 1, 1), minval=low, maxval=high)
    noise = sd / 255.0 * jax.random.normal(noise_key, drawn.image.shape)
    return dataclasses.replace(drawn, image=jnp.clip(drawn.image + noise, 0.0, 1.0))


def render_masked(
    key: jax.Array, mask: jax.Array, config: MaskedStripesConfig, geometry: Geometry
) -> Batch:
    """Returns stripes inside of masks, 0 outside, without random changes.

    Args:
      key: PRNG key.
      mask: (B, rows, columns) bool, of the frame.
      config: ranges.
      geometry: of the encoder.
    """
    size, *frame = mask.shape
    drawn = render(key, size, (frame[0], frame[1]), config, geometry)
    return dataclasses.replace(drawn, image=jnp.where(mask, drawn.image, 0.0), mask=mask)


def framed(masks: list[np.ndarray]) -> Crops:
    """Returns masks of FRAME's size on the device, as crops with placeholder images and periods."""
    return crop_arrays.pad(masks, masks, [1.0] * len(masks))


def render_augmented(
    key: jax.Array,
    masks: Crops,
    index: jax.Array,
    frame: Size,
    config: MaskedStripesConfig,
    geometry: Geometry,
) -> Batch:
    """Returns stripes inside of masks, changed at random as `augment.augment` changes crops.

    Args:
      key: PRNG key; the same key gives the same bits.
      masks: to choose from, see `framed`.
      index: (B,) int32, the mask of each image.
      frame: rows and columns of the images, px; as many rows as FRAME, and at most as many columns.
      config: ranges of stripes and changes.
      geometry: of the encoder.

    Returns:
      Images with their periods, px of the frame: the drawn periods times the vertical scale.
    """
    keys = jax.random.split(key, len(index))

    def one(place):
        mask = jax.tree.map(lambda x: x[index[place]][None], masks)
        made = _augmented(keys[place], mask, frame, config, geometry)
        return jax.tree.map(lambda x: x[0], made)

    return over_images(jax.vmap(one), jnp.arange(len(index)))


def _augmented(
    key: jax.Array, mask: Crops, frame: Size, config: MaskedStripesConfig, geometry: Geometry
) -> Batch:
    """Returns a batch of one image, in a mask of shape (1, …)."""
    stripes_key, change_key = jax.random.split(key)
    drawn = render(stripes_key, 1, frame, config, geometry)
    whole = jnp.tile(drawn.image, (1, 1, -(-FRAME[1] // frame[1])))[:, :, : FRAME[1]]
    grey = jnp.where(mask.mask, jnp.round(255.0 * whole), 0.0).astype(jnp.uint8)
    crop = dataclasses.replace(mask, image=grey, period=drawn.target)
    # The masks of high grana already have the middle rows only, so no rows are left out here.
    changes = dataclasses.replace(config.augment, max_rows=FRAME[0])
    return augment(change_key, crop, jnp.zeros(1, jnp.int32), frame, changes)
