"""Reads crops of grana from image files: grey values, mask and pixel size.

These pixels are outside of the granum: those of a background of one saturated blue (see
`picture.blue_background`), those whose alpha is below half of full, and those that are 0 in a mask
file (see `mask_files`).

White, the value that becomes 1, depends on the file:
- 8 bits: 255. TIFF of n = 1 to 8, 10, 12 or 14 bits a sample: 2^n - 1.
- TIFF of other depths: the tag MaxSampleValue, if it is below their range and not exceeded.
- Other integers: 2^n - 1 for the smallest n of 8, 10, 12, 14 and 16 that holds the largest value of
  the granum, as cameras write such depths into 16-bit files.
- Floats up to 1: 1. Floats whose largest value is 16 to 65535: as integers. Others are refused, as
  their white is unknown.
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
from srd_jax.imaging.picture import Picture, blue_background
from srd_jax.support.errors import InputError, naming

# Luma of ITU-R BT.601.
_LUMA = (0.299, 0.587, 0.114)

_CAMERA_BITS = (8, 10, 12, 14, 16)

# How far rounding may carry floats beyond 0..1.
_FLOAT_SLACK = 1e-3

# Floats whose largest value lies between 1 and this have no known white.
_LEAST_FLOAT_WHITE = 16.0


@dataclasses.dataclass(frozen=True)
class Crop:
    """The crop of one granum.

    Attributes:
      image: float32 (rows, columns), grey value 0..1, black to white; 0 outside of the mask.
      mask: bool (rows, columns), True inside of the granum.
      px_per_nm: the scale that the file states, None where it states none.
      px_per_nm_source: where the scale comes from, see `picture.Picture`; "" where there is none.
      notes: facts about the file and its mask that a user should know, each a phrase.
      doubts: why the mask may not show one granum, each a phrase.
      mask_source: name of the mask file relative to the image's folder, else "blue", "alpha", or
        "" where nothing is left out.
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
        image = _grey(picture, mask)
    return Crop(
        image=image,
        mask=mask,
        px_per_nm=picture.px_per_nm,
        px_per_nm_source=picture.px_per_nm_source,
        notes=(*notes, *strays),
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
        background = blue_background(samples, _full_scale(picture, blue[np.isfinite(blue)]))
        if background.any():
            inside = inside & ~background
            sources.append("blue")
    return inside, sources, list(notes)


def _grey(picture: Picture, inside: np.ndarray) -> np.ndarray:
    """Returns float32 (rows, columns): grey values 0..1 inside, 0 outside."""
    values = picture.samples[inside]
    if bad := np.count_nonzero(~np.isfinite(values).all(axis=-1)):
        raise InputError(
            f"{bad} of the granum's {len(values)} pixels are NaN or infinite; "
            "accepted are finite grey values, or a mask that leaves those pixels out"
        )
    full_scale = _full_scale(picture, values)
    relative = values.astype(np.float32) / np.float32(full_scale)
    grey = relative[:, 0]
    if values.shape[-1] == 3:
        coloured = (values != values[:, :1]).any(axis=-1)
        grey = np.where(coloured, relative @ np.array(_LUMA, np.float32), grey)
    grey = np.clip(grey, 0, 1)
    image = np.zeros(inside.shape, np.float32)
    image[inside] = 1 - grey if picture.inverted else grey
    return image


def _full_scale(picture: Picture, values: np.ndarray) -> float:
    """Returns the sample value of white, from a picture and some of its finite samples."""
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if picture.full_scale is not None and high <= picture.full_scale:
        return picture.full_scale
    floats = values.dtype.kind == "f"
    if floats and low >= -_FLOAT_SLACK and high <= 1 + _FLOAT_SLACK:
        return 1.0
    white = [2.0**bits - 1 for bits in _CAMERA_BITS if high <= 2**bits - 1]
    if low < 0 or not white or (floats and high < _LEAST_FLOAT_WHITE):
        raise InputError(
            f"has {values.dtype} grey values from {low:g} to {high:g}; accepted are integers from "
            f"0 to 65535, floats from 0 to 1, and floats from 0 to between "
            f"{_LEAST_FLOAT_WHITE:g} and 65535"
        )
    return white[0]
