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
from typing import BinaryIO, cast

import numpy as np
from PIL.PngImagePlugin import PngInfo
from scipy import ndimage

from srd_jax.imaging.pixel_size import UNKNOWN, Scale
from srd_jax.support.errors import InputError
from srd_jax.support.files import PNG_TEXT

# Ten times the picture of a camera of 3,000 to 4,000 rows; all that is computed of it fits into
# a few GB.
MAX_PIXELS = 100_000_000

_MAX_SCANS = 100

ACCEPTED_FORMATS = "accepted are PNG, JPEG and TIFF files"
ACCEPTED_COLOURS = "accepted are grey, RGB and palette images, with or without alpha"
ONE_PICTURE = "accepted are files of one picture"

# Of full intensity: how far blue exceeds red and green in a background at least, in one that no
# toner reaches, and in a pure one.
_LEAST_BLUE, _CLEAR_BLUE, _PURE_BLUE = 0.35, 0.75, 0.9

# Of full intensity: how far the pixels of a flat background are from its colour.
_FLAT = 0.1

# Levels of a channel for finding the commonest colour.
_LEVELS = 16

# Of full intensity: darker pixels have no hue at all, or none that a JPEG keeps.
_BLACK, _DARK = 4 / 255, 0.1

# A colour of this distance, relative to its brightness, is another hue, and a picture in which this
# share of the pixels has one is colourful.
_OTHER_HUE, _COLOURFUL = 0.25, 0.2

# Pixels this near to a background mix with it; their colours say nothing about the picture.
_MIXED_PX = 3

# Px around a pixel of a margin that have its grey value, and how nearly, as a share of the
# picture's range: a JPEG changes it a little.
_FLAT_PX, _FLAT_SHARE = 9, 0.03
# Shares of a bar's row that have the margin's grey value, of a picture that a margin has and leaves
# at least, and of the rest that may have its grey value.
_BAR_SHARE, _LEAST_MARGIN, _LEAST_LEFT, _ELSEWHERE = 0.35, 0.01, 0.2, 0.03

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
      opaque: (rows, columns) alpha, in the file's own numbers; None where the file has none.
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


