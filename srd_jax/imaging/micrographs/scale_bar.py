"""Finds a burnt-in scale bar and measures its length.

A bar is a horizontal rectangle of black or white, or a row of rectangles of one length that are
black and white in turn. It may have an outline, ticks at its ends, and blurred edges.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from srd_jax.imaging.micrographs.flat_runs import Range, Rectangle, rectangles
from srd_jax.support.errors import InputError

# Of the columns: the length of a bar at least and at most, and of a segment at least.
_SHORTEST, _LONGEST, _SEGMENT = 0.025, 0.5, 0.01
_SHORTEST_PX, _SEGMENT_PX = 20, 10
# Of the length: the height at most.
_HIGHEST = 0.35

# Percentiles that are the picture's own range; a bar is darker or lighter than nearly all of it.
_PERCENTILES = (1, 99)
_SOME = 1_000_000

# Px between segments, and by which those of one colour differ; of their length: by which those of
# the other colour do, as an outline takes some.
_BETWEEN, _ALIKE, _DIFFERENT = 4, 3, 0.25

# Px around a row of segments that its outline may take.
_OUTLINE = 8

# Of a bar's length: where it differs from the rows above and below.
_CLEAR = 0.7
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
        found = find_bars(part)
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


def find_bars(grey: np.ndarray) -> list[Bar]:
    """Returns the scale bars of a picture, those that lie apart."""
    rows, columns = grey.shape
    limits = _range(grey)
    if limits is None or rows < 5:
        return []
    found = rectangles(grey, limits, max(_SEGMENT_PX, int(_SEGMENT * columns)))
    chains = _chains(found, limits)
    whole = [chain for chain in chains if _has_length(chain, columns)]
    for one in found:
        if not any(_covers(chain, one) for chain in chains) and _has_length(one, columns):
            bar = _alone(grey, one, limits)
            whole += [bar] if bar is not None else []
    # The longer one of two that lie over each other is a bar's outline, or its ticks.
    whole.sort(key=lambda one: (one not in chains, one.length))
    apart: list[Rectangle] = []
    for one in whole:
        if not any(_covers(other, one) or _covers(one, other) for other in apart):
            apart.append(one)
    return [Bar(_length(grey, one, limits), one.row0, one.column0) for one in apart]


def _range(grey: np.ndarray) -> Range | None:
    """Returns the range of the picture's grey values, widened; None if it has one value only."""
    step = max(1, int((grey.size / _SOME) ** 0.5))
    some = grey[::step, ::step]
    low, high = np.percentile(some, _PERCENTILES)
    if low == high:  # of a strip with little text
        low, high = float(grey.min()), float(grey.max())
        return Range(low, high) if low < high else None
    wider = 0.25 * (high - low)
    return Range(float(low - wider), float(high + wider))


def _has_length(one: Rectangle, columns: int) -> bool:
    shortest = max(_SHORTEST_PX, _SHORTEST * columns)
    return shortest <= one.length <= _LONGEST * columns and one.height <= _HIGHEST * one.length


def _chains(found: list[Rectangle], limits: Range) -> list[Rectangle]:
    """Returns rows of segments that are dark and light in turn."""
    chains = []
    for one in sorted(found, key=lambda one: one.column0):
        for chain in chains:
            last = chain[-1]
            rows = min(one.row1, last.row1) - max(one.row0, last.row0)
            alike = abs(one.length - chain[-2].length) <= _ALIKE if chain[1:] else True
            if (
                alike
                and 0 <= one.column0 - last.column1 <= _BETWEEN
                and rows >= 0.6 * min(one.height, last.height)
                and abs(one.length - last.length) <= max(_ALIKE, _DIFFERENT * last.length)
                and abs(one.value - last.value) >= 2 * limits.contrast
            ):
                chain.append(one)
                break
        else:
            chains.append([one])
    return [
        Rectangle(
            min(one.row0 for one in chain),
            max(one.row1 for one in chain),
            chain[0].column0,
            chain[-1].column1,
            chain[0].value,
        )
        for chain in chains
        if chain[1:]
    ]


def _covers(bar: Rectangle, other: Rectangle) -> bool:
    """Tells whether a rectangle lies within a bar and its outline."""
    return (
        bar.row0 - _OUTLINE <= other.row0
        and other.row1 <= bar.row1 + _OUTLINE
        and bar.column0 - _OUTLINE <= other.column0
        and other.column1 <= bar.column1 + _OUTLINE
    )


def _alone(grey: np.ndarray, one: Rectangle, limits: Range) -> Rectangle | None:
    """Returns a rectangle with its own rows, without those of an outline; None if it is no bar."""
    edge = 0.25 * (limits.high - limits.low) if limits.high - limits.low else 0
    extreme = min(one.value - limits.low, limits.high - one.value) <= edge
    high = int(_HIGHEST * one.length) + 2
    top, left = max(0, one.row0 - high), max(0, one.column0 - high)
    window = limits.of(grey[top : one.row1 + high, left : one.column1 + high])
    like = np.abs(window - one.value) < limits.contrast
    across = slice(one.column0 - left, one.column1 - left)
    full = like[:, across].mean(axis=1) >= 1 - (1 - _CLEAR) / 2
    middle = (one.row0 + one.row1) // 2 - top
    if not extreme or not full[middle]:
        return None
    row0 = middle - int(np.argmin(np.append(full[middle::-1], False))) + 1
    row1 = middle + int(np.argmin(np.append(full[middle:], False)))
    beyond = [like[row, across] for row in (row0 - 2, row1 + 1) if 0 <= row < len(like)]
    if len(beyond) < 2 or any(line.mean() > 1 - _CLEAR for line in beyond):
        return None
    parts, _ = ndimage.label(like)  # type: ignore[misc]
    part = parts[middle, (across.start + across.stop) // 2]
    area = one.length * (row1 - row0)
    if not part or np.count_nonzero(parts == part) > _CONNECTED * area:
        return None
    return one._replace(row0=row0 + top, row1=row1 + top)


def _length(grey: np.ndarray, bar: Rectangle, limits: Range) -> float:
    """Returns the length of a bar, with the parts of the pixels at its ends that it covers."""
    trim = 1 if bar.height > 3 else 0
    rows = limits.of(grey[bar.row0 + trim : bar.row1 - trim])
    ends = (
        (bar.column0 - 2, bar.column0 - 1, bar.column0),
        (bar.column1 + 1, bar.column1, bar.column1 - 1),
    )
    length = float(bar.length)
    for outside, edge, inside in ends:
        beyond, between, value = (float(np.median(rows[:, at])) for at in (outside, edge, inside))
        if abs(value - beyond) >= limits.contrast:
            length += float(np.clip((between - beyond) / (value - beyond), 0, 1))
    return length
