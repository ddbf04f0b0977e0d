"""Draws a granum beside itself with its lamellae traced and its layers numbered."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw

from srd_jax.imaging.picture import to_bytes
from srd_jax.imaging.preparation import reduced
from srd_jax.measuring.lamellae.counting import columns_layers, counted
from srd_jax.measuring.lamellae.phase import Phase, lamella_phase
from srd_jax.measuring.lamellae.tracing import Line, darkest, trace
from srd_jax.support import drawing
from srd_jax.support.errors import InputError, one_line

# Orange of Okabe and Ito's palette, which is apart from grey for all kinds of colour vision.
LINE = (230, 159, 0)
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)
# Larger side of small crops and of all crops, and height of a layer, px of the picture.
_SIDE, _LARGEST, _LAYER = 900, 1400, 14
# Wider crops are drawn above each other rather than side by side.
_WIDE = 1.6
# Confidence from which a line is opaque, and opacity of the faintest one.
_OPAQUE, _FAINTEST = 0.75, 0.15
_SHARPER = 2  # times as many pixels, for smooth lines
_LETTERS, _FEW = 14, 6
# Relative sd of the period from which on its lines are ever fainter, and no layers are numbered.
_UNSURE, _DOUBTFUL = 0.1, 0.3
_CUBIC = Image.Resampling.BICUBIC
_BAR_SHARE = 0.3  # longest scale bar, of the picture's width


def lamellae_picture(
    grey: ArrayLike,
    mask: ArrayLike,
    period_px: float,
    sd_px: float | None,
    caption: str,
    px_per_nm: float | None,
    more: Sequence[np.ndarray] = (),
) -> Image.Image:
    """Draws a crop untouched and with its lamellae traced, layers numbered and a scale bar.

    Small crops are magnified by a whole number. Where the lamellae can't be followed, the crop is
    drawn alone, and the reason stands below.

    Args:
      grey: (rows, columns) grey values 0..1 of the crop, its lamellae about horizontal.
      mask: (rows, columns), True inside of the granum.
      period_px: measured period, px of the crop.
      sd_px: its standard deviation, px of the crop; None if it isn't known.
      caption: lines of text above, the first in bold.
      px_per_nm: scale of the crop; None draws no scale bar.
      more: further views, (rows, columns, 3) uint8 RGB each, of the crop's size.
    """
    grey, mask = np.asarray(grey, np.float64), np.asarray(mask).astype(bool)
    if (factor := _reduction(grey.shape, period_px)) > 1:
        mask = reduced(grey, mask, factor)[1]
        grey = reduced(grey, np.ones_like(grey, bool), factor)[0]
        period_px, sd_px = period_px / factor, None if sd_px is None else sd_px / factor
        px_per_nm = None if px_per_nm is None else px_per_nm / factor
    plain = np.repeat(to_bytes(np.clip(grey, 0.0, 1.0))[..., None], 3, axis=2)
    scale = _magnification(grey.shape, period_px)
    views = [_resized(plain, scale)]
    try:
        phase = lamella_phase(grey, mask, period_px)
        number, sd = counted(phase, mask, period_px, sd_px)
        relative = 0.0 if sd_px is None else sd_px / period_px
        lines = trace(phase, grey, mask)
        view = _with_lines(views[0], lines, scale, phase.period_px, relative)
        note = f"lamellae, faint where doubtful; {number:.1f} ± {sd:.1f} layers"
        if relative < _DOUBTFUL:
            view = _numbered(view, phase, darkest(phase, grey, mask), mask, number, scale)
        else:
            note += " (the period is doubtful)"
        views.append(view)
        swatch = [np.tile(np.array(LINE, np.uint8), (3, 24, 1))]
    except InputError as error:
        note, swatch = f"lamellae not traced: {one_line(error)}", []
    size = views[0].shape[1], views[0].shape[0]
    views += [np.asarray(Image.fromarray(one).resize(size, _CUBIC)) for one in more]
    shown = drawing.join(views, axis=0 if grey.shape[1] > _WIDE * grey.shape[0] else 1)
    if px_per_nm is not None:
        swatch.insert(0, _scale_bar(views[0].shape[1], scale * px_per_nm))
    legend = drawing.join([*_centred(swatch), drawing.text(note, 13)], 1)
    width = max(shown.shape[1], 320)
    parts = [drawing.title(caption, width), shown, legend]
    return Image.fromarray(drawing.framed(drawing.join(parts, 0)))


def _reduction(shape: tuple[int, ...], period_px: float) -> int:
    """Returns by how much a large crop is reduced first, so that memory and time are bounded."""
    spare = period_px / _LAYER if math.isfinite(period_px) else 1.0
    return max(min(max(shape) // _LARGEST, int(spare)), 1)


def _magnification(shape: tuple[int, ...], period_px: float) -> float:
    """Returns px of the picture per px of the crop: a whole number, or less than 1."""
    longest = max(shape)
    if longest > _LARGEST:
        return _LARGEST / longest
    legible = math.ceil(_LAYER / period_px) if period_px >= _LAYER / 4 else 1
    return float(max(_SIDE // longest, min(legible, _LARGEST // longest), 1))


def _resized(view: np.ndarray, scale: float) -> np.ndarray:
    height, width = (max(round(scale * length), 1) for length in view.shape[:2])
    return np.asarray(Image.fromarray(view).resize((width, height), _CUBIC))


def _with_lines(
    view: np.ndarray, lines: Sequence[Line], scale: float, period_px: float, relative_sd: float
) -> np.ndarray:
    """Returns a view with the traced lamellae."""
    height, width = view.shape[:2]
    ink = Image.new("RGBA", (_SHARPER * width, _SHARPER * height), (*LINE, 0))
    pen = ImageDraw.Draw(ink)
    thickness = round(_SHARPER * min(max(1.2, 0.1 * scale * period_px), 3))
    strength = min(1.0, _UNSURE / max(relative_sd, 1e-9))
    for line in lines:
        points = _SHARPER * scale * (np.stack([line.x, line.y], axis=1) + 0.5)
        sure = np.clip(line.confidence / _OPAQUE, 0, 1) ** 2
        opacity = to_bytes(strength * (_FAINTEST + (1 - _FAINTEST) * sure))
        for start, end, alpha in zip(points[:-1], points[1:], opacity[1:], strict=True):
            pen.line((*start, *end), fill=(*LINE, int(alpha)), width=thickness)
    picture = Image.fromarray(view).convert("RGBA")
    picture.alpha_composite(ink.resize((width, height), Image.Resampling.BOX))
    return np.asarray(picture.convert("RGB"))


def _numbered(
    view: np.ndarray, phase: Phase, dark: float, mask: np.ndarray, number: float, scale: float
) -> np.ndarray:
    """Returns a view with a scale across the stack: a tick on every lamella, numbers of layers."""
    picture = Image.fromarray(view)
    pen, column = ImageDraw.Draw(picture), _reference(phase, mask, number)
    turns = np.maximum.accumulate(phase.turns[:, column].astype(float)) - dark
    first, layers = round(turns[mask[:, column].argmax()]), max(round(number), 1)

    def row(turn: float) -> float:
        return scale * (float(np.interp(turn, turns, np.arange(len(turns)))) + 0.5)

    x, ticks = scale * (column + 0.5), [row(first + layer) for layer in range(layers + 1)]
    for colour, width in ((_BLACK, 3), (_WHITE, 1)):
        pen.line((x, ticks[0], x, ticks[-1]), fill=colour, width=width)
        for tick in ticks:
            pen.line((x - 4, tick, x + 4, tick), fill=colour, width=width)
    letters = drawing.font(_LETTERS, bold=True)
    for layer in _labelled(layers):
        y = min(max(row(first + layer - 0.5), _LETTERS / 2), picture.height - _LETTERS / 2)
        pen.text((x + 7, y), str(layer), _WHITE, letters, "lm", stroke_width=2, stroke_fill=_BLACK)
    return np.asarray(picture)


def _labelled(layers: int) -> list[int]:
    """Returns the numbers that are written: all of a few, else 1, 5, 10, … and the last."""
    if layers <= _FEW:
        return list(range(1, layers + 1))
    return [1, *range(5, layers - 1, 5), layers]


def _reference(phase: Phase, mask: np.ndarray, number: float) -> int:
    """Returns a column that has the granum's number of layers, towards the left of such columns."""
    columns = np.flatnonzero(mask.any(axis=0))
    _, layers, trust = columns_layers(phase, mask)
    away = np.abs(layers - number)
    fitting = away <= max(0.5, float(away.min()))
    fitting &= trust >= 0.8 * trust[fitting].max()
    kept = columns[fitting]
    return int(kept[len(kept) // 10])


def _scale_bar(width: int, px_per_nm: float) -> np.ndarray:
    """Returns a bar of a round length, with it in nm, for a picture of a width and a scale."""
    longest = _BAR_SHARE * width / px_per_nm
    power = 10.0 ** math.floor(math.log10(longest))
    length = max(times * power for times in (1, 2, 5) if times * power <= longest)
    bar = np.zeros((6, max(round(length * px_per_nm), 1), 3), np.uint8)
    return drawing.join(_centred([bar, drawing.text(f"{length:g} nm", 13)]), 1, gap=6)


def _centred(blocks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Returns blocks with white above the lower ones, so that a row of them is centred."""
    tallest = max([18, *(len(block) for block in blocks)])
    return [
        np.pad(block, (((tallest - len(block)) // 2, 0), (0, 0), (0, 0)), constant_values=255)
        for block in blocks
    ]
