"""Draws overlays: the traced lamellae of a crop, and on demand the network's attention on it."""

import pathlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from srd_jax.imaging import SHORTEST_PERIOD_PX
from srd_jax.imaging.folders import OVERLAY_ENDING, picture_path
from srd_jax.imaging.masks import Box
from srd_jax.imaging.picture import png_text, to_bytes
from srd_jax.measuring.lamellae.picture import lamellae_picture
from srd_jax.measuring.measure_files import Measured
from srd_jax.measuring.result import Result
from srd_jax.networks.receptive_field import Geometry
from srd_jax.support.drawing import FAINT_INK, framed, join, text
from srd_jax.support.errors import InputError
from srd_jax.support.files import whole_file
from srd_jax.support.terminal import printable
from srd_jax.tasks.period.attention import head_colours, spread, superimpose

_Ink = tuple[int, int, int]

BLACK, _OUTLINE = (0, 0, 0), (200, 200, 200)
COMB = (0, 230, 255)  # apart from grey, red, green and their mixture
_DIM = 0.35  # grey value kept outside of the mask
_SIDE = 900  # px to which small crops are magnified, about
_NOTE = "brightness: √(attention / its maximum)"


def write_overlay(
    folder: pathlib.Path, root: pathlib.Path, one: Measured, field: Geometry | None
) -> None:
    """Writes the overlay of a measured granum; see `folders.picture_path` for its path.

    Args:
      folder: of the overlays.
      root: folder above all files.
      one: measured granum; nothing is drawn for an error. Its attention is drawn if it has any.
      field: geometry of the network; None for a method without attention.

    Raises:
      InputError: the attention is invalid, or the file cannot be written.
    """
    crop, measurement = one.crop, one.measurement
    if crop is None or measurement is None:
        return
    views, legend = [], []
    if measurement.attention is not None and field is not None:
        heads = spread(measurement.attention[0], field.receptive_field, field.stride)
        views = [overlay(crop.image, crop.mask, heads, measurement.box)]
        legend = [_legend(len(heads))]
    picture = lamellae_picture(
        crop.image,
        crop.mask,
        measurement.period_px,
        measurement.sd_px,
        _caption(one.result),
        one.result.px_per_nm,
        views,
    )
    path = overlay_path(folder, root, one.result)
    _write(path, join([np.asarray(picture), *map(framed, legend)], 0, gap=0))


def overlay_path(folder: pathlib.Path, root: pathlib.Path, result: Result) -> pathlib.Path:
    """Returns the path of an overlay; see `folders.picture_path`.

    Args:
      folder: of the overlays.
      root: folder above all files.
      result: of the granum.
    """
    label = "" if result.label is None else f".{result.label}"
    return picture_path(folder, root, pathlib.Path(result.file), label + OVERLAY_ENDING)


def _caption(result: Result) -> str:
    """Returns the lines above an overlay: file, period, status and reasons."""
    granum = "" if result.label is None else f" granum {result.label}"
    text = f"{printable(pathlib.Path(result.file).name)}{granum}\nperiod {result.period_px:.2f}"
    if result.sd_px is not None:
        text += f" ± {result.sd_px:.2f}"
    text += " px"
    if result.period_nm is not None:
        text += f" = {result.period_nm:.2f}"
        if result.sd_nm is not None:
            text += f" ± {result.sd_nm:.2f}"
        text += " nm"
    if result.quality is not None:
        text += f", quality {result.quality:.2f}"
    return text + "\n".join([f" ({result.status})", *result.reason.split("; ")])


def overlay(
    image: np.ndarray, mask: np.ndarray | None, heads: np.ndarray | None, box: Box
) -> np.ndarray:
    """Lays the attention on the crop, dims what is outside of the mask, and outlines the box.

    Args:
      image: (rows, columns) grey values 0..1 of the crop.
      mask: bool (rows, columns), True inside of the granum; None if all of the crop is.
      heads: (heads, frame rows, frame columns) attention of each pixel of the frame, see
        `attention.spread`; None without attention.
      box: measured part of the crop, which the frame shows.

    Returns:
      (rows, columns, 3) uint8 RGB.

    Raises:
      InputError: the attention is invalid, see `attention.superimpose`.
      ValueError: the mask isn't the image's size, or the box is empty or reaches out of it.
    """
    _require_box(image, mask, box)
    top, bottom, left, right = box
    rgb = np.repeat(to_bytes(np.clip(image, 0.0, 1.0))[..., None], 3, axis=2)
    if heads is not None:
        on_box = np.stack([_resize(head, (bottom - top, right - left)) for head in heads])
        rgb[top:bottom, left:right] = superimpose(on_box, image[top:bottom, left:right])
    if mask is not None:
        rgb = np.where(mask[..., None], rgb, to_bytes(rgb / 255.0 * _DIM))
    if box != (0, image.shape[0], 0, image.shape[1]):
        rgb[[top, bottom - 1], left:right] = rgb[top:bottom, [left, right - 1]] = _OUTLINE
    return rgb


