"""Test-time augmentation: measures the period of a crop from several views of it."""

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np

from srd_jax.imaging.crop import Crop
from srd_jax.imaging.masks import check_lamellae, slices
from srd_jax.imaging.preparation import FRAME, Prepared, prepare_windows
from srd_jax.measuring.estimator import Estimator
from srd_jax.measuring.measurement import Measurement, Method, grey_and_mask

# Steps through the rows and columns of a frame; a flip doesn't change the period.
_FLIPS = ((1, 1), (-1, 1), (1, -1), (-1, -1))


class Augmented(Method[tuple[Prepared, ...]]):
    """Measures each crop by an estimator in several views: the four flips of each window of rows.

    A measurement has attention, box and scale of the middle window without a flip, the view that
    the estimator alone measures.
    """

    def __init__(self, estimator: Estimator):
        """Takes an estimator from `estimator.load`."""
        self.estimator = estimator
        self.batch_size = estimator.batch_size
        self.geometry = estimator.geometry

    def prepare(self, image: np.ndarray | Crop) -> tuple[Prepared, ...]:
        """Brings the windows of one crop into the frame; see `preparation.prepare_windows`.

        Raises:
          InputError: one of them cannot be measured.
        """
        grey, mask = grey_and_mask(image)
        windows = prepare_windows(grey, mask, FRAME)
        for window in windows:
            part = slices(window.box)
            check_lamellae(grey[part], mask[part])
        return windows

    def measure(
        self, prepared: Sequence[tuple[Prepared, ...]], with_attention: bool = False
    ) -> list[Measurement]:
        """Measures all views of prepared crops in the estimator's batches, and combines them.

        Raises:
          InputError: the device has no memory for so large a batch.
        """
        views = [view for windows in prepared for window in windows for view in flips(window)]
        measured = iter(self.estimator.measure(views, with_attention))
        return [
            combine(
                list(itertools.islice(measured, len(windows) * len(_FLIPS))),
                shown=len(windows) // 2 * len(_FLIPS),
            )
            for windows in prepared
        ]


def flips(window: Prepared) -> list[Prepared]:
    """Returns a frame unchanged, and with its rows, its columns and both flipped."""
    return [
        dataclasses.replace(window, image=window.image[::rows, ::columns])
        for rows, columns in _FLIPS
    ]


def combine(views: Sequence[Measurement], shown: int = 0) -> Measurement:
    """Combines the measurements of a crop's views into one.

    The period is the mean of the views' periods, weighted by the inverse variances, or without
    weights where the network gives no sd. The variance is the weighted mean of the views' variances
    plus the weighted variance of their periods; docs/methods.md, "Test-time augmentation", has the
    reasons.

    Args:
      views: measurements of one crop, lengths in px of the crop, all with an sd or all without.
      shown: index of the view whose attention, scale and box are kept.
    """
    kept = views[shown]
    period = np.array([view.period_px for view in views])
    if kept.sd_px is None:
        return dataclasses.replace(kept, period_px=float(period.mean()))
    variance = np.square(np.array([view.sd_px for view in views], np.float64))
    # A network may answer with improper numbers. Then this is NaN, which is reported as an error.
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = 1 / variance
        mean = np.average(period, weights=weights)
        total = np.average(variance + np.square(period - mean), weights=weights)
    return dataclasses.replace(kept, period_px=float(mean), sd_px=float(np.sqrt(total)))
