"""Finds rectangles of one grey value, such as scale bars and their segments, row by row."""

from typing import NamedTuple

import numpy as np

# Pixels that are looked at at once.
_BLOCK = 1 << 22

# Of the range of grey values: neighbours in a run differ by less, its ends by more from beyond.
_STEP, _CONTRAST = 0.06, 0.15
# Px beyond the end of a run that a blurred edge may take.
_EDGE = 2

# Px by which runs of one rectangle end apart, and rows without a run in it.
_APART, _MISSING = 2, 1

# Of the runs of a rectangle: how many end where most do.
_STRAIGHT = 0.8

# Pictures of a few grey levels have more, and no bar that could be told from the rest.
_MAX_RUNS = 400_000


class Range(NamedTuple):
    """The grey values of a picture.

    Attributes:
      low, high: to which it is clipped: wider than nearly all of it, narrower than hot pixels.
      darkest, lightest: a bar isn't between them.
    """

    low: float
    high: float
    darkest: float
    lightest: float

    @property
    def contrast(self) -> float:
        """Returns the least difference between a bar and what surrounds it."""
        return _CONTRAST * (self.high - self.low)

    def of(self, grey: np.ndarray) -> np.ndarray:
        """Returns float32 grey values within the range."""
        return np.clip(grey.astype(np.float32), self.low, self.high)


class Rectangle(NamedTuple):
    """A rectangle of the first and the last row and column, the last ones excluded."""

    row0: int
    row1: int
    column0: int
    column1: int
    value: float

    @property
    def length(self) -> int:
        """Returns its columns."""
        return self.column1 - self.column0

    @property
    def height(self) -> int:
        """Returns its rows."""
        return self.row1 - self.row0


def rectangles(grey: np.ndarray, limits: Range, least: int) -> list[Rectangle]:
    """Returns what could be a bar or a segment of one; not what reaches the border.

    Args:
      grey: (rows, columns).
      limits: of its grey values.
      least: the least length, px.
    """
    rows, columns = grey.shape
    step = max(1, _BLOCK // columns)
    found = [
        _runs(limits.of(grey[first : first + step]), limits, least) + np.array([first, 0, 0, 0])
        for first in range(0, rows, step)
    ]
    runs = np.concatenate([np.empty((0, 4)), *found])
    return _joined(runs, limits.contrast) if len(runs) <= _MAX_RUNS else []


def _runs(grey: np.ndarray, limits: Range, least: int) -> np.ndarray:
    """Returns row, first column, end column and value of each run that ends abruptly."""
    columns = grey.shape[1]
    step = _STEP * (limits.high - limits.low)
    breaks = np.abs(np.diff(grey, axis=1, append=np.float32(np.inf))) > step
    ends = np.flatnonzero(breaks) + 1
    starts = np.append(0, ends[:-1])
    starts, ends = starts[ends - starts >= least], ends[ends - starts >= least]
    row, first = np.divmod(starts, columns)
    end = ends - row * columns
    inner = (first >= _EDGE) & (end <= columns - _EDGE)
    row, first, end, starts, ends = (one[inner] for one in (row, first, end, starts, ends))
    if not len(row):
        return np.empty((0, 4))
    flat = grey.ravel()
    bounds = np.stack([starts, ends], -1).ravel()
    # Between the runs reduceat makes values, too.
    spans = [one.reduceat(np.append(flat, 0), bounds)[::2] for one in (np.minimum, np.maximum)]
    value = np.add.reduceat(np.append(flat, 0).astype(np.float64), bounds)[::2] / (ends - starts)
    sharp = spans[1] - spans[0] <= 2 * step
    for edge in (first - _EDGE, end):
        beyond = grey[row[:, np.newaxis], edge[:, np.newaxis] + np.arange(_EDGE)]
        sharp &= np.abs(beyond - value[:, np.newaxis]).max(axis=1) >= limits.contrast
    return np.stack([row, first, end, value], -1)[sharp]


def _joined(runs: np.ndarray, contrast: float) -> list[Rectangle]:
    """Joins runs of adjacent rows that begin and end alike and differ by less than a contrast."""
    growing: dict[int, list[list[tuple[float, ...]]]] = {}
    done: list[list[tuple[float, ...]]] = []
    for run in map(tuple, runs):
        row, first, end, value = run
        groups = (
            group
            for shift in range(-_APART, _APART + 1)
            for group in growing.get(int(first) + shift, ())
            if row - group[-1][0] <= 1 + _MISSING
            and abs(group[-1][2] - end) <= _APART
            and group[-1][0] < row
            and abs(group[-1][3] - value) < contrast
        )
        group = next(groups, None)
        if group is None:
            group = []
            done.append(group)
        else:
            growing[int(group[-1][1])].remove(group)
        group.append(run)
        growing.setdefault(int(first), []).append(group)
    found = (_rectangle(np.array(group)) for group in done)
    return [one for one in found if one is not None]


def _rectangle(runs: np.ndarray) -> Rectangle | None:
    """Returns the rectangle of runs, None where its sides aren't straight.

    The first and the last of them may be of its outline.
    """
    row, first, end, value = runs.T
    quarter = len(runs) // 4
    middle = slice(quarter, len(runs) - quarter)
    left, right = int(np.median(first[middle])), int(np.median(end[middle]))
    straight = (np.abs(first - left) <= 1) & (np.abs(end - right) <= 1)
    if straight[middle].mean() < _STRAIGHT:
        return None
    return Rectangle(int(row[0]), int(row[-1]) + 1, left, right, float(np.median(value[middle])))
