"""Finds the direction of a granum's lamellae by the structure tensor, and rotates crops."""

import dataclasses
import math

import numpy as np
from scipy import ndimage

from srd_jax.imaging.masks import extend, slices, tight_box
from srd_jax.imaging.preparation import middle, normalised, reduced

# Sds of the Gaussian of the gradient, px of the crop; the most coherent direction of the three
# counts. Lamellae are some 9 to 36 px apart.
_SCALES = (1.5, 2.5, 4.0)

# Distance from the granum's border, in sds, from which the border doesn't change the gradient.
_MARGIN = 2.0

# The pixels beyond this distance are used alone if they are at least this share of the granum.
_LEAST_SHARE = 0.25

# Rows and columns of the part, in the middle, that is looked at in full resolution. Where it shows
# no direction, all of a larger granum is looked at, reduced to this size.
_MOST = 1200

# A less coherent direction may be the noise's: 87 % of 250 drawn grana are more coherent, and 20 %
# of 60 drawn crops without lamellae.
_LEAST_COHERENCE = 0.2


@dataclasses.dataclass(frozen=True)
class Orientation:
    """Direction of the lamellae of a crop.

    Attributes:
      degrees: counter-clockwise from the horizontal, as one sees the image; -90 <= degrees < 90.
      coherence: from 0 (all directions alike) to 1 (a single one).
    """

    degrees: float
    coherence: float


def tilt(image: np.ndarray, mask: np.ndarray) -> float | None:
    """Returns the direction of a crop's lamellae, degrees, or None where it isn't clear.

    Args:
      image, mask: see `orientation`.

    Raises:
      InputError: nothing is inside of the mask.
    """
    found = orientation(image, mask)
    return None if found.coherence < _LEAST_COHERENCE else found.degrees


def orientation(image: np.ndarray, mask: np.ndarray) -> Orientation:
    """Returns the direction along which grey values change least.

    It is the eigenvector of the smaller eigenvalue of the structure tensor Σ ∇g ∇gᵀ over the
    granum; the coherence is (λ₁ − λ₂) / (λ₁ + λ₂) (Bigün and Granlund 1987, "Optimal orientation
    detection of linear symmetry").

    Args:
      image: (rows, columns), grey value 0..1; values outside of the mask don't matter.
      mask: bool (rows, columns), True inside of the granum.

    Raises:
      InputError: nothing is inside of the mask.
    """
    part = slices(tight_box(mask))
    grey, inside = normalised(image[part], mask[part]).astype(np.float64), mask[part]
    found = _most_coherent(*middle(grey, inside, _MOST))
    if found.coherence >= _LEAST_COHERENCE or max(inside.shape) <= _MOST:
        return found
    # At a high magnification, lamellae are far apart.
    whole = _most_coherent(*reduced(grey, inside, math.ceil(max(inside.shape) / _MOST)))
    return max(found, whole, key=lambda one: one.coherence)


def _most_coherent(grey: np.ndarray, inside: np.ndarray) -> Orientation:
    """Returns the most coherent direction of all scales; not coherent at all for an empty mask."""
    if not inside.any():
        return Orientation(0.0, 0.0)
    # One more pixel, so that a granum that fills its crop has an outside, too.
    grey, inside = np.pad(grey, 1), np.pad(inside, 1)
    # Pixels outside take the nearest grey value inside, so that the border has no gradient.
    grey = extend(grey, inside)
    depth = np.asarray(ndimage.distance_transform_edt(inside))
    found = [_at_scale(grey, _interior(depth, scale), scale) for scale in _SCALES]
    return max(found, key=lambda one: one.coherence)


def _interior(depth: np.ndarray, scale: float) -> np.ndarray:
    """Returns which pixels count, bool: those far from the border, or all if these are too few."""
    interior = depth > _MARGIN * scale
    enough = interior.sum() >= _LEAST_SHARE * (depth > 0).sum()
    return interior if enough else depth > 0


def _at_scale(grey: np.ndarray, where: np.ndarray, scale: float) -> Orientation:
    down, right = (
        # SciPy's annotation knows a single order only.
        ndimage.gaussian_filter(grey, scale, order=order, mode="nearest")[where]  # pyright: ignore[reportArgumentType]
        for order in ((1, 0), (0, 1))
    )
    # The gradient's doubled angle, so that light to dark and dark to light are one direction.
    difference, mixed = np.sum(right**2 - down**2), 2 * np.sum(right * down)
    total = np.sum(right**2 + down**2)
    if total <= np.finfo(np.float64).eps * where.sum():  # one grey value all over
        return Orientation(0.0, 0.0)
    across = 0.5 * np.degrees(np.arctan2(mixed, difference))  # clockwise, as rows run downwards
    along = (90.0 - across + 90.0) % 180.0 - 90.0
    return Orientation(float(along), float(np.hypot(difference, mixed) / total))


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
