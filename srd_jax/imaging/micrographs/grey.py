"""Makes one channel of grey values of a decoded picture, in the picture's own type."""

import numpy as np

from srd_jax.imaging.crop import LUMA
from srd_jax.imaging.masks import opaque
from srd_jax.imaging.picture import Picture
from srd_jax.support.errors import InputError

# Pixels that are looked at at once.
_BLOCK = 1 << 22


def to_grey(picture: Picture) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns grey values (rows, columns), light is high, and notes.

    Integers of up to 32 bits keep their type, all else becomes float32. Colours become their luma,
    rounded; pixels of equal channels keep their value. Transparent pixels, and those that aren't
    finite, get the median of the others.

    Raises:
      InputError: no pixel is opaque and finite, or alpha is soft (see `masks.opaque`).
    """
    grey, notes = _narrow(_one_channel(picture.samples)), []
    if picture.inverted:
        grey = _inverted(grey, picture.full_scale)
    if picture.opaque is not None:
        inside, alpha_notes = opaque(picture.opaque)
        if not inside.all():
            grey = _filled(grey, inside)
            notes = [*alpha_notes, "transparent pixels are taken as blank"]
    if grey.dtype.kind == "f":
        finite = np.isfinite(grey)
        if bad := grey.size - np.count_nonzero(finite):
            grey = _filled(grey, finite)
            notes.append(f"{bad} of {grey.size} pixels are NaN or infinite and taken as blank")
    return grey, tuple(notes)


def _blocks(rows: int, columns: int) -> list[slice]:
    step = max(1, _BLOCK // max(columns, 1))
    return [slice(first, first + step) for first in range(0, rows, step)]


def _one_channel(samples: np.ndarray) -> np.ndarray:
    """Returns the luma (rows, columns) of samples (rows, columns, 1 or 3), in their type."""
    grey = samples[..., 0]
    if samples.shape[-1] == 1:
        return grey
    grey = grey.copy()
    for block in _blocks(*grey.shape):
        part = samples[block]
        coloured = (part != part[..., :1]).any(axis=-1)
        if coloured.any():
            luma = part[coloured].astype(np.float32) @ np.array(LUMA, np.float32)
            grey[block][coloured] = np.rint(luma) if grey.dtype.kind in "iu" else luma
    return grey


def _narrow(grey: np.ndarray) -> np.ndarray:
    """Returns grey values of a type that holds them in at most 4 bytes."""
    kind, size = grey.dtype.kind, grey.dtype.itemsize
    if kind == "b":
        return grey.astype(np.uint8)
    if (kind in "iu" and size <= 4) or grey.dtype == np.float32:
        return grey
    if kind in "iu" and grey.size:
        # Modulo 2^64, so that no difference is rounded.
        grey = grey.astype(np.uint64) - grey.min().astype(np.uint64)
    narrow = np.empty(grey.shape, np.float32)
    with np.errstate(over="ignore"):
        narrow[:] = grey
    return narrow


def _inverted(grey: np.ndarray, full_scale: float | None) -> np.ndarray:
    """Returns grey values with light for dark."""
    if grey.dtype.kind == "f":
        return -grey
    if full_scale is None or not grey.size or grey.max() > full_scale:
        return ~grey
    return grey.dtype.type(full_scale) - grey


def _filled(grey: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Returns grey values with the median of the good ones for the others."""
    values = grey[good]
    if not values.size:
        raise InputError("no pixel is opaque and finite; accepted are pictures with such pixels")
    grey = grey.copy()
    grey[~good] = grey.dtype.type(np.median(values[:: max(1, len(values) // 1_000_000)]))
    return grey