def ruler(
    image: np.ndarray, mask: np.ndarray | None, box: Box, period_px: float
) -> tuple[int, np.ndarray]:
    """Places a comb with the predicted period at the left end of the lamellae.

    Only the spacing is predicted. The offset puts the teeth on dark rows: it is the phase of the
    Fourier component with this period in a strip right of the comb, a tenth of the box wide. In a
    box lower than two periods the first tooth is at the top.

    Args:
      image, mask, box: see `overlay`.
      period_px: predicted period, px of the crop.

    Returns:
      The column of the comb, and the rows of its teeth, px of the crop; whole numbers are the
      centres of pixels.

    Raises:
      InputError: the period isn't a finite number from 2 px on.
      ValueError: see `overlay`.
    """
    _require_box(image, mask, box)
    if not SHORTEST_PERIOD_PX <= period_px < np.inf:
        raise InputError(
            f"period: found {period_px} px; "
            f"a ruler takes a number from {SHORTEST_PERIOD_PX:g} px up"
        )
    top, bottom, left, right = box
    inside = np.ones(image.shape, bool) if mask is None else np.asarray(mask, bool)
    inside = inside[top:bottom, left:right]
    height = inside.sum(axis=0)
    # The first columns of a rounded granum hold few lamellae.
    start = int(np.argmax(height >= 0.75 * height.max()))
    strip = slice(start, start + max(1, (right - left) // 10))
    offset = 0.0
    if bottom - top >= 2 * period_px and inside[:, strip].any():
        grey = image[top:bottom, left:right][:, strip]
        contrast = np.where(inside[:, strip], grey - grey[inside[:, strip]].mean(), 0.0).sum(axis=1)
        wave = np.exp(-2j * np.pi * np.arange(bottom - top) / period_px)
        offset = (0.5 - np.angle(contrast @ wave) / (2 * np.pi)) % 1.0 * period_px
    return left + start, np.arange(top + offset, bottom, period_px)


def magnified(picture: Image.Image) -> tuple[Image.Image, int]:
    """Magnifies a picture by a whole factor to about 900 px, and returns the factor too."""
    scale = max(1, _SIDE // max(picture.size))
    size = (picture.width * scale, picture.height * scale)
    return picture.resize(size, Image.Resampling.BICUBIC), scale


def draw_comb(
    pen: ImageDraw.ImageDraw,
    x: float,
    teeth: np.ndarray,
    ends: tuple[float, float],
    length: float,
    strokes: Sequence[tuple[_Ink, int]],
) -> None:
    """Draws a comb with its teeth to the right.

    Args:
      pen: of the picture.
      x: column of the back.
      teeth: (N,) rows of the teeth.
      ends: first and last row of the back.
      length: of the teeth, px.
      strokes: colour and width of each stroke, drawn over each other.
    """
    lines = [((x, ends[0]), (x, ends[1])), *(((x, y), (x + length, y)) for y in teeth)]
    for colour, width in strokes:
        for line in lines:
            pen.line(line, fill=colour, width=width)


def _require_box(image: np.ndarray, mask: np.ndarray | None, box: Box) -> None:
    if mask is not None and mask.shape != image.shape:
        raise ValueError(f"mask has shape {mask.shape}, but image {image.shape}")
    top, bottom, left, right = box
    if not (0 <= top < bottom <= image.shape[0] and 0 <= left < right <= image.shape[1]):
        raise ValueError(f"box {box} is empty or reaches out of an image of shape {image.shape}")


def _resize(plane: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resamples a plane to (rows, columns) bilinearly; an axis that shrinks is averaged."""
    floats = Image.fromarray(plane.astype(np.float32))
    return np.asarray(floats.resize((shape[1], shape[0]), Image.Resampling.BILINEAR))


def _legend(heads: int) -> np.ndarray:
    swatches = [np.tile(colour, (16, 16, 1)) for colour in to_bytes(head_colours(heads))]
    parts = [
        join([swatch, text(f"attention of head {number}", 13)], 1, gap=5)
        for number, swatch in enumerate(swatches, 1)
    ]
    return join([*parts, text(_NOTE, 13, ink=FAINT_INK)], 1, gap=20)


def _write(path: pathlib.Path, picture: np.ndarray) -> None:
    with whole_file(path) as temporary:
        Image.fromarray(picture).save(temporary, format="PNG", pnginfo=png_text())
