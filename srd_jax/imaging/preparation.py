"""Brings the crop of a granum into the frame that the network reads.

The steps are the reference's: grey value 0 outside of the mask, a tight crop to the mask, the
middle rows of a granum that is too high, a tight crop again, and a cubic-spline rescale of each
axis to the frame. `normalised` and `prepare_scales` are for networks that were trained so.
"""

import math
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from srd_jax.imaging import FRAME, MAX_ROWS
from srd_jax.imaging.masks import check_lengths, check_shapes, tight_box
from srd_jax.support.errors import InputError

# Grey values of a granum: those of the darkest and of the lightest 2 % become about 0.3 and 0.6,
# the median 0.45.
_PERCENTILES, _MIDDLE, _RANGE = (0.02, 0.5, 0.98), 0.45, 0.35
# The percentiles are those of about so many pixels, on a grid.
_SAMPLED = 2**16
_LEAST_RANGE = 1e-6

# Rows of a frame over those of the next finer one, at most; and least rows over MAX_ROWS for a
# second frame.
_ZOOM, _LEAST_ZOOM = 3.2, 1.25


@dataclass(frozen=True)
class Prepared:
    """A granum rescaled to the frame.

    Attributes:
      image: float32 (rows, columns) of the frame, grey value 0..1; 0 outside of the mask, except
        for the spline's blur of about one pixel of the crop along the mask's border.
      scale: rows of the frame per row of the crop; a length in px of the frame divided by it is
        in px of the crop.
      box: (row0, row1, column0, column1), half-open, the part of the crop that the frame shows.
    """

    image: np.ndarray
    scale: float
    box: tuple[int, int, int, int]


