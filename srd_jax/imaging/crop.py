"""Reads crops of grana from image files: grey values, mask and pixel size.

These pixels are outside of the granum: those of a background of one saturated blue (see
`picture.blue_background`), those whose alpha is below half of full, and those that are 0 in a mask
file (see `mask_files`).

Grey values are those of `grey_values`.
"""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Callable

import numpy as np

from srd_jax.imaging.formats import read_picture
from srd_jax.imaging.mask_files import read_mask
from srd_jax.imaging.masks import boxes, main_part, opaque, slices
from srd_jax.imaging.picture import Picture, blue_background, flat_margin
from srd_jax.imaging.pixel_size import agreed, from_side_file
from srd_jax.support.errors import InputError, naming

# Luma of ITU-R BT.601.
LUMA = (0.299, 0.587, 0.114)

_CAMERA_BITS = (8, 10, 12, 14, 16)

# How far rounding may carry floats beyond 0..1.
_FLOAT_SLACK = 1e-3

# Floats whose largest value lies between 1 and this have no known white.
_LEAST_FLOAT_WHITE = 16.0

# Ranges of the percentiles 1 to 99 beyond which a value is an outlier.
_OUTLIER = 4.0


@dataclasses.dataclass(frozen=True)
class Crop:
    """The crop of one granum.

    Attributes:
      image: float32 (rows, columns), grey value 0..1, black to white; 0 outside of the mask.
      mask: bool (rows, columns), True inside of the granum.
      px_per_nm: the scale that the file or a text file beside it states, None where none is taken.
      px_per_nm_source: who states it, see `pixel_size`; "" where there is none.
      notes: facts about the file and its mask that a user should know, each a phrase.
      doubts: why the mask may not show one granum, each a phrase.
      mask_source: name of the mask file relative to the image's folder, else "blue", "alpha",
        "margin", or "" where nothing is left out.
    """

    image: np.ndarray
    mask: np.ndarray
    px_per_nm: float | None
    px_per_nm_source: str
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    mask_source: str = ""


def read_crop(path: str | os.PathLike[str]) -> Crop:
    """Reads the crop of a file that shows one granum; see `open_crops`.

    Raises:
      InputError: as `open_crops` and its functions, or the mask tells several grana apart.
    """
    crops = open_crops(path)
    if len(crops) > 1:
        raise InputError(f"{path}: the mask tells {len(crops)} grana apart; accepted is one")
    (read,) = crops.values()
    return read()


def open_crops(path: str | os.PathLike[str]) -> dict[int | None, Callable[[], Crop]]:
    """Returns a function for each granum of a file, which reads its crop.

    Colours become grey by the luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B; pixels of three
    equal channels keep their value exactly.

    Args:
      path: a PNG, JPEG or TIFF file.

    Returns:
      Functions by the number of the granum in the mask file; of a single one by None, and its crop
      is the whole image; others are cut to their box. They raise InputError where grey values
      aren't finite or have no known white.

    Raises:
      InputError: the file can't be read (see `formats.read_picture`), or its mask file (see
        `mask_files.read_mask`).
    """
    path = pathlib.Path(path)
    picture = read_picture(path)
    with naming(path):
        inside, sources, notes = _inside(picture)
    file = read_mask(path, inside.shape)
    if file is not None:
        sources, notes = [file.name], [*notes, *file.notes]
    if not sources and (margin := flat_margin(picture.samples)).any():
        inside, sources = ~margin, ["margin"]
        notes = [*notes, "a margin of one grey value is left out"]
    mask_source = ", ".join(sources)
    notes = (*picture.notes, *notes)
    labels = inside if file is None else file.labels * inside
    found = {} if labels.dtype == bool else boxes(labels)
    if len(found) < 2:
        return {None: functools.partial(_crop, path, picture, labels > 0, mask_source, notes)}
    return {
        number: functools.partial(
            _crop,
            path,
            dataclasses.replace(picture, samples=picture.samples[slices(box)]),
            labels[slices(box)] == number,
            mask_source,
            notes,
        )
        for number, box in found.items()
    }


