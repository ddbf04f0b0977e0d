"""Finds a burnt-in scale bar and measures its length.

A bar is a horizontal rectangle of black or white, or a row of rectangles of one length that are
black and white in turn. It may have an outline, ticks at its ends, and blurred edges.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from skimage.measure import label

from srd_jax.imaging.micrographs.flat_runs import Range, Rectangle, rectangles
from srd_jax.imaging.micrographs.segments import BETWEEN, OUTLINE, chains, joined
from srd_jax.support.errors import InputError

# Of the columns: the length of a bar at least and at most, and of a segment at least.
_SHORTEST, _LONGEST, _SEGMENT = 0.05, 0.5, 0.01
_SHORTEST_PX, _SEGMENT_PX = 24, 10
# Of the length: the height at most.
_HIGHEST = 0.35

# Percentiles that are the picture's own range; a bar is darker or lighter than nearly all of it.
# Of that range: by how much it is widened, and how near to its end a bar lies at least.
_PERCENTILES = (1, 99)
_WIDER, _EXTREME = 0.25, 0.03
_SOME = 1_000_000

# Pictures of two grey levels have more, and no bar that could be told from the rest.
_MAX_FOUND = 3000
# Px beyond the end of a bar that are looked at, and columns of a picture on each side of a bar.
_REACH = 6
_SIDES = slice(0, 2), slice(-2, None)

# Of a bar's length: where its rows have its value, and where those above and below differ.
_FILLED, _CLEAR = 0.95, 0.7
# What hangs together with a bar and has its value has less than this many times its area.
_CONNECTED = 1.9


class Bar(NamedTuple):
    """A scale bar.

    Attributes:
      length: px.
      row, column: of its upper left corner.
    """

    length: float
    row: int
    column: int


def measure_bar(picture: np.ndarray, strips: Sequence[np.ndarray] = ()) -> Bar | None:
    """Returns the scale bar of a file, that in a strip first; None if there is none.

    Args:
      picture: grey values (rows, columns), of any type.
      strips: the same of information strips.

    Raises:
      InputError: there are several.
    """
    for part in (*strips, picture):
        found = find_bars(part, is_strip=part is not picture)
        if len(found) > 1:
            said = ", ".join(
                f"{bar.length:.5g} px at column {bar.column}, row {bar.row}" for bar in found[:4]
            )
            raise InputError(
                f"has {len(found)} scale bars ({said}); accepted is one, or the scale by a table "
                "or a number"
            )
        if found:
            return found[0]
    return None


def find_bars(grey: np.ndarray, is_strip: bool = False) -> list[Bar]:
    """Returns the scale bars of a picture or of a strip, those that lie apart."""
    rows, columns = grey.shape
    limits = _range(grey, is_strip)
    if limits is None or rows < 5:
        return []
    least = max(_SEGMENT_PX, int(_SEGMENT * columns))
    found = [
        one
        for one in rectangles(grey, limits, least)
        if not limits.darkest < one.value < limits.lightest
        and one.height <= max(_HIGHEST * one.length, 2 * _SEGMENT_PX)
    ]
    if len(found) > _MAX_FOUND:
        return []
    bounded = {one: bar for one in found if (bar := _bounded(grey, one, limits)) is not None}
    rows_of_segments = [joined(one) for one in chains(grey, found, bounded, limits)]
    single = [bar for bar in bounded.values() if _is_apart(grey, bar, limits)]
    # The longer of two over each other is an outline, or what is left of a box around a bar; but
    # of two rows of segments it has all of them.
    rows_of_segments.sort(key=lambda one: -one.length)
    single.sort(key=lambda one: one.length)
    bars: list[Rectangle] = []
    for one in (*rows_of_segments, *single):
        if any(_covers(bar, one) or _covers(one, bar) or _beside(bar, one) for bar in bars):
            continue
        bars.append(one)
    return [
        Bar(_length(grey, one, limits, is_strip), one.row0, one.column0)
        for one in bars
        if _has_length(one, columns)
    ]


def _range(grey: np.ndarray, is_strip: bool) -> Range | None:
    """Returns the range of grey values, of a picture widened; None if there is one value only."""
    step = max(1, int((grey.size / _SOME) ** 0.5))
    low, high = (float(one) for one in np.percentile(grey[::step, ::step], _PERCENTILES))
    on_paper = is_strip or low == high
    if on_paper:
        low, high = float(grey.min()), float(grey.max())
    if low == high:
        return None
    span = high - low
    wider, within = 0 if on_paper else _WIDER * span, _EXTREME * span
    return Range(low - wider, high + wider, low + within, high - within)


def _has_length(one: Rectangle, columns: int) -> bool:
    shortest = max(_SHORTEST_PX, _SHORTEST * columns)
    return shortest <= one.length <= _LONGEST * columns and one.height <= _HIGHEST * one.length


def _covers(bar: Rectangle, other: Rectangle) -> bool:
    """Tells whether a rectangle lies within a bar and its outline or second row."""
    rows = max(OUTLINE, bar.height + BETWEEN)
    return (
        bar.row0 - rows <= other.row0
        and other.row1 <= bar.row1 + rows
        and bar.column0 - OUTLINE <= other.column0
        and other.column1 <= bar.column1 + OUTLINE
    )


def _beside(bar: Rectangle, other: Rectangle) -> bool:
    """Tells whether a longer rectangle lies right above or below a bar, as a box around it does."""
    gap = max(other.row0 - bar.row1, bar.row0 - other.row1)
    return (
        gap <= BETWEEN
        and other.column0 <= bar.column0 + BETWEEN
        and bar.column1 <= other.column1 + BETWEEN
    )


def _bounded(grey: np.ndarray, one: Rectangle, limits: Range) -> Rectangle | None:
    """Returns a rectangle with all rows of its value; None if the rows beyond don't differ."""
    high = int(_HIGHEST * one.length) + 2 * _SEGMENT_PX
    top = max(0, one.row0 - high)
    window = limits.of(grey[top : one.row1 + high, one.column0 : one.column1])
    like = np.abs(window - one.value) < limits.contrast
    full = like.mean(axis=1) >= _FILLED
    middle = (one.row0 + one.row1) // 2 - top
    if not full[middle]:
        return None
    row0 = middle - int(np.argmin(np.append(full[middle::-1], False))) + 1
    row1 = middle + int(np.argmin(np.append(full[middle:], False)))
    if row0 < 2 or row1 > len(like) - 2:
        return None
    # An outline may have a single px.
    for beyond in (like[row0 - 2 : row0], like[row1 : row1 + 2]):
        if beyond.mean(axis=1).min() > 1 - _CLEAR:
            return None
    return one._replace(row0=row0 + top, row1=row1 + top)


