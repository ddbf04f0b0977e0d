"""Draws attention maps in colour: each head alone, all heads, and all heads on the image.

Brightness is the square root of a head's attention over its own maximum, so 1 % of the maximum
still shows at 10 %. Head 1 is red and head 2 is green, as in the reference's lecture.
"""

import colorsys
import math
import os
import pathlib

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from srd_jax.imaging.picture import to_bytes
from srd_jax.networks.receptive_field import Geometry, Size
from srd_jax.support.errors import InputError
from srd_jax.support.files import PNG_TEXT, whole_file

# Inches: width of a page's text, largest panel, gap between panels, height of a line of text.
_WIDTH, _LARGEST, _GAP, _LINE = 7.2, 2.4, 0.08, 0.17
_SIZE = 8  # of letters, points
_MOST_COLUMNS = 6
_DPI = 300
_POOLS = ("period", "sd")
_STRENGTH = 0.6  # share of the colour at the maximum of a head's attention
_TICKS = (0, 1, 10, 25, 50, 100)  # per cent of the maximum


def title(
    name: str,
    period: float,
    sd: float | None = None,
    true: float | None = None,
    scale: float | None = None,
) -> str:
    """Returns a title: the name of an image, and below it its periods, px of frame and crop.

    Args:
      name: of the image.
      period: predicted, px of the frame.
      sd: predicted, px of the frame; None where the network gives none.
      true: period, px of the frame; None where it isn't known.
      scale: px of the frame per px of the crop, vertically; None for images without a crop.
    """
    lines = [name]
    for unit, factor in (("frame", 1.0), ("crop", scale)):
        if factor is not None:
            values = {"true period": true, "predicted": period, "sd": sd}
            words = [
                f"{word} {value / factor:.2f} px"
                for word, value in values.items()
                if value is not None
            ]
            lines.append(f"{', '.join(words)} of the {unit}")
    return "\n".join(lines)


def attention_figure(
    image: np.ndarray, attention: np.ndarray, geometry: Geometry, text: str
) -> Figure:
    """Draws panels for each pool: each head alone, all heads on black, all heads on the image.

    A single head has no panel of all heads. More than four heads take several lines.

    Args:
      image: (frame rows, frame columns) grey values 0..1 of the network's input frame.
      attention: (pools, heads, rows, columns) from the network, on its grid of positions; pools are
        (period,) or (period, sd).
      geometry: of the network; a white rectangle as large as the receptive field marks the first
        panel of each pool.
      text: the title, its first line set in bold.

    Returns:
      The figure, on an Agg canvas, as wide as a page's text and as high as it needs.

    Raises:
      InputError: the values can't be attention; see `superimpose`.
      ValueError: the grid doesn't fit the frame.
    """
    maps = spread(attention, geometry.receptive_field, geometry.stride)
    pools = [
        (f"attention for the {name}", _panels(heads, image))
        for name, heads in zip(_POOLS, maps, strict=False)
    ]
    lines = math.ceil(len(pools[0][1]) / _MOST_COLUMNS)
    columns = math.ceil(len(pools[0][1]) / lines)
    width = min(_LARGEST, (_WIDTH - _GAP * (columns - 1)) / columns)
    height = min(_LARGEST, width * image.shape[0] / image.shape[1])
    titles = text.splitlines()
    line_height = _LINE + height + _GAP
    pool_height = 1.5 * _LINE + lines * line_height
    stripes = max(_LINE, 0.04 * attention.shape[1])
    page = _Page(_LINE * (len(titles) + 3) + len(pools) * pool_height + stripes)
    for number, line in enumerate(titles):
        page.write(0, _LINE * (number + 0.8), line, bold=number == 0)
    top = _LINE * (len(titles) + 0.3)
    for name, panels in pools:
        page.write(0, top + _LINE, name, bold=True)
        for number, (label, panel) in enumerate(panels):
            line, column = divmod(number, columns)
            left, above = column * (width + _GAP), top + 1.5 * _LINE + line * line_height
            page.write(left, above + 0.75 * _LINE, label)
            axes = page.axes(left, above + _LINE, width, height)
            axes.imshow(panel)
            axes.set_axis_off()
            if not number:
                _draw_field(axes, geometry.receptive_field)
        top += pool_height
    _draw_scale(page.axes(0, top + 0.7 * _LINE, _LARGEST, stripes), attention.shape[1])
    rows, across = geometry.receptive_field
    page.write(
        _LARGEST + 0.4,
        top + 1.4 * _LINE,
        f"white frame: what one position of the grid sees, {rows} × {across} px of the frame",
    )
    return page.figure


def write_figure(path: str | os.PathLike[str], figure: Figure) -> None:
    """Writes a figure as a PNG of 300 dpi, and as a PDF beside it.

    Args:
      path: of the PNG; the PDF has its name with the ending .pdf.
      figure: on an Agg canvas.

    Raises:
      InputError: a file can't be written.
    """
    # Journals refuse fonts of type 3. Without a date, the same data give the same PDF.
    with matplotlib.rc_context({"pdf.fonttype": 42}):
        for target, metadata in (
            (pathlib.Path(path), PNG_TEXT),
            (pathlib.Path(path).with_suffix(".pdf"), {"CreationDate": None}),
        ):
            with whole_file(target) as temporary:
                figure.savefig(
                    temporary, format=target.suffix.removeprefix("."), dpi=_DPI, metadata=metadata
                )


