"""Rotates the crop of a granum."""

import numpy as np
from scipy import ndimage

from srd_jax.imaging.masks import extend, slices, tight_box


def rotate(image: np.ndarray, mask: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Rotates a crop counter-clockwise, as one sees it with rows downwards, and crops it tightly.

    Grey values are interpolated by a cubic spline and clipped to the granum's own range. The mask
    is interpolated linearly, its border halfway between pixels inside and outside. Multiples of 360
    degrees change no value.

    Args:
      image: (rows, columns), grey value 0..1; values outside of the mask don't matter.
      mask: bool (rows, columns), True inside of the granum.
      degrees: angle of the rotation.

    Returns:
      The image, float32 and 0 outside of the mask, and the mask, both cropped tightly to the mask.

    Raises:
      InputError: nothing is inside of the mask, before or after the rotation.
    """
    box = tight_box(mask)
    if degrees % 360:
        # Each pixel outside takes the nearest grey value inside, so that the spline doesn't mix the
        # granum's border with its surroundings.
        extended = extend(np.asarray(image, np.float64), mask)
        turned = ndimage.rotate(extended, degrees, order=3, mode="nearest")
        image = np.clip(turned, extended.min(), extended.max())
        mask = ndimage.rotate(mask.astype(np.float64), degrees, order=1, mode="grid-constant") > 0.5
        box = tight_box(mask)
    part = slices(box)
    return np.where(mask[part], image[part], 0).astype(np.float32), mask[part].copy()
