"""Cuts grana out of a micrograph and turns them, as a person does by hand."""

import dataclasses

import numpy as np

from srd_jax.imaging.crop import Crop, grey_values
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.orientation import rotate
from srd_jax.imaging.picture import Picture


def cut(micrograph: Micrograph, mask: np.ndarray, box: tuple[slice, slice]) -> Crop:
    """Returns the crop of a granum, not turned; grey values are those of `crop.read_crop`.

    Args:
      micrograph: that shows it.
      mask: bool, pixels of the granum in its bounding box.
      box: rows and columns of this box.

    Raises:
      InputError: its grey values can't be measured.
    """
    samples = micrograph.grey[box][..., None]
    # Of more bits, cameras use a part, which the granum's own values tell.
    white = 255.0 if samples.dtype == np.uint8 else None
    grey = grey_values(Picture(samples, opaque=None, full_scale=white), mask)
    return Crop(grey, mask, micrograph.px_per_nm, micrograph.source)


def turned(crop: Crop, direction_deg: float) -> Crop:
    """Returns a crop turned so that lamellae of a direction, degrees, run horizontally."""
    degrees = (direction_deg + 90) % 180 - 90
    image, mask = rotate(crop.image, crop.mask, -degrees)
    return dataclasses.replace(crop, image=image, mask=mask)
