"""Cuts a micrograph into tiles at all magnifications, as viewers of large pictures want them."""

import dataclasses
import json
import pathlib

import numpy as np
from PIL import Image

from srd_jax.support.files import whole_folder, write_text

TILE = 512  # px
# Grey values in per cent of the pixels that become black and white.
_DARKEST, _LIGHTEST = 0.2, 99.8
_SAMPLE = 4_000_000  # pixels from which these are taken
_QUALITY = 88
INFO = "info.json"


@dataclasses.dataclass(frozen=True)
class Pyramid:
    """The size of a micrograph, and how many levels it has: the last is the whole, the first 1 px.

    As in Deep Zoom, each level has half the rows and columns of the next one, rounded up.
    """

    width: int
    height: int
    tile: int
    levels: int


def pyramid_of(rows: int, columns: int) -> Pyramid:
    """Returns the pyramid of a micrograph."""
    return Pyramid(columns, rows, TILE, (max(rows, columns) - 1).bit_length() + 1)


def write(folder: pathlib.Path, grey: np.ndarray) -> Pyramid:
    """Writes all tiles and the file of their sizes, whole or not at all.

    Args:
      folder: new; a tile becomes LEVEL/COLUMN_ROW.jpg.
      grey: (rows, columns) of any type, finite.

    Raises:
      InputError: the folder can't be written.
    """
    pyramid = pyramid_of(*grey.shape)
    shown = Image.fromarray(eight_bits(grey))
    with whole_folder(folder) as temporary:
        for level in reversed(range(pyramid.levels)):
            _write_level(temporary / str(level), shown)
            shown = shown.reduce(2)
        write_text(temporary / INFO, json.dumps(dataclasses.asdict(pyramid)) + "\n")
    return pyramid


def _write_level(folder: pathlib.Path, shown: Image.Image) -> None:
    folder.mkdir()
    width, height = shown.size
    for top in range(0, height, TILE):
        for left in range(0, width, TILE):
            box = (left, top, min(left + TILE, width), min(top + TILE, height))
            path = folder / f"{left // TILE}_{top // TILE}.jpg"
            shown.crop(box).save(path, quality=_QUALITY)


def eight_bits(grey: np.ndarray) -> np.ndarray:
    """Returns grey values as uint8, stretched so that few pixels are black or white."""
    step = max(1, round((grey.size / _SAMPLE) ** 0.5))
    low, high = np.percentile(grey[::step, ::step].astype(np.float32), (_DARKEST, _LIGHTEST))
    if not high > low:
        return np.full(grey.shape, 128, np.uint8)
    shown = np.empty(grey.shape, np.uint8)
    factor = np.float32(255 / (high - low))
    # Row by row, as floats of all would need four times the memory.
    for first in range(0, len(grey), TILE):
        rows = grey[first : first + TILE].astype(np.float32)
        shown[first : first + TILE] = np.rint(np.clip((rows - np.float32(low)) * factor, 0, 255))
    return shown