def _is_apart(grey: np.ndarray, one: Rectangle, limits: Range) -> bool:
    """Tells whether nothing but ticks hangs together with a rectangle and has its value."""
    rows = grey[one.row0 : one.row1, one.column0 - 2 : one.column1 + 2]
    beside = np.abs(limits.of(rows) - one.value) < limits.contrast
    if any(beside[:, side].mean(axis=0).min() > 1 - _CLEAR for side in _SIDES):
        return False
    high = int(_HIGHEST * one.length) + 2 * _SEGMENT_PX
    top, left = max(0, one.row0 - high), max(0, one.column0 - one.length)
    window = limits.of(grey[top : one.row1 + high, left : one.column1 + one.length])
    parts = np.asarray(label(np.abs(window - one.value) < limits.contrast, connectivity=1))
    middle = (one.row0 + one.row1) // 2 - top, (one.column0 + one.column1) // 2 - left
    area = np.count_nonzero(parts == parts[middle])
    return bool(parts[middle] and area <= _CONNECTED * one.length * one.height)


def _length(grey: np.ndarray, bar: Rectangle, limits: Range, is_strip: bool) -> float:
    """Returns the length of a bar, with the parts of the pixels at its ends that it covers."""
    trim = 1 if bar.height > 3 else 0
    columns = np.arange(bar.column0 - _REACH, bar.column1 + _REACH)
    rows = grey[bar.row0 + trim : bar.row1 - trim, np.clip(columns, 0, grey.shape[1] - 1)]
    line = np.median(limits.of(rows), axis=0)
    ends = line[_REACH::-1], line[-1 - _REACH :]
    return bar.length + sum(_beyond(end, limits.contrast, is_strip) for end in ends)


def _beyond(line: np.ndarray, contrast: float, on_paper: bool) -> float:
    """Returns how far a bar goes beyond its last whole pixel, px.

    Args:
      line: grey values from that pixel on, outwards.
      contrast: least difference between a bar and what surrounds it.
      on_paper: whether what surrounds it has one value.
    """
    value, edge, paper = line[0], line[1], np.median(line[2:])
    far = np.median(line[-2:])
    frame = np.abs(line[1:-2] - far)
    if on_paper and abs(value - far) < contrast <= frame.max():
        # A segment of the paper's value, which a frame ends.
        return float(np.clip(frame / frame.max(), 0, 1).sum())
    if abs(value - paper) < contrast:
        return 0.0
    return float(np.clip((edge - paper) / (value - paper), 0, 1))
