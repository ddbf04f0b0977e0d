"""Test-time augmentation: measures the period of a crop from several views of it."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from srd_jax.imaging.crop import Crop
from srd_jax.imaging.preparation import Prepared
from srd_jax.measuring.estimator import Estimator
from srd_jax.measuring.measurement import Measurement, Method, mean_of_views, of_views

# Steps through the rows and columns of a frame; a flip doesn't change the period.
_FLIPS = ((1, 1), (-1, 1), (1, -1), (-1, -1))

# Frames of one crop, scale by scale; at the finest scale, windows from top to bottom.
_Scales = tuple[tuple[Prepared, ...], ...]


class Augmented(Method[_Scales]):
    """Measures each crop by an estimator in several views: the four flips of each window of rows.

    A measurement has attention, box and scale of a view without a flip that the estimator alone
    measures, too.
    """

    def __init__(self, estimator: Estimator):
        """Takes an estimator from `estimator.load`."""
        self.estimator = estimator
        self.batch_size = estimator.batch_size
        self.geometry = estimator.geometry
        self.digest = estimator.digest

    def prepare(self, image: np.ndarray | Crop) -> _Scales:
        """Brings one crop into frames: windows of its rows, and coarser scales of the whole.

        Raises:
          InputError: one of them cannot be measured.
        """
        return self.estimator.framing.views(image)

    def preparing(self) -> Callable[[np.ndarray | Crop], _Scales]:
        """Returns `prepare` as a function that other processes can be sent, without weights."""
        return self.estimator.framing.views

    def measure(
        self, prepared: Sequence[_Scales], with_attention: bool = False
    ) -> list[Measurement]:
        """Measures all views of prepared crops in the estimator's batches, and combines them.

        Raises:
          InputError: the device has no memory for so large a batch.
        """
        frames = [
            flipped
            for scales in prepared
            for windows in scales
            for window in windows
            for flipped in flips(window)
        ]
        measured = iter(self.estimator.measure_frames(frames, with_attention))
        return [
            of_views(
                [
                    combine(
                        [next(measured) for _ in range(len(windows) * len(_FLIPS))],
                        shown=len(windows) // 2 * len(_FLIPS),
                    )
                    for windows in scales
                ]
            )
            for scales in prepared
        ]


def flips(window: Prepared) -> list[Prepared]:
    """Returns a frame unchanged, and with its rows, its columns and both flipped."""
    return [
        dataclasses.replace(window, image=window.image[::rows, ::columns])
        for rows, columns in _FLIPS
    ]


def combine(views: Sequence[Measurement], shown: int = 0) -> Measurement:
    """Combines the measurements of a crop's views at one scale, see `measurement.mean_of_views`.

    Args:
      views: measurements of one crop, lengths in px of the crop, all with an sd or all without.
      shown: index of the view whose attention, scale and box are kept.
    """
    period, sd = mean_of_views(views)
    return dataclasses.replace(views[shown], period_px=period, sd_px=sd)
