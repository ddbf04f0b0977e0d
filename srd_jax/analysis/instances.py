"""Cuts the maps of a micrograph into grana."""

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from skimage.measure import regionprops
from skimage.morphology import local_maxima, reconstruction
from skimage.segmentation import watershed

from srd_jax.analysis.maps import Maps

THRESHOLD = 0.5
# Smaller specks are dropped: about two periods along and across, nm², or px² of the maps.
_LEAST_NM2, _LEAST_PX2 = 2500.0, 20
# A valley of the distance separates two grana if it lies so much below both summits, a share of the
# lower one, and the sd of the noise that is smoothed away first, px.
_VALLEY, _SMOOTH = 0.35, 1.0
# Steps of the distance's logarithm, per octave.
_STEPS = 64


class Instances(NamedTuple):
    """Grana on the grid of the maps.

    Attributes:
      labels: (r, c) int32, from 1 in reading order of their centres; 0 for none.
      detection: (n,) mean probability of their pixels.
    """

    labels: np.ndarray
    detection: np.ndarray


def instances(
    maps: Maps, threshold: float = THRESHOLD, px_per_nm: float | None = None
) -> Instances:
    """Returns the grana of a micrograph.

    Pixels above the threshold are flooded from the summits of the distance to the outline; summits
    that no deep valley separates are one granum, as in a long or bent one.

    Args:
      maps: of the micrograph.
      threshold: least probability.
      px_per_nm: scale of the micrograph; None where it isn't known.
    """
    found = np.asarray(maps.probability >= threshold)
    if not found.any():
        return Instances(np.zeros(found.shape, np.int32), np.zeros(0))
    found = ndimage.binary_fill_holes(ndimage.binary_opening(found, iterations=1) & found)
    assert found is not None
    distance = ndimage.gaussian_filter(np.asarray(maps.distance, np.float32), _SMOOTH)
    labels = watershed(-distance, _markers(distance, found), mask=found).astype(np.int32)
    least = _LEAST_PX2
    if px_per_nm is not None:
        least = max(least, _LEAST_NM2 * (px_per_nm * maps.scale) ** 2)
    kept = [one for one in regionprops(labels) if one.area >= least]
    kept.sort(key=lambda one: (one.centroid[0], one.centroid[1]))
    numbered = np.zeros_like(labels)
    for number, one in enumerate(kept, 1):
        numbered[one.slice][one.image] = number
    every = np.arange(1, len(kept) + 1)
    probability = np.asarray(maps.probability, np.float32)
    mean = ndimage.mean(probability, numbered, every) if len(kept) else np.zeros(0)
    return Instances(numbered, np.asarray(mean, np.float64))


def _markers(distance: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Returns a marker for each granum: summits of the distance that deep valleys separate."""
    inside = np.where(found, distance, 0.0)
    # In logarithms, a share of the height is a difference.
    steps = np.round(_STEPS * np.log2(np.maximum(inside, 1 / 64) * 64)).astype(np.int32)
    height = round(-_STEPS * np.log2(1 - _VALLEY))
    # Summits lowered by this height and filled up again are flat across shallower valleys.
    filled = reconstruction(np.maximum(steps - height, 0), steps).astype(np.int32)
    summits = local_maxima(filled, connectivity=2) & found
    markers, _ = ndimage.label(summits, structure=np.ones((3, 3)))
    # A part without a summit, such as a flat one, is one granum.
    parts, number = ndimage.label(found, structure=np.ones((3, 3)))
    without = np.setdiff1d(np.arange(1, number + 1), parts[markers > 0])
    rest = np.isin(parts, without)
    return np.where(rest, markers.max() + parts, markers)