def checked(image: ArrayLike, mask: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Returns the grey values and the mask of a granum as arrays.

    Raises:
      InputError: see `prepare`.
    """
    granum, inside = np.asarray(image), np.asarray(mask).astype(bool)
    check_shapes(granum, inside)
    _check_grey(granum[inside])
    return granum, inside


def prepare(
    image: ArrayLike,
    mask: ArrayLike,
    frame: tuple[int, int] = FRAME,
    max_rows: int = MAX_ROWS,
) -> Prepared:
    """Brings the crop of a granum with horizontal lamellae into the network's frame.

    Args:
      image: (rows, columns) of the crop, grey value 0..1; values outside of the mask don't matter.
      mask: (rows, columns), True (or not 0) inside of the granum.
      frame: rows and columns of the result.
      max_rows: most rows that a frame shows; of a higher granum it shows the middle ones.

    Returns:
      The frame, its vertical scale and the part of the crop that it shows.

    Raises:
      InputError: the shapes disagree, grey values inside of the mask aren't finite or not in
        0..1, nothing is inside of the mask, or the granum has fewer than 2 rows or columns.
    """
    granum, inside = checked(image, mask)
    row0, row1, _, _ = tight_box(inside)
    start = row0 + max(0, row1 - row0 - max_rows) // 2
    return _framed(granum, inside, (start, start + max_rows), frame)


def reduced(grey: np.ndarray, inside: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns grey values and mask in pixels that are `factor` times as large, means over the mask.

    Args:
      grey: (rows, columns) float.
      inside: (rows, columns) bool.
      factor: 1 or more.
    """
    if factor == 1:
        return grey, inside
    rows, columns = (size // factor for size in grey.shape)
    top, left = ((size % factor) // 2 for size in grey.shape)
    cut = np.s_[top : top + rows * factor, left : left + columns * factor]

    def means(values: np.ndarray) -> np.ndarray:
        # One axis after the other, as NumPy is slow over two.
        summed = values[cut].reshape(rows, factor, -1).sum(axis=1)
        return summed.reshape(rows, columns, factor) @ np.ones(factor) / factor**2

    share = means(inside.astype(float))
    values = means(np.where(inside, grey, 0.0)) / np.maximum(share, 1e-9)
    return values, share >= 0.5


def middle(grey: np.ndarray, inside: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the middle of an image and of its mask, of at most `most` rows and columns."""
    around = tuple(
        slice(start, start + most) for start in (max(0, size - most) // 2 for size in grey.shape)
    )
    return grey[around], inside[around]


def prepare_scales(
    image: ArrayLike,
    mask: ArrayLike,
    frame: tuple[int, int] = FRAME,
    max_rows: int = MAX_ROWS,
) -> tuple[Prepared, ...]:
    """Brings a granum into frames at several scales, from the finest to the whole granum.

    The first frame is the one of `prepare`. Each further frame shows up to 3.2 times as many
    rows, and the last one shows all of them. A granum of little more than max_rows rows, or fewer,
    has one frame only.

    Args:
      image, mask, frame, max_rows: see `prepare`.

    Raises:
      InputError: as `prepare` does, for any of the frames.
    """
    granum, inside = checked(image, mask)
    row0, row1, _, _ = tight_box(inside)
    times = (row1 - row0) / max_rows
    steps = math.ceil(math.log(times) / math.log(_ZOOM)) if times > _LEAST_ZOOM else 0
    framed = []
    for step in range(steps + 1):
        shown = round(max_rows * times ** (step / max(steps, 1)))
        start = row0 + max(0, row1 - row0 - shown) // 2
        framed.append(_framed(granum, inside, (start, start + shown), frame))
    return tuple(framed)


def prepare_windows(
    image: ArrayLike,
    mask: ArrayLike,
    frame: tuple[int, int] = FRAME,
    max_rows: int = MAX_ROWS,
) -> tuple[Prepared, ...]:
    """Brings all rows of a granum into frames, in windows as high as the frame of `prepare`.

    A granum of more than max_rows rows has an odd number of windows, evenly spaced from its first
    row to its last. Each window shares at least half of its rows with the next one. The middle
    window is the frame of `prepare`; a granum of max_rows rows or fewer has this window only.

    Args:
      image, mask, frame, max_rows: see `prepare`.

    Returns:
      The windows from top to bottom.

    Raises:
      InputError: as `prepare` does, for any of the windows.
    """
    granum, inside = checked(image, mask)
    row0, row1, _, _ = tight_box(inside)
    beyond = max(0, row1 - row0 - max_rows)
    steps = 2 * math.ceil(beyond / max_rows)
    starts = [row0 + beyond * i // max(1, steps) for i in range(steps + 1)]
    return tuple(_framed(granum, inside, (start, start + max_rows), frame) for start in starts)


def resample(image: ArrayLike, shape: tuple[int, int]) -> np.ndarray:
    """Rescales an image with a cubic spline, each axis on its own.

    Pixels are areas (the outer edges of both images coincide), the image continues mirrored at
    its edge pixels, and the result is clipped to the image's own range. An axis that shrinks by a
    factor s > 1 is first smoothed by a Gaussian of standard deviation (s - 1) / 2 px. This is
    `skimage.transform.resize` with order=3 and its other defaults.

    Args:
      image: (rows, columns).
      shape: rows and columns of the result.

    Returns:
      float64 array of that shape.
    """
    source = np.asarray(image, np.float64)
    sigma = np.maximum(0.0, (np.divide(source.shape, shape) - 1) / 2)
    smooth = ndimage.gaussian_filter(source, sigma, mode="mirror")
    coefficients = ndimage.spline_filter(smooth, order=3, mode="mirror")
    zoomed = _spline_values(_spline_values(coefficients, shape[0]).T, shape[1]).T
    return np.clip(zoomed, source.min(), source.max())


def _spline_values(coefficients: np.ndarray, out: int) -> np.ndarray:
    """Returns the values, (out, columns), of splines along the columns of (rows, columns).

    Each takes the four nearest coefficients, weighted by the cubic B-spline. One axis after the
    other takes 4 + 4 products a px, where ndimage.zoom takes 4 x 4.
    """
    size = len(coefficients)
    at = (np.arange(out) + 0.5) * (size / out) - 0.5
    near = np.floor(at).astype(int) + np.arange(-1, 3)[:, None]
    distance = np.abs(at - near)
    inner, outer = 2 / 3 - distance**2 + distance**3 / 2, (2 - distance) ** 3 / 6
    weights = np.where(distance < 1, inner, outer)
    period = max(2 * (size - 1), 1)  # a single coefficient is its own mirror image
    near %= period
    mirrored = np.minimum(near, period - near)
    lines = np.ascontiguousarray(coefficients)
    values = np.zeros((out, lines.shape[1]))
    for index, weight in zip(mirrored, weights, strict=True):
        values += lines[index] * weight[:, None]  # one term at a time, for the memory of wide crops
    return values


def normalised(image: Any, inside: Any, xp: ModuleType = np) -> Any:
    """Returns grey values of a granum in one range, whatever their brightness and contrast.

    A linear change of all grey values doesn't change the result, and broken pixels hardly do.

    Args:
      image: (rows, columns) grey values, in any unit.
      inside: bool (rows, columns), True inside of the granum.
      xp: numpy, or jax.numpy for arrays of JAX.

    Returns:
      float32 (rows, columns), 0..1 inside and 0 outside.
    """
    step = max(1, math.isqrt(math.prod(image.shape) // _SAMPLED))
    values = xp.where(inside, image, math.inf)[::step, ::step]
    values = xp.sort(values.astype(xp.float32).ravel())
    last = xp.sum(values < math.inf) - 1
    low, middle, high = (
        values[xp.clip(xp.round(part * last), 0, None).astype(int)] for part in _PERCENTILES
    )
    # Of fine lines, percentiles may see nothing.
    span = xp.where(high > low, high - low, values[last] - values[0])
    grey = (image - middle) * (_RANGE / xp.maximum(span, _LEAST_RANGE)) + _MIDDLE
    # What lies far beyond the percentiles is a broken pixel or a mark.
    return xp.where(inside, xp.clip(grey, 0, 1), 0).astype(xp.float32)


def _check_grey(values: np.ndarray) -> None:
    """Checks the grey values of the granum, a flat array."""
    if values.size == 0:
        raise InputError(
            "nothing is inside of the mask (all pixels are masked); "
            "accepted are images with a granum inside of the mask"
        )
    if bad := np.count_nonzero(~np.isfinite(values)):
        raise InputError(
            f"{bad} pixels of the granum aren't finite (NaN or infinite); "
            "accepted are finite grey values"
        )
    if values.min() < 0 or values.max() > 1:
        raise InputError(
            f"grey values {values.min():g} to {values.max():g}; accepted are values from 0 to 1"
        )


def _framed(
    granum: np.ndarray, inside: np.ndarray, rows: tuple[int, int], frame: tuple[int, int]
) -> Prepared:
    """Brings the masked part of a half-open range of rows into the frame."""
    first, end = rows
    if not inside[first:end].any():
        raise InputError(
            f"nothing is inside of the mask in rows {first} to {end}; "
            "accepted is the crop of one connected granum"
        )
    row0, row1, column0, column1 = tight_box(inside[first:end])
    row0, row1 = first + row0, first + row1
    check_lengths(row1 - row0, column1 - column0)
    part = np.s_[row0:row1, column0:column1]
    resampled = resample(np.where(inside[part], granum[part], 0.0), frame)
    return Prepared(
        image=resampled.astype(np.float32),
        scale=frame[0] / (row1 - row0),
        box=(row0, row1, column0, column1),
    )
