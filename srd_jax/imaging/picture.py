"""A decoded image file, and helpers that all decoders share."""

from dataclasses import dataclass

import numpy as np

from srd_jax.imaging.pixel_size import UNKNOWN, Scale
from srd_jax.support.errors import InputError

_MAX_PIXELS = 500_000_000

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
      InputError: the image has more than 500 megapixels.
    """
    if rows * columns > _MAX_PIXELS:
        raise InputError(
            f"has {rows} x {columns} px (rows x columns); "
            f"accepted are at most {_MAX_PIXELS / 1e6:g} megapixels"
        )


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
