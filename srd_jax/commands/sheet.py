"""Contact sheets: many crops in one picture, each in its own size."""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from srd_jax.imaging.picture import blue_outside, png_text, to_bytes
from srd_jax.support.files import whole_file

# Of the sheet, px.
_WIDTH, _GAP, _CAPTION = 2400, 8, 14
_BACKGROUND, _TEXT = (255, 255, 255), (0, 0, 0)


@dataclasses.dataclass(frozen=True)
class Shown:
    """One crop of a sheet.

    Attributes:
      image: (rows, columns), grey value 0..1.
      mask: bool (rows, columns); pixels outside are shown in blue.
      caption: text below the crop.
    """

    image: np.ndarray
    mask: np.ndarray
    caption: str


def write_sheet(path: str | os.PathLike[str], crops: Sequence[Shown]) -> None:
    """Writes crops as a PNG, row by row in order, without rescaling.

    Raises:
      InputError: the file cannot be written.
    """
    places, height = _places([shown.image.shape for shown in crops])
    width = max(x + shown.image.shape[1] for (x, _), shown in zip(places, crops, strict=True))
    sheet = Image.new("RGB", (width + _GAP, height), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for (x, y), shown in zip(places, crops, strict=True):
        grey = to_bytes(np.clip(shown.image, 0, 1))
        sheet.paste(Image.fromarray(blue_outside(grey, shown.mask)), (x, y))
        draw.text((x, y + shown.image.shape[0] + 1), shown.caption, fill=_TEXT)
    with whole_file(path) as temporary:
        sheet.save(temporary, "PNG", pnginfo=png_text())


def _places(shapes: Sequence[tuple[int, ...]]) -> tuple[list[tuple[int, int]], int]:
    """Returns the upper left corner (x, y) of each crop, and the height of the sheet."""
    places, x, y, tallest = [], _GAP, _GAP, 0
    for rows, columns in shapes:
        if x > _GAP and x + columns > _WIDTH:
            x, y, tallest = _GAP, y + tallest + _CAPTION + _GAP, 0
        places.append((x, y))
        x, tallest = x + columns + _GAP, max(tallest, rows)
    return places, y + tallest + _CAPTION + _GAP