def spread(
    attention: np.ndarray, receptive_field: tuple[int, int], stride: tuple[int, int]
) -> np.ndarray:
    """Spreads the weight of each grid position evenly over its receptive field.

    Args:
      attention: (..., grid rows, grid columns) weights, which sum to 1 over the grid.
      receptive_field: rows and columns of a position's receptive field, px.
      stride: rows and columns between neighbouring positions, px.

    Returns:
      (..., frame rows, frame columns) float32 attention of each pixel, with the same sum.
    """
    attention = np.asarray(attention, np.float64)
    rows = _shares(attention.shape[-2], receptive_field[0], stride[0])
    columns = _shares(attention.shape[-1], receptive_field[1], stride[1])
    return (rows @ (attention @ columns.T)).astype(np.float32)


def _shares(positions: int, size: int, step: int) -> np.ndarray:
    """Returns the share of each position in each pixel along one axis, (pixels, positions)."""
    first = step * np.arange(positions)
    pixel = np.arange(first[-1] + size)[:, None]
    return ((pixel >= first) & (pixel < first + size)) / size


def head_colours(count: int) -> np.ndarray:
    """Returns (count, 3) RGB colours 0..1: red, green, blue, then hues halfway between these."""
    # The van der Corput sequence: mirrored binary digits always fall into the widest gap.
    turns = [divmod(head, 3) for head in range(count)]
    hues = [(k + int(f"{n:b}"[::-1], 2) / 2 ** n.bit_length()) / 3 for n, k in turns]
    return np.array([colorsys.hsv_to_rgb(hue, 1.0, 1.0) for hue in hues])


def superimpose(
    heads: np.ndarray, image: np.ndarray | None = None, colours: np.ndarray | None = None
) -> np.ndarray:
    """Colours the attention of the heads, on black or on an image.

    Args:
      heads: (heads, rows, columns) attention of each pixel.
      image: (rows, columns) grey values 0..1, or None for black.
      colours: (heads, 3) RGB 0..1, or None for `head_colours`.

    Returns:
      (rows, columns, 3) uint8 RGB.

    Raises:
      InputError: the attention of a head is negative, not finite, or zero everywhere.
      ValueError: the shapes differ.
    """
    peaks = heads.max(axis=(1, 2), keepdims=True)
    # NaN fails every comparison, so it is refused too.
    if not (np.all(heads >= 0) and np.all(peaks > 0) and np.all(peaks < np.inf)):
        raise InputError(
            f"attention: has values from {heads.min()} to {heads.max()}; "
            "it must be finite, not negative, and positive somewhere in every head"
        )
    brightness = np.sqrt(heads / peaks)
    colours = head_colours(len(heads)) if colours is None else colours
    colour = np.einsum("hrc,hk->rck", brightness, colours).clip(0.0, 1.0)
    if image is None:
        return to_bytes(colour)
    if image.shape != heads.shape[1:]:
        raise ValueError(f"image has shape {image.shape}, but attention {heads.shape[1:]}")
    # Grey gives way to the sum of all heads' colours, so that the result stays within 1.
    grey = np.clip(image, 0.0, 1.0) * (1.0 - _STRENGTH * colour.max(axis=2))
    return to_bytes(grey[..., None] + _STRENGTH * colour)


class _Page:
    """A figure with parts placed in inches from its upper left corner."""

    def __init__(self, height: float):
        margin = 2 * _GAP
        self._size = (_WIDTH + margin, height + margin)
        self.figure = Figure(figsize=self._size, dpi=_DPI)
        FigureCanvasAgg(self.figure)

    def _place(self, left: float, below: float) -> tuple[float, float]:
        return (left + _GAP) / self._size[0], 1 - (below + _GAP) / self._size[1]

    def write(self, left: float, base: float, line: str, bold: bool = False) -> None:
        """Writes a line of text on a base line, without reading it as a formula."""
        weight = "bold" if bold else "normal"
        place = self._place(left, base)
        # Names of files may hold dollar signs.
        self.figure.text(*place, line, size=_SIZE, weight=weight, parse_math=False)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Returns axes at a place, with images in their upper left corner."""
        corner = self._place(left, top + height)
        axes = self.figure.add_axes((*corner, width / self._size[0], height / self._size[1]))
        axes.set_anchor("NW")
        return axes


def _panels(heads: np.ndarray, image: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Returns the label and the (rows, columns, 3) RGB image of each panel of a pool."""
    colours = head_colours(len(heads))
    panels = [
        (f"head {i + 1}", superimpose(heads[i : i + 1], colours=colours[i : i + 1]))
        for i in range(len(heads))
    ]
    if len(heads) > 1:
        panels.append(("all heads", superimpose(heads)))
    return [*panels, ("on the image", superimpose(heads, image))]


def _draw_field(axes: Axes, receptive_field: Size) -> None:
    """Outlines a receptive field in the lower left corner of a panel."""
    rows, columns = receptive_field
    bottom = axes.get_ylim()[0]
    # Inside of the panel, and thin, so that it hides little of the image.
    box = Rectangle((4, bottom - rows - 4), columns, rows, fill=False, edgecolor="w", linewidth=0.6)
    axes.add_patch(box)


def _draw_scale(axes: Axes, heads: int) -> None:
    """Draws the scale of brightness, 0 to 100 % of a head's maximum, a stripe for each head."""
    # Linear in brightness, so that the ticks of small shares stand apart.
    share = np.linspace(0, 1, 256) ** 2
    stripes = [superimpose(share[None, None], colours=one[None]) for one in head_colours(heads)]
    axes.imshow(np.concatenate(stripes), aspect="auto", extent=(0, 1, 0, 1))
    axes.set_xticks([math.sqrt(tick / 100) for tick in _TICKS], [f"{tick}" for tick in _TICKS])
    axes.set_yticks([])
    axes.tick_params(labelsize=_SIZE - 1, length=2, pad=1)
    axes.set_xlabel("attention, % of the head's maximum", size=_SIZE, labelpad=1)
