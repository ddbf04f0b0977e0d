"""Traces the lamellae of a granum: lines of equal phase, one apart, on the dark membranes."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from srd_jax.measuring.lamellae.phase import Phase

# Phases at which the mean profile across a lamella is looked at, and the sd that smooths it, turns.
_PHASES, _SMOOTH = 48, 0.05
# Confidence below which nothing is traced.
_FAINTEST = 0.3
# Points of a line in a period; a line that moves by more of a period between them is broken.
_POINTS, _BROKEN = 4, 0.5
_SHORTEST = 1.0  # periods


class Line(NamedTuple):
    """A part of a lamella.

    Attributes:
      number: of the lamella, counted downwards; parts of one lamella share it.
      x, y: (points,) columns and rows, px of the crop; whole numbers are the centres of pixels.
      confidence: (points,) of the phase, see `Phase`.
    """

    number: int
    x: np.ndarray
    y: np.ndarray
    confidence: np.ndarray


def trace(phase: Phase, grey: ArrayLike, mask: ArrayLike) -> list[Line]:
    """Returns the lamellae inside of the mask; lamella n is where the phase is n + `darkest`.

    Args:
      phase: of the crop.
      grey: (rows, columns) grey values of the crop.
      mask: (rows, columns), True inside of the granum.
    """
    mask = np.asarray(mask).astype(bool)
    turns = phase.turns - darkest(phase, grey, mask)
    step = max(int(phase.period_px / _POINTS), 1)
    columns = np.flatnonzero(mask.any(axis=0))[::step]
    inside = turns[mask]
    numbers = np.arange(np.ceil(inside.min()), np.floor(inside.max()) + 1)
    rows = np.stack([_crossings(turns[:, column], numbers) for column in columns], axis=1)
    clear = _at(phase.confidence, rows, columns)
    kept = _at(mask, rows, columns).astype(bool) & (clear >= _FAINTEST)
    # A jump sideways is no lamella.
    jumps = np.abs(np.diff(rows, axis=1)) > _BROKEN * phase.period_px
    lines = []
    for number, row, seen, sure, jump in zip(numbers, rows, kept, clear, jumps, strict=True):
        parts = np.cumsum(np.concatenate([[True], jump | ~seen[1:] | ~seen[:-1]]))
        for part in np.unique(parts[seen]):
            at = (parts == part) & seen
            if np.count_nonzero(at) * step >= _SHORTEST * phase.period_px:
                lines.append(Line(int(number), columns[at].astype(float), row[at], sure[at]))
    return lines


def darkest(phase: Phase, grey: ArrayLike, mask: ArrayLike) -> float:
    """Returns the fraction of the phase, turns from 0 to 1, at which lamellae are darkest.

    It is the minimum of the smoothed mean profile over all layers, each pixel weighted by its
    confidence, without slow changes of the grey value.
    """
    values, inside = np.asarray(grey, np.float64), np.asarray(mask).astype(bool)
    high = max(round(phase.period_px), 1)
    mean, share = (
        # SciPy's annotation knows a single size only.
        ndimage.uniform_filter(part, (high, 2 * high), mode="constant")  # pyright: ignore[reportArgumentType]
        for part in (np.where(inside, values, 0.0), inside.astype(float))
    )
    contrast = (values - mean / np.maximum(share, 1e-9))[inside]
    at = (np.mod(phase.turns[inside], 1.0) * _PHASES).astype(int) % _PHASES
    weight = phase.confidence[inside].astype(np.float64) ** 2
    smooth = _SMOOTH * _PHASES
    profile, count = (
        ndimage.gaussian_filter1d(np.bincount(at, part, _PHASES), smooth, mode="wrap")
        for part in (weight * contrast, weight)
    )
    profile = np.where(count > 0, profile / np.maximum(count, 1e-12), np.inf)
    return (int(np.argmin(profile)) + 0.5) / _PHASES


def _crossings(turns: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Returns the rows at which a column's phase reaches whole numbers; NaN where it doesn't."""
    rising = np.maximum.accumulate(turns)
    return np.interp(numbers, rising, np.arange(len(turns)), left=np.nan, right=np.nan)


def _at(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Returns values at the pixels of rows (lines, columns); 0 where a row is NaN."""
    known = np.isfinite(rows)
    nearest = np.where(known, np.rint(rows), 0).astype(int)
    return np.where(known, values[nearest, columns], 0)
