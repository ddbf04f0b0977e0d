"""Draws a micrograph with its grana: outline, number, direction, colour by status, scale bar."""

import math
import pathlib

import numpy as np
from PIL import Image, ImageDraw

from srd_jax.analysis.granum import Analysis, Granum
from srd_jax.analysis.output.outlines import COLOURS
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.support import drawing
from srd_jax.support.errors import unexpected
from srd_jax.support.files import whole_file

MOST_PX = 1600  # of the longer side
_LEAST_PX = 800  # smaller micrographs are magnified
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)
_EXTREMES = (0.5, 99.5)  # percentiles that become black and white
# Beside the number, so that the colour isn't needed.
_MARKS = {"ok": "", "low_confidence": "?", "error": "!", "excluded": "×"}
_BAR_SHARE = 0.25  # of the width, at most


def write(path: pathlib.Path, micrograph: Micrograph, analysis: Analysis) -> list[str]:
    """Writes the picture as a JPEG; returns why it couldn't be drawn, [] if it could.

    Raises:
      InputError: the file can't be written.
    """
    try:
        drawn = picture(micrograph, analysis)
    except Exception as error:
        return [f"{analysis.file}: the micrograph couldn't be drawn ({unexpected(error)})"]
    with whole_file(path) as temporary:
        # Subsampled colours would wash out the lines.
        drawn.save(temporary, "JPEG", quality=88, subsampling=0)
    return []


def picture(micrograph: Micrograph, analysis: Analysis) -> Image.Image:
    """Draws a micrograph, reduced to at most `MOST_PX`, and what was found on it."""
    means, factor = reduced(micrograph.grey)
    shown = Image.fromarray(stretched(means))
    larger = max(1, _LEAST_PX // max(shown.size))
    shown = shown.resize(
        (shown.width * larger, shown.height * larger), Image.Resampling.BICUBIC
    ).convert("RGB")
    scale = larger / factor
    pen, unit = ImageDraw.Draw(shown), max(1, round(max(shown.size) / 600))
    for granum in analysis.grana:
        _outline(pen, granum, scale, unit)
    for granum in analysis.grana:  # above all outlines
        _number(pen, granum, scale, unit, shown.size)
    if analysis.px_per_nm is not None:
        draw_bar(shown, analysis.px_per_nm * scale)
    return shown


def reduced(grey: np.ndarray, most: int = MOST_PX) -> tuple[np.ndarray, int]:
    """Returns means over square blocks of pixels, and the side of a block.

    Blocks at the right and lower border may be smaller. No more than a row of blocks is converted
    at a time.

    Args:
      grey: (rows, columns) of any type of number.
      most: longest side of the result, px.

    Returns:
      float32 (rows, columns), and the side.
    """
    side = -(-max(grey.shape) // most)
    starts = np.arange(0, grey.shape[1], side)
    widths = np.diff([*starts, grey.shape[1]])
    rows = []
    for top in range(0, grey.shape[0], side):
        mean = grey[top : top + side].mean(axis=0, dtype=np.float64)
        rows.append((np.add.reduceat(mean, starts) / widths).astype(np.float32))
    return np.stack(rows), side


def stretched(values: np.ndarray) -> np.ndarray:
    """Returns uint8 grey values, of which one in two hundred is black and one in two hundred white.

    Args:
      values: floats (rows, columns); those that aren't finite become black.
    """
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    low, high = np.percentile(values[finite], _EXTREMES)
    if not low < high:
        return np.full(values.shape, 128, np.uint8)
    share = np.where(finite, (values - low) / (high - low), 0.0)
    return np.rint(255 * share.clip(0, 1)).astype(np.uint8)


def _outline(pen: ImageDraw.ImageDraw, granum: Granum, scale: float, unit: int) -> None:
    colour = COLOURS[granum.status]
    # Pillow draws in coordinates of the centres of pixels.
    points = [(x * scale - 0.5, y * scale - 0.5) for x, y in granum.outline]
    lines = [[*points, *points[:2]]] if len(points) > 2 else []
    if granum.direction_deg is not None:
        angle = math.radians(granum.direction_deg.value)
        length = 0.35 * (granum.diameter_px.value * scale if granum.diameter_px else 30 * unit)
        x, y = granum.x_px * scale - 0.5, granum.y_px * scale - 0.5
        dx, dy = length * math.cos(angle), -length * math.sin(angle)
        lines.append([(x - dx, y - dy), (x + dx, y + dy)])
    for ink, width in ((_BLACK, unit + 2), (colour, unit)):
        for line in lines:
            pen.line(line, fill=ink, width=width, joint="curve")


def _number(
    pen: ImageDraw.ImageDraw, granum: Granum, scale: float, unit: int, size: tuple[int, int]
) -> None:
    """Writes the number of a granum at the upper right of its outline."""
    text, font = f"{granum.number}{_MARKS[granum.status]}", drawing.font(13 * unit)
    points = granum.outline or ((granum.x_px, granum.y_px),)
    # The outline's point that lies farthest up, and somewhat to the right.
    x, y = max(points, key=lambda point: point[0] - 2 * point[1])
    _, top, width, bottom = pen.textbbox((0, 0), text, font, stroke_width=unit)
    place = (
        min(max(x * scale + unit, 0), size[0] - width),
        min(max(y * scale - bottom, -top), size[1] - bottom),
    )
    pen.text(place, text, COLOURS[granum.status], font, stroke_width=unit, stroke_fill=_BLACK)


def draw_bar(shown: Image.Image, px_per_nm: float) -> None:
    """Draws a scale bar of a round length into the lower left corner of a picture.

    Args:
      shown: RGB picture.
      px_per_nm: its own scale.
    """
    length = round_length(_BAR_SHARE * shown.width / px_per_nm)
    pen, unit = ImageDraw.Draw(shown), max(1, round(max(shown.size) / 600))
    font = drawing.font(14 * unit)
    left, bottom = 10 * unit, shown.height - 10 * unit
    right = left + length * px_per_nm
    pen.rectangle(
        (left - unit, bottom - 4 * unit, right + unit, bottom + unit), fill=_WHITE, outline=_BLACK
    )
    text = f"{length / 1000:g} µm" if length >= 1000 else f"{length:g} nm"
    pen.text(
        (left, bottom - 6 * unit),
        text,
        _WHITE,
        font,
        anchor="ls",
        stroke_width=unit,
        stroke_fill=_BLACK,
    )


def round_length(most: float) -> float:
    """Returns the longest of 1, 2 or 5 times a power of ten that isn't above a length."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(factor * power for factor in (1, 2, 5) if factor * power <= most)
