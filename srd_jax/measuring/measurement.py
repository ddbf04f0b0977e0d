"""The interface of all methods: crops in, measurements out."""

import abc
import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from srd_jax.imaging.crop import Crop
from srd_jax.imaging.masks import Box, check_lamellae, slices
from srd_jax.imaging.preparation import (
    FRAME,
    Prepared,
    checked,
    normalised,
    prepare,
    prepare_scales,
    prepare_windows,
)
from srd_jax.networks.receptive_field import Geometry
from srd_jax.support.errors import InputError, naming

_ACCEPTED_IMAGES = (
    "accepted are crops from crop.read_crop, or arrays (rows, columns) of grey values, uint8 or "
    "floats from 0 to 1"
)

_Prepared = TypeVar("_Prepared")


@dataclasses.dataclass(frozen=True)
class Measurement:
    """The answer of a method for one crop; lengths in px of the crop.

    Attributes:
      period_px: mean period.
      sd_px: standard deviation of the period; None if the method predicts none.
      attention: (pools, heads, rows, columns) on the grid of positions; None unless asked for.
      scale: px of the frame per px of the crop, vertically; 1 if the crop itself is measured.
      box: the measured part of the crop; of several windows the middle one, which the attention
        belongs to.
      quality: 0 to 1, by the classical methods (see `classical`); None by the network.
      views: measurements of the crop at several scales that this one combines; empty for one.
      doubts: reasons not to trust the period, each a phrase.
    """

    period_px: float
    sd_px: float | None
    attention: np.ndarray | None
    scale: float
    box: Box
    quality: float | None = None
    views: tuple["Measurement", ...] = ()
    doubts: tuple[str, ...] = ()


class Method(abc.ABC, Generic[_Prepared]):
    """Measures crops in two steps; only the first, `prepare`, can fail for a single crop.

    Attributes:
      batch_size: crops measured at once.
      geometry: receptive field and stride of the network; None if the method sees the whole crop.
      digest: of the network's weights; "" without any.
    """

    batch_size: int
    geometry: Geometry | None = None
    digest: str = ""

    @property
    def field_rows(self) -> int | None:
        """Rows that the method sees at once, px of the frame; None for the whole crop."""
        return None if self.geometry is None else self.geometry.receptive_field[0]

    def __call__(
        self, images: Iterable[np.ndarray | Crop], with_attention: bool = False
    ) -> list[Measurement]:
        """Measures crops of grana with horizontal lamellae.

        Args:
          images: crops from `crop.read_crop`, or (rows, columns) grey values, floats 0..1 or uint8,
            which are measured whole.
          with_attention: also return the attention, if the method has any.

        Raises:
          InputError: a crop cannot be measured; the message says which.
        """
        if not isinstance(images, Iterable):
            raise InputError(f"images is one {type(images).__name__}; accepted is a list of images")
        prepared = []
        for number, image in enumerate(images):
            with naming(f"image {number}"):
                prepared.append(self.prepare(image))
        return self.measure(prepared, with_attention)

    @abc.abstractmethod
    def prepare(self, image: np.ndarray | Crop) -> _Prepared:
        """Prepares one crop for `measure`.

        Raises:
          InputError: the crop cannot be measured.
        """

    def preparing(self) -> Callable[[np.ndarray | Crop], _Prepared]:
        """Returns `prepare` as a function that other processes can be sent, without weights."""
        return self.prepare

    @abc.abstractmethod
    def measure(
        self, prepared: Sequence[_Prepared], with_attention: bool = False
    ) -> list[Measurement]:
        """Measures prepared crops.

        Raises:
          InputError: the device's memory doesn't suffice.
        """

    def measure_good(
        self, prepared: Sequence[_Prepared | str], with_attention: bool = False
    ) -> list[Measurement | str]:
        """Measures the crops that could be prepared, and keeps the reasons of the others.

        Args:
          prepared: of each crop, or the reason why it cannot be measured.
          with_attention: also return the attention, if the method has any.

        Raises:
          InputError: the device's memory doesn't suffice.
        """
        good = [one for one in prepared if not isinstance(one, str)]
        measured = iter(self.measure(good, with_attention))
        return [one if isinstance(one, str) else next(measured) for one in prepared]


def check_batch_size(size: int) -> None:
    """Checks a batch size.

    Raises:
      InputError: it is below 1.
    """
    if size < 1:
        raise InputError(f"batch_size is {size}; accepted is a whole number from 1 on")