def _crop(
    path: pathlib.Path,
    picture: Picture,
    inside: np.ndarray,
    mask_source: str,
    notes: tuple[str, ...],
) -> Crop:
    mask, strays, doubts = main_part(inside)
    with naming(path):
        image = grey_values(picture, mask)
    scale = agreed(picture.scale, from_side_file(path))
    return Crop(
        image=image,
        mask=mask,
        px_per_nm=scale.px_per_nm,
        px_per_nm_source=scale.source,
        notes=(*notes, *strays, *filter(None, [scale.note])),
        doubts=doubts,
        mask_source=mask_source,
    )


def _inside(picture: Picture) -> tuple[np.ndarray, list[str], list[str]]:
    """Returns bool (rows, columns), False where a picture is blue or transparent.

    Returns:
      The mask, what it comes from, and notes.
    """
    samples = picture.samples
    inside, sources, notes = np.ones(samples.shape[:2], bool), [], []
    if picture.opaque is not None:
        inside, notes = opaque(picture.opaque)
        sources += [] if inside.all() else ["alpha"]
    if samples.shape[-1] == 3:
        blue = samples[..., 2]
        depth = full_scale(picture, blue[np.isfinite(blue)])
        # Where white is unknown, so is pure blue.
        background = np.False_ if depth is None else blue_background(samples, depth)
        if background.any():
            inside = inside & ~background
            sources.append("blue")
    return inside, sources, list(notes)


def grey_values(picture: Picture, inside: np.ndarray) -> np.ndarray:
    """Returns float32 (rows, columns): grey values 0..1, black to white; 0 outside.

    Args:
      picture: of any sample type.
      inside: bool (rows, columns), True inside of the granum.

    Raises:
      InputError: a grey value inside isn't finite.
    """
    values = picture.samples[inside]
    finite = np.isfinite(values)
    if not finite.all():
        bad = np.count_nonzero(~finite.all(axis=-1))
        raise InputError(
            f"{bad} of the granum's {len(values)} pixels are NaN or infinite; "
            "accepted are finite grey values, or a mask that leaves those pixels out"
        )
    white = full_scale(picture, values)
    if white is None:
        grey = _stretched(_luma(_from_zero(values)))
    else:
        grey = np.clip(_luma(values.astype(np.float32) / np.float32(white)), 0, 1)
    image = np.zeros(inside.shape, np.float32)
    image[inside] = 1 - grey if picture.inverted else grey
    return image


def full_scale(picture: Picture, values: np.ndarray) -> float | None:
    """Returns the sample value of white, None where it is unknown.

    Args:
      picture: of any sample type.
      values: some of its samples, finite.
    """
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if picture.full_scale is not None and high <= picture.full_scale:
        return picture.full_scale
    floats = values.dtype.kind == "f"
    if floats and low >= -_FLOAT_SLACK and high <= 1 + _FLOAT_SLACK:
        return 1.0
    if low < 0 or (floats and high < _LEAST_FLOAT_WHITE):
        return None
    return next((2.0**bits - 1 for bits in _CAMERA_BITS if high <= 2**bits - 1), None)


def _luma(values: np.ndarray) -> np.ndarray:
    """Returns grey values (pixels,) of floats (pixels, 1 or 3); equal channels keep their value."""
    grey = values[:, 0]
    if values.shape[-1] == 1:
        return grey
    # Channel by channel, as NumPy is slow over an axis of three.
    coloured = (values[:, 1] != grey) | (values[:, 2] != grey)
    return np.where(coloured, values @ np.array(LUMA, values.dtype), grey)


def _from_zero(values: np.ndarray) -> np.ndarray:
    """Returns samples as float64, integers less their smallest value so that none is rounded."""
    if values.dtype.kind in "iu" and values.size:
        # Modulo 2^64, so that the difference holds for signed integers of 64 bits, too.
        values = values.astype(np.uint64) - values.min().astype(np.uint64)
    return values.astype(np.float64)


def _stretched(grey: np.ndarray) -> np.ndarray:
    """Returns float64 grey values of any range brought to 0..1, outliers clipped."""
    if not grey.size:
        return grey
    # A power of two, exact, that keeps differences of the largest floats finite.
    grey = grey / 64
    low, first, last, high = np.percentile(grey, (0, 1, 99, 100))
    if first < last:
        reach = _OUTLIER * (last - first)
        low, high = max(low, first - reach), min(high, last + reach)
    if low == high:
        return np.zeros_like(grey)
    return (np.clip(grey, low, high) - low) / (high - low)
