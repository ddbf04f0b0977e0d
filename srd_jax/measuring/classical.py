"""The classical methods, which measure without a network: what they have in common.

A classical method is a function of grey values and mask. It measures the mean distance of adjacent
lamellae on the whole crop, on the host, and a quality from 0 to 1 that its docstring explains.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from srd_jax.imaging.crop import Crop
from srd_jax.imaging.masks import check_lamellae, check_lengths, check_shapes, slices, tight_box
from srd_jax.imaging.preparation import normalised
from srd_jax.measuring import BATCH_SIZE
from srd_jax.measuring.measurement import (
    Measurement,
    Method,
    check_batch_size,
    grey_and_mask,
)
from srd_jax.support.errors import InputError

# Shortest period: the grain of a micrograph repeats at shorter ones.
SHORTEST_PX = 6.0

# Lower values, relative to the image's contrast or to a perfect repetition, are rounding.
NOTHING = 1e-3


class Period(NamedTuple):
    """A period in px of the crop, and its quality from 0 to 1."""

    period_px: float
    quality: float


class Classical(Method[Measurement]):
    """Measures each crop by a function."""

    def __init__(
        self,
        period: Callable[[ArrayLike, ArrayLike], Period],
        batch_size: int = BATCH_SIZE,
    ):
        """Takes the function and a batch size.

        Args:
          period: of grey values and mask, such as `spectrum.fft`.
          batch_size: number of crops that `measure_files` reads at once.

        Raises:
          InputError: the batch size is below 1.
        """
        check_batch_size(batch_size)
        self.batch_size = batch_size
        self._period = period

    def prepare(self, image: np.ndarray | Crop) -> Measurement:
        """Measures one crop; here, so that a bad crop doesn't stop its batch.

        Raises:
          InputError: the crop cannot be measured.
        """
        grey, mask = grey_and_mask(image)
        found = self._period(grey, mask)
        return Measurement(
            period_px=found.period_px,
            sd_px=None,
            attention=None,
            scale=1.0,
            box=tight_box(mask),
            quality=found.quality,
        )

    def measure(
        self, prepared: Sequence[Measurement], with_attention: bool = False
    ) -> list[Measurement]:
        """Returns the measurements of `prepare`, without attention."""
        return list(prepared)


def granum(image: ArrayLike, mask: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Returns normalised grey values and mask of a granum's tight box, as float64 and bool.

    Raises:
      InputError: the granum is blank, too low or narrow, or a grey value isn't finite.
    """
    grey, inside = np.asarray(image, np.float64), np.asarray(mask).astype(bool)
    check_shapes(grey, inside)
    box = slices(tight_box(inside))
    grey, inside = grey[box], inside[box]
    check_lengths(*inside.shape)
    values = grey[inside]
    if not np.isfinite(values).all():
        raise InputError("grey values of the granum aren't finite; accepted are finite ones")
    check_lamellae(grey, inside)
    if (height := int(inside.sum(axis=0).max())) < 2 * SHORTEST_PX:
        raise InputError(
            f"the granum is {height} px high; accepted are at least {2 * SHORTEST_PX:g} px, "
            f"two periods of {SHORTEST_PX:g} px"
        )
    return normalised(grey, inside).astype(np.float64), inside


def nothing_repeats(height: int) -> InputError:
    """Returns the error for a granum without a period; its height is in px."""
    return InputError(
        f"nothing repeats; accepted are lamellae with a period from {SHORTEST_PX:g} px to "
        f"{height / 2:g} px, half of the granum's height"
    )


def summit(values: np.ndarray, peak: int) -> float:
    """Returns the summit of the parabola through a peak and its two neighbours, as an index."""
    before, at, after = values[peak - 1 : peak + 2]
    return float(peak + (before - after) / (2 * (before - 2 * at + after)))
