"""Finds the information strips that cameras put below or above a picture.

A strip takes the whole width. It has rows of one grey value, between them rows of text on that
value, and it ends abruptly at the picture. Nothing in a section does: the edges of resin, vacuoles
and filled corners aren't straight, or not along the rows, and they have the grain of the picture.
"""

from typing import NamedTuple

import numpy as np

# Of all rows: what a strip takes at most.
_MOST = 0.4
_LEAST_ROWS, _LEAST_COLUMNS = 4, 32
# Fewer rows of one value may be a picture's damaged border.
_LEAST_BLANK = 3

# Columns that are looked at.
_COLUMNS = 2048

# Grey values are counted in levels of the range; so many apart are the same in a row, or aren't
# told apart at the edge of a strip, where a JPEG changes them.
_LEVELS, _SAME, _NEAR = 256, 2, 10

# Of a row: the share of the commonest value in a row without text and in one with text at least,
# and the share at most that it has beyond the strip.
_BLANK, _TEXT, _BEYOND = 0.97, 0.3, 0.6
# Of a strip's rows: how many are such rows, and how many in succession needn't be.
_FLAT_ROWS, _GAP = 0.6, 0.1

# Rows beyond the last blank one in which a strip may end, or that may be a frame; rows on each side
# of its end that are compared, and by how much the share of its value differs in them.
_EDGE_ROWS, _STEP_ROWS, _DROP = 12, 4, 0.35


class Strips(NamedTuple):
    """Rows of a file that are no picture: so many above and below it."""

    above: int = 0
    below: int = 0


def find_strips(grey: np.ndarray) -> Strips:
    """Finds the information strips of a file.

    Args:
      grey: (rows, columns), of any type.
    """
    rows, columns = grey.shape
    if columns < _LEAST_COLUMNS or rows < 4 * _LEAST_ROWS:
        return Strips()
    some = grey[:, :: -(-columns // _COLUMNS)].astype(np.float32)
    low, high = np.percentile(some[:: -(-rows // _COLUMNS)], (0.1, 99.9))
    if not high > low:
        return Strips()
    levels = np.clip((some - low) * ((_LEVELS - 1) / (high - low)), 0, _LEVELS - 1)
    levels = np.rint(levels, levels).astype(np.int16)
    above, below = _height(levels), _height(levels[::-1])
    return Strips(above, below) if above + below <= rows / 2 else Strips()


def note(strips: Strips) -> str:
    """Returns a phrase about strips that were cut off."""
    places = [f"{count} rows {where}" for where, count in strips._asdict().items() if count]
    return f"an information strip is cut off ({' and '.join(places)} the picture)"


def _height(levels: np.ndarray) -> int:
    """Returns how many of the first rows are a strip.

    Args:
      levels: (rows, columns) grey values in whole numbers from 0 to `_LEVELS` - 1.
    """
    rows = len(levels)
    part = levels[: int(_MOST * rows) + 2 * _EDGE_ROWS]
    share, value = _commonest(part)
    flat = share >= _TEXT
    if not flat[0]:
        return 0
    # Rows up to the first long gap.
    filled = np.flatnonzero(flat)
    gaps = np.diff(filled) > max(2, _GAP * len(part))
    filled = filled[: int(np.argmax(gaps)) + 1] if gaps.any() else filled
    blank = filled[share[filled] >= _BLANK]
    if len(blank) < _LEAST_BLANK:
        return 0
    end = _edge(levels, int(blank[-1]), int(np.median(value[blank])))
    if not end or flat[:end].mean() < _FLAT_ROWS:
        return 0
    # A line may lie between strip and picture.
    lines = np.append(share[end : end + _EDGE_ROWS] >= _BLANK, False)
    end += int(np.argmin(lines))
    picture = share[end : end + rows // 10 + _EDGE_ROWS]
    whole = _LEAST_ROWS <= end <= _MOST * rows and len(picture)
    return end if whole and np.median(picture) < 1 - _TEXT else 0


def _edge(levels: np.ndarray, last: int, value: int) -> int:
    """Returns the row in which a value ends abruptly, beyond a last blank row; 0 if it doesn't.

    Text may lie between them, where a JPEG has spoilt the blank rows beyond it.
    """
    reach = max(_EDGE_ROWS, min(4 * _EDGE_ROWS, len(levels) // 25))
    first = max(0, last - _STEP_ROWS + 1)
    part = levels[first : last + reach + 2 * _STEP_ROWS]
    near = (np.abs(part - value) <= _NEAR).mean(axis=1)
    if len(near) < 2 * _STEP_ROWS:
        return 0
    mean = np.convolve(near, np.ones(_STEP_ROWS) / _STEP_ROWS, "valid")
    drop = mean[:-_STEP_ROWS] - mean[_STEP_ROWS:]
    place = int(drop.argmax())
    if drop[place] < _DROP or mean[place + _STEP_ROWS] > _BEYOND:
        return 0
    return first + place + _STEP_ROWS


def _commonest(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the share and the level of the commonest value of each row."""
    rows, columns = levels.shape
    flat = (np.arange(rows)[:, np.newaxis] * _LEVELS + levels).ravel()
    counts = np.bincount(flat, minlength=rows * _LEVELS).reshape(rows, _LEVELS)
    total = np.pad(np.cumsum(counts, axis=1), ((0, 0), (_SAME + 1, _SAME)), mode="edge")
    total[:, : _SAME + 1] = 0
    near = total[:, 2 * _SAME + 1 :] - total[:, : -2 * _SAME - 1]
    return near.max(axis=1) / columns, near.argmax(axis=1)
