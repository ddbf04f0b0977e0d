"""A decoded image file, its grey values, and helpers that all decoders share.

White, the value that becomes 1, depends on the file:
- 8 bits: 255. TIFF of n = 1 to 8, 10, 12 or 14 bits a sample: 2^n - 1.
- TIFF of other depths: the tag MaxSampleValue, if it is below their range and not exceeded.
- Other integers from 0 to 65535: 2^n - 1 for the smallest n of 8, 10, 12, 14 and 16 that holds the
  largest value of the granum, as cameras write such depths into 16-bit files.
- Floats from 0 to 1: 1. Floats from 0 whose largest value is 16 to 65535: as integers.
- All else (negative values, floats up to some other value, sums beyond 65535) has no known white:
  there the granum's own smallest and largest value become 0 and 1. Values that lie farther out
  than four times the range of its percentiles 1 to 99 are clipped first, as a single hot pixel
  would leave the others no contrast.
"""

import functools
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from srd_jax.imaging.pixel_size import UNKNOWN, Scale
from srd_jax.support.errors import InputError

# Ten times the picture of a camera of 3,000 to 4,000 rows; all that is computed of it fits into
# a few GB.
_MAX_PIXELS = 100_000_000

_MAX_SCANS = 100

ACCEPTED_FORMATS = "accepted are PNG, JPEG and TIFF files"
ACCEPTED_COLOURS = "accepted are grey, RGB and palette images, with or without alpha"
ONE_PICTURE = "accepted are files of one picture"

# The tag Orientation of TIFF 6.0 and EXIF.
ORIENTATION_TAG = 274
# For each of its values: quarter turns counter-clockwise, then whether to swap left and right. 0
# isn't in the standard; some cameras write it for 1.
_TURNS = {
    0: (0, False),
    1: (0, False),
    2: (0, True),
    3: (2, False),
    4: (2, True),
    5: (3, True),
    6: (3, False),
    7: (1, True),
    8: (1, False),
}


# Luma of ITU-R BT.601.
_LUMA = (0.299, 0.587, 0.114)

_CAMERA_BITS = (8, 10, 12, 14, 16)

# How far rounding may carry floats beyond 0..1.
_FLOAT_SLACK = 1e-3

# Floats whose largest value lies between 1 and this have no known white.
_LEAST_FLOAT_WHITE = 16.0

# Ranges of the percentiles 1 to 99 beyond which a value is an outlier.
_OUTLIER = 4.0


@dataclass(frozen=True)
class Picture:
    """The decoded samples of a file.

    Attributes:
      samples: (rows, columns, 1) grey or (rows, columns, 3) RGB, in the file's own numbers.
      opaque: bool (rows, columns), True where alpha isn't 0; None where the file has no alpha.
      full_scale: sample value of full intensity, None where the file doesn't state it.
      inverted: True where 0 is white and full intensity is black.
      lossy: True where the compression doesn't keep exact colours.
      scale: what the file states of it.
      notes: facts about the file that a user should know, each a phrase.
    """

    samples: np.ndarray
    opaque: np.ndarray | None
    full_scale: float | None
    inverted: bool = False
    lossy: bool = False
    scale: Scale = UNKNOWN
    notes: tuple[str, ...] = ()


def check_size(rows: int, columns: int) -> None:
    """Checks the size in a file's header, before the file is decoded.

    Raises:
      InputError: the image has no pixels, or more than 100 megapixels.
    """
    if not 0 < rows * columns <= _MAX_PIXELS:
        raise InputError(
            f"has {rows} x {columns} px (rows x columns); "
            f"accepted are 1 x 1 px up to {_MAX_PIXELS / 1e6:g} megapixels"
        )


def check_scans(jpeg: BinaryIO) -> None:
    """Checks how often a JPEG goes over its picture, as each scan takes the time of a picture.

    Raises:
      InputError: there are more than 100 scans.
    """
    pieces = iter(functools.partial(jpeg.read, 1 << 20), b"")
    # The marker "start of scan" of ITU-T T.81; coded data don't contain it.
    scans = sum(piece.count(b"\xff\xda") for piece in pieces)
    if scans > _MAX_SCANS:
        raise InputError(f"is a JPEG of {scans} scans; accepted are at most {_MAX_SCANS}")


def grey_values(picture: Picture, inside: np.ndarray) -> np.ndarray:
    """Returns float32 (rows, columns): grey values 0..1, black to white; 0 outside.

    Args:
      picture: of any sample type.
      inside: bool (rows, columns), True inside of the granum.

    Raises:
      InputError: a grey value inside isn't finite.
    """
    values = picture.samples[inside]
    if bad := np.count_nonzero(~np.isfinite(values).all(axis=-1)):
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
    coloured = (values != values[:, :1]).any(axis=-1)
    return np.where(coloured, values @ np.array(_LUMA, values.dtype), grey)


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


def split_alpha(array: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Splits off the alpha channel of a grey or RGB array (rows, columns[, channels]).

    Returns:
      The samples, (rows, columns, 1 or 3), and a bool (rows, columns), True where alpha isn't 0, or
      None without alpha.
    """
    samples = array[..., np.newaxis] if array.ndim == 2 else array
    if samples.shape[-1] in (2, 4):
        return samples[..., :-1], samples[..., -1] != 0
    return samples, None


def upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """Turns and mirrors an array (rows, columns, …) as the tag Orientation says.

    Raises:
      InputError: the tag isn't in 0..8.
    """
    if orientation not in _TURNS:
        raise InputError(f"has an orientation tag of {orientation}; accepted are 0 to 8")
    quarter_turns, mirrored = _TURNS[orientation]
    turned = np.rot90(array, quarter_turns)
    return turned[:, ::-1] if mirrored else turned


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Returns grey values or colours 0..1 as uint8 0..255."""
    return np.rint(values * 255.0).astype(np.uint8)


def blue_outside(grey: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Returns (rows, columns, 3) uint8 RGB of a crop, pure blue outside of its mask.

    Args:
      grey: uint8 (rows, columns).
      mask: bool (rows, columns), True inside of the granum.
    """
    return np.where(mask[..., None], grey[..., None], np.array([0, 0, 255], np.uint8))