def grey_and_mask(image: np.ndarray | Crop) -> tuple[np.ndarray, np.ndarray]:
    """Returns grey values and mask of a crop; all of an array is inside.

    Raises:
      InputError: the image is neither.
    """
    if isinstance(image, Crop):
        return image.image, image.mask
    grey = np.asarray(image)
    if grey.ndim != 2 or not (grey.dtype == np.uint8 or grey.dtype.kind == "f"):
        raise InputError(
            f"{type(image).__name__} of shape {grey.shape} and type {grey.dtype}; "
            f"{_ACCEPTED_IMAGES}"
        )
    grey = grey / np.float32(255) if grey.dtype == np.uint8 else grey
    return grey, np.ones(grey.shape, bool)


def with_grey(
    prepare: Callable[[np.ndarray | Crop], Any], image: np.ndarray | Crop
) -> tuple[Any, np.ndarray, np.ndarray]:
    """Returns a crop prepared by a function, its grey values and its mask.

    Raises:
      InputError: the crop cannot be measured.
    """
    return prepare(image), *grey_and_mask(image)


@dataclasses.dataclass(frozen=True)
class Framing:
    """Brings crops into the frames of a network, without its weights.

    Attributes:
      robust: whether the network was trained on normalised grey values. One that was trained on
        grey values as they are sees one frame of a crop, as the reference's.
    """

    robust: bool

    def grey_and_mask(self, image: np.ndarray | Crop) -> tuple[np.ndarray, np.ndarray]:
        """Returns grey values as the network was taught to see them, and the mask.

        Raises:
          InputError: the crop cannot be measured.
        """
        grey, mask = checked(*grey_and_mask(image))
        return (normalised(grey, mask), mask) if self.robust else (grey, mask)

    def scales(self, image: np.ndarray | Crop) -> tuple[Prepared, ...]:
        """Brings one crop into frames at several scales; see `preparation.prepare_scales`.

        Raises:
          InputError: the crop cannot be measured.
        """
        grey, mask = self.grey_and_mask(image)
        frames = prepare_scales(grey, mask, FRAME) if self.robust else (prepare(grey, mask, FRAME),)
        part = slices(frames[0].box)
        check_lamellae(grey[part], mask[part])
        return frames

    def views(self, image: np.ndarray | Crop) -> tuple[tuple[Prepared, ...], ...]:
        """Brings one crop into frames: windows of its rows, and coarser scales of the whole.

        Raises:
          InputError: one of them cannot be measured.
        """
        grey, mask = self.grey_and_mask(image)
        windows = prepare_windows(grey, mask, FRAME)
        for window in windows:
            part = slices(window.box)
            check_lamellae(grey[part], mask[part])
        return windows, *((frame,) for frame in self.scales(image)[1:])


def of_views(views: Sequence[Measurement]) -> Measurement:
    """Combines measurements of one crop into one, see `mean_of_views`.

    Attention, scale and box are those of the view whose period is nearest to the result, or of the
    first such view.

    Args:
      views: measurements of one crop, lengths in px of the crop, all with an sd or all without.
    """
    if len(views) == 1:
        return views[0]
    period, sd = mean_of_views(views)
    return dataclasses.replace(
        nearest(views, period), period_px=period, sd_px=sd, views=tuple(views)
    )


def nearest(views: Sequence[Measurement], period_px: float) -> Measurement:
    """Returns the view whose period is nearest to a period, in its logarithm."""

    def away(view: Measurement) -> float:
        ratio = view.period_px / period_px
        return abs(math.log(ratio)) if 0 < ratio < math.inf else math.inf

    return min(views, key=away)


def mean_of_views(views: Sequence[Measurement]) -> tuple[float, float | None]:
    """Returns period and sd of several views of one crop, px of the crop.

    The period is the mean of the views' periods, weighted by the inverse variances, or without
    weights where the network gives no sd. The variance is the weighted mean of the views' variances
    plus the weighted variance of their periods; docs/methods.md, "Test-time augmentation", has the
    reasons.

    Args:
      views: measurements of one crop, all with an sd or all without.
    """
    period = np.array([view.period_px for view in views])
    if views[0].sd_px is None:
        return float(period.mean()), None
    variance = np.square(np.array([view.sd_px for view in views], np.float64))
    # A network may answer with improper numbers. Then this is NaN, which is reported as an error.
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = 1 / variance
        mean = np.average(period, weights=weights)
        total = np.average(variance + np.square(period - mean), weights=weights)
    return float(mean), float(np.sqrt(total))
