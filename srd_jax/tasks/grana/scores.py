"""Computes scores of the maps over the pixels of a whole set, on the host."""

import math

import numpy as np

from srd_jax.support.errors import InputError
from srd_jax.training.task import Score

IOU = Score("iou", "IoU", best="max")
LOSS = Score("loss", "loss")

# From which a threshold of the probability is chosen.
THRESHOLDS = np.arange(5, 96) / 100
# Outlines lie where the probability reaches the threshold. Far from 0.5 they are too wide or too
# narrow, which the IoU hides, as `care` leaves borders out. So it may be below the best by a share.
_NEARLY_BEST = 0.9


def granum_scores(
    probability: np.ndarray, granum: np.ndarray, care: np.ndarray, threshold: float = 0.5
) -> dict[str, float]:
    """Returns IoU, precision and recall of granum or not, 0..1.

    All pixels of the set count alike. Where nothing is true and nothing found, a score is 1.

    Args:
      probability: any shape.
      granum: bool, of the same shape.
      care: bool, of the same shape; other pixels don't count.
      threshold: a pixel is found if its probability is at least this.
    """
    found, true = (probability >= threshold) & care, granum & care
    hit = int(np.count_nonzero(found & true))
    found_px, true_px = int(np.count_nonzero(found)), int(np.count_nonzero(true))
    return {
        "iou": _share(hit, found_px + true_px - hit),
        "precision": _share(hit, found_px),
        "recall": _share(hit, true_px),
    }


def best_threshold(probability: np.ndarray, granum: np.ndarray, care: np.ndarray) -> float:
    """Returns the threshold nearest to 0.5 of those with nearly the best IoU over a whole set.

    Args:
      probability, granum, care: see `granum_scores`.

    Raises:
      InputError: no pixel that counts is granum.
    """
    if not (granum & care).any():
        raise InputError("no granum in the validation tiles; accepted: tiles with grana")
    values, true = probability[care], granum[care]
    edges = np.append(THRESHOLDS, np.inf)
    # Pixels at or above each threshold, from the counts between them.
    hits, all_found = (
        np.histogram(chosen, edges)[0][::-1].cumsum()[::-1] for chosen in (values[true], values)
    )
    iou = hits / (all_found + np.count_nonzero(true) - hits)
    good = THRESHOLDS[iou >= _NEARLY_BEST * iou.max()]
    return float(good[np.abs(good - 0.5).argmin()])


def direction_error(
    cosine: np.ndarray, sine: np.ndarray, true_cosine: np.ndarray, true_sine: np.ndarray
) -> np.ndarray:
    """Returns the angle between directions, degrees, 0..90, from vectors of twice their angles.

    Args:
      cosine, sine: found; of any length above 0.
      true_cosine, true_sine: true, as they are.
    """
    # Angle of the product with the conjugate: precise for small errors, unlike the arccosine.
    across = sine * true_cosine - cosine * true_sine
    along = cosine * true_cosine + sine * true_sine
    return np.degrees(np.abs(np.arctan2(across, along))) / 2


def median(values: np.ndarray) -> float:
    """Returns the median, NaN of nothing."""
    return float(np.median(values)) if values.size else math.nan


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
