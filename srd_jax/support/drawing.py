"""Draws text and joins pictures; all are (rows, columns, 3) uint8 RGB on white."""

import functools
import pathlib
from collections.abc import Sequence

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

INK, FAINT_INK = (20, 20, 20), (95, 95, 95)
GAP = 10  # px between the parts of a picture


@functools.cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Returns DejaVu Sans, which comes with Matplotlib, in px."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf", name), size)


def text(line: str, size: int = 14, bold: bool = False, ink: tuple = INK) -> np.ndarray:
    """Returns one line of text."""
    letters = font(size, bold)
    block = Image.new("RGB", (int(letters.getlength(line)) + 2, round(size * 1.3)), "white")
    ImageDraw.Draw(block).text((0, 0), line, fill=ink, font=letters)
    return np.asarray(block)


def title(lines: str, width: int | None = None) -> np.ndarray:
    """Returns lines of text, the first in bold; longer ones are broken between words to a width."""
    first, *others = lines.splitlines() or [""]
    blocks = [text(part, 16, bold=True) for part in _broken(first, font(16, True), width)]
    for line in others:
        blocks += [text(part) for part in _broken(line, font(14), width)]
    return join(blocks, 0, gap=2)


def _broken(line: str, letters: ImageFont.FreeTypeFont, width: int | None) -> list[str]:
    """Returns a line in parts that fit a width, px, unless a word is longer; None leaves it."""
    if width is None:
        return [line]
    parts, words = [], line.split(" ")
    while words:
        fitting = len(words)
        while fitting > 1 and letters.getlength(" ".join(words[:fitting])) > width:
            fitting -= 1
        parts.append(" ".join(words[:fitting]))
        words = words[fitting:]
    return parts


def join(blocks: Sequence[np.ndarray], axis: int, gap: int = GAP) -> np.ndarray:
    """Joins pictures on white: from top to bottom (axis 0) or from left to right (axis 1)."""
    breadth = max(block.shape[1 - axis] for block in blocks)
    padded = []
    for number, block in enumerate(blocks):
        padding = [(0, 0), (0, 0), (0, 0)]
        padding[axis] = (gap if number else 0, 0)
        padding[1 - axis] = (0, breadth - block.shape[1 - axis])
        padded.append(np.pad(block, padding, constant_values=255))
    return np.concatenate(padded, axis)


def framed(picture: np.ndarray) -> np.ndarray:
    """Returns a picture with a white margin."""
    return np.pad(picture, ((GAP, GAP), (GAP, GAP), (0, 0)), constant_values=255)