def check_size(rows: int, columns: int, most: int = MAX_PIXELS) -> None:
    """Checks the size in a file's header, before the file is decoded.

    Raises:
      InputError: the image has no pixels, or more than `most`.
    """
    if not 0 < rows * columns <= most:
        raise InputError(
            f"has {rows} x {columns} px (rows x columns); "
            f"accepted are 1 x 1 px up to {most / 1e6:g} megapixels"
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


def split_alpha(array: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Splits off the alpha channel of a grey or RGB array (rows, columns[, channels]).

    Returns:
      The samples, (rows, columns, 1 or 3), and alpha, (rows, columns), or None without.
    """
    samples = array[..., np.newaxis] if array.ndim == 2 else array
    if samples.shape[-1] in (2, 4):
        return samples[..., :-1], samples[..., -1]
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


def png_text() -> PngInfo:
    """Returns `files.PNG_TEXT` for Pillow."""
    text = PngInfo()
    for name, value in PNG_TEXT.items():
        text.add_text(name, value)
    return text


def blue_outside(grey: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Returns (rows, columns, 3) uint8 RGB of a crop, pure blue outside of its mask.

    Args:
      grey: uint8 (rows, columns).
      mask: bool (rows, columns), True inside of the granum.
    """
    return np.where(mask[..., None], grey[..., None], np.array([0, 0, 255], np.uint8))


def blue_background(samples: np.ndarray, depth: float) -> np.ndarray:
    """Returns bool (rows, columns), True where a picture shows a background painted blue.

    The background has one saturated blue: pure (0, 0, depth), or what a JPEG, a palette or a
    conversion of colours made of it. Its border mixes it with the picture; a pixel belongs to
    whichever has the greater share. A picture that is blue or colourful itself, such as one tinted
    or shown through a colour map, has no background unless its colour clearly stands out.

    Args:
      samples: (rows, columns, 3) RGB.
      depth: sample value of full intensity.
    """
    # Channel by channel, as NumPy is slow over an axis of three.
    rgb = np.ascontiguousarray(np.moveaxis(samples, -1, 0), np.float32)
    rgb = np.nan_to_num(rgb, nan=0, posinf=0, neginf=0) / np.float32(depth)
    excess = rgb[2] - np.maximum(rgb[0], rgb[1])
    strong = excess >= _LEAST_BLUE
    none = np.zeros(excess.shape, bool)
    if not strong.any():
        return none
    colour = _commonest(_some(rgb, strong))
    flat = np.abs(rgb - colour[:, None, None]).max(axis=0) <= _FLAT
    rest = np.logical_not(ndimage.maximum_filter(strong, 2 * _MIXED_PX + 1))
    rest = rest if rest.any() else np.logical_not(strong)
    if not rest.any():
        return flat if flat.all() else none
    colours = _some(rgb, rest)
    brightest = colours.max(axis=0)
    coloured = brightest > _BLACK
    colours, brightest = np.compress(coloured, colours, axis=1), brightest[coloured]
    colour_excess = float(colour[2] - max(colour[:2]))
    if brightest.size:
        relative = (colours[2] - np.maximum(colours[0], colours[1])) / brightest
        typical = float(np.median(np.clip(relative, 0, None)))
        if typical > 0.5 * colour_excess / colour[2]:
            return none
        colourful = _is_colourful(colours, brightest)
        clear = not colourful and colour_excess >= _CLEAR_BLUE
        least = _PURE_BLUE if colourful else _LEAST_BLUE
        if colour_excess < least or not (clear or _frames(flat, strong)):
            return none
        colour_excess *= 1 + typical
    return excess > colour_excess / 2


def _some(planes: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Returns about a million of the pixels of (channels, rows, columns), enough for a median."""
    step = max(1, np.count_nonzero(where) // 1_000_000)
    return np.stack([plane[where][::step] for plane in planes])


def _commonest(colours: np.ndarray) -> np.ndarray:
    """Returns the commonest of colours (3, pixels), 0..1: the median of the fullest bin."""
    red, green, blue = np.clip(colours * _LEVELS, 0, _LEVELS - 1).astype(np.int32)
    bins = (red * _LEVELS + green) * _LEVELS + blue
    return np.median(colours[:, bins == np.bincount(bins).argmax()], axis=1)


def _is_colourful(colours: np.ndarray, brightest: np.ndarray) -> bool:
    """Tells whether colours, (3, pixels), are of several hues or strong, unlike grey and tints."""
    hues = colours / brightest
    other = np.abs(hues - np.median(hues, axis=1)[:, None]).max(axis=0) > _OTHER_HUE
    # A JPEG keeps no hue of dark pixels.
    other &= brightest > _DARK
    return bool(other.mean() > _COLOURFUL or np.median(hues.min(axis=0)) < 0.5)


def _frames(flat: np.ndarray, strong: np.ndarray) -> bool:
    """Tells whether a picture's blue is mostly of one colour, and lies along its border."""
    border = np.concatenate([flat[0], flat[-1], flat[1:-1, 0], flat[1:-1, -1]])
    flatness = np.count_nonzero(flat) / np.count_nonzero(strong)
    return bool(flatness > 0.5 and border.mean() > max(0.3, 1.5 * flat.mean()))


def flat_margin(samples: np.ndarray) -> np.ndarray:
    """Returns which pixels lie in a margin of one grey value: a frame, a bar with text, a corner.

    A margin takes in a corner of the picture, and hardly anything is flat, or of its grey value, in
    the rest. So pictures of few grey levels and saturated lamellae have none.

    Args:
      samples: (rows, columns, channels).

    Returns:
      bool (rows, columns), all False where there is no margin, or where it leaves little.
    """
    grey = samples.mean(axis=-1, dtype=np.float64)
    none = np.zeros(grey.shape, bool)
    if min(grey.shape) < 4 * _FLAT_PX or not np.isfinite(grey).all():
        return none
    low, high = np.percentile(_some(grey[None], ~none), (2, 98))
    near = _FLAT_SHARE * (high - low)
    span = ndimage.maximum_filter(grey, _FLAT_PX) - ndimage.minimum_filter(grey, _FLAT_PX)
    # The filters' windows end half of their width before the margin does.
    flat = ndimage.binary_dilation(span <= near, iterations=_FLAT_PX // 2)
    numbers, _ = cast(tuple[np.ndarray, int], ndimage.label(flat))
    corners = [at for at in ((0, 0), (0, -1), (-1, 0), (-1, -1)) if flat[at]]
    margin = np.isin(numbers, [numbers[at] for at in corners])
    if np.count_nonzero(np.logical_and(flat, ~margin)) > _ELSEWHERE * np.count_nonzero(~margin):
        margin = none.copy()
    for at in corners:
        like = np.abs(grey - grey[at]) <= near
        bars = _bars(like)
        if np.count_nonzero(like & ~bars & ~margin) <= _ELSEWHERE * np.count_nonzero(~bars):
            margin |= bars
    # Letters on a bar lie within it; only the largest part is left.
    parts, _ = cast(tuple[np.ndarray, int], ndimage.label(~margin))
    sizes = np.bincount(parts.ravel())[1:]
    if not margin.any() or not len(sizes):
        return none
    margin = ndimage.binary_dilation(parts != 1 + sizes.argmax(), iterations=2)
    return margin if _LEAST_MARGIN < margin.mean() < 1 - _LEAST_LEFT else none


def _bars(like: np.ndarray) -> np.ndarray:
    """Returns the bars along the sides: lines mostly of one grey value that end abruptly."""
    bars = np.zeros(like.shape, bool)
    for part, bar in ((like, bars), (like.T, bars.T)):
        for share, out in ((part.mean(axis=1), bar), (part.mean(axis=1)[::-1], bar[::-1])):
            end = int(np.argmin(np.append(share >= _BAR_SHARE, False)))
            if share[end : end + _FLAT_PX].mean() < _BAR_SHARE / 4 if end < len(share) else False:
                out[:end] = True
    return bars
