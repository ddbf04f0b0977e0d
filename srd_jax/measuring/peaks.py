"""Finds all shifts at which a granum repeats, at every scale; each of them could be its period.

docs/methods.md, "The combined method", explains the steps.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage, signal

from srd_jax.imaging.preparation import middle, reduced
from srd_jax.measuring.classical import NOTHING, SHORTEST_PX, granum, summit
from srd_jax.measuring.local_period import local_period
from srd_jax.measuring.strips import correlation, correlations, strips

# From one scale to the next coarser one.
_STEP = 2.0
# At coarse scales, the granum is reduced while a period has at least so many px: at the scale of a
# likely period, and at others.
_LIKELY_PX, _OTHER_PX = 24.0, 12.0
# Rows and columns, in periods, of the part in the middle that is looked at in one scale.
_SEEN = 40.0
# Shortest shift of a peak, px; the grain of a micrograph repeats at shorter ones.
_SHORTEST_PX = 4.0
# A scale, px, for grana of which only much coarser ones are likely.
_FINE_PX = 14.0
# Repeats that two scales show count once if their logarithms differ by less.
_SAME = 0.06
# A later peak counts by its height less so many sds; lacks are relative to at least this height.
_SDS, _LEAST_HEIGHT = 1.5, 0.6
# Share of a height at another scale, where noise may be smoother.
_OTHER_SCALE = 0.7
# A peak is later than another if its shift is so many times as long.
_LATER = 1.3
# The share of a granum that repeats is at least this, as at a shift of nearly its height.
_LEAST_OFTEN = 0.05
# Fewest periods in a half of a granum that is looked at alone; share of the greatest height from
# which its first peak counts; and relative difference of shifts that are the same.
_LEAST_PERIODS, _HIGH, _NEAR = 3.0, 0.8, 0.1
# Height of a half's peak at a shorter shift that counts as no higher than the granum's.
_SHORTER = 0.25
# A half of a granum that repeats by so much better at another distance is another granum, unless
# all of the granum repeats so well.
_UNEVEN, _EVEN = 0.45, 0.7
# Least height of the peak at the period: lower ones are noise.
_LEAST_REPEAT = 0.2
# In a granum of fewer layers, no longer shift tells whether everything repeats at a shorter one,
# where two membranes well apart reach heights up to this.
_FEW_LAYERS, _CLEAR = 4.0, 0.75
# Greatest shift, share of the height of the tallest column.
_FARTHEST = 0.75


class Peaks(NamedTuple):
    """Shifts at which a granum repeats; each of them could be its period.

    Attributes:
      period_px: (N,) px of the crop, increasing.
      mean_px: (N,) mean over the granum of the local period near this period, px of the crop.
      height: (N,) normalised autocorrelation, up to 1.
      prominence: (N,) fall of the autocorrelation beside the peak before it rises higher.
      partial: (N,) how much higher a peak at a longer shift is, 0 or more: at this shift, only a
        part of the lamellae repeats.
      layers: (N,) height of the granum in such periods, mean of its columns.
      width: (N,) width of the granum in such periods.
      spread: (N,) sd of the local period's logarithm over the granum.
      change: (N,) relative change of mean_px with a wider filter.
      faint: (N,) share of the granum where waves near this period are faint.
      dislocations: (N,) number of points at which such lamellae end.
      shortening: (N,) relative difference between the vertical period and the period.
      uneven: (N,) how much higher, in a half of the granum, a peak at another shift is than here.
      other_px: (N,) that shift, px of the crop; 0 where there is none.
    """

    period_px: np.ndarray
    mean_px: np.ndarray
    height: np.ndarray
    prominence: np.ndarray
    partial: np.ndarray
    layers: np.ndarray
    width: np.ndarray
    spread: np.ndarray
    change: np.ndarray
    faint: np.ndarray
    dislocations: np.ndarray
    shortening: np.ndarray
    uneven: np.ndarray
    other_px: np.ndarray


def peaks(image: ArrayLike, mask: ArrayLike, about_px: Sequence[float]) -> Peaks:
    """Returns all candidates for the period of a granum, found at every scale.

    Each is the place of its own peak and not fitted to multiples, because this is nearer to the
    mean over the granum where the distance of the lamellae varies.

    Args:
      image: (rows, columns) grey values of the crop, its lamellae about horizontal.
      mask: (rows, columns), True inside of the granum.
      about_px: periods that are likely, px of the crop; scales are laid through them.

    Returns:
      All peaks of the autocorrelations at shifts from 4 px to three quarters of the height of the
      tallest column; there may be none.

    Raises:
      InputError: the granum is blank, or too low or narrow.
    """
    grey, inside = granum(image, mask)
    height = int(inside.sum(axis=0).max())
    likely = _likely(about_px, _FARTHEST * height)
    scales = _scales(likely, _FARTHEST * height)
    found = []
    for scale in scales:
        least = _LIKELY_PX if scale in likely else _OTHER_PX
        found += _peaks(*at_scale(grey, inside, scale, least), scale, scales)
    kept: list[tuple[float, np.ndarray]] = []
    for away, one in sorted(found, key=lambda pair: pair[0]):
        if all(abs(math.log(one[0] / other[0])) > _SAME for _, other in kept):
            kept.append((away, one))
    rows = np.array(sorted((one for _, one in kept), key=lambda one: one[0]))
    return Peaks(*rows.reshape(-1, len(Peaks._fields)).T)


def lack(found: Peaks) -> np.ndarray:
    """Returns how far only a part of the lamellae repeats at each peak, (N,), from 0 to 1.

    It is the height that a peak lacks to the highest later one, over that one's height. At other
    scales, peaks that are seen more often count more.
    """
    later = found.period_px > _LATER * found.period_px[:, None]
    elsewhere = _OTHER_SCALE * np.where(later, found.height * often_seen(found), 0.0).max(
        axis=1, initial=0.0
    )
    highest = np.maximum(found.height + found.partial, elsewhere)
    return np.clip((highest - found.height) / np.maximum(highest, _LEAST_HEIGHT), 0.0, 1.0)


def often_seen(found: Peaks) -> np.ndarray:
    """Returns the share of the granum that can repeat at each peak's shift, (N,), above 0."""
    return np.clip(1 - 1 / found.layers, _LEAST_OFTEN, 1.0)


def doubts(period: float, found: Peaks) -> tuple[str, ...]:
    """Returns why a period may be wrong although its sd is small, each a phrase.

    Args:
      period: px of the crop.
      found: peaks of the crop's autocorrelation.
    """
    away = np.abs(np.log(found.period_px / period))
    at = int(away.argmin()) if len(away) else 0
    if not len(away) or away[at] > _NEAR or found.height[at] < _LEAST_REPEAT:
        return ("hardly anything in the crop repeats at this distance",)
    if found.layers[at] < _FEW_LAYERS and found.height[at] < _CLEAR:
        return ("few layers, which hardly repeat: it may be a fraction of the period",)
    even = found.height[at] > _EVEN and found.other_px[at] > period
    if found.uneven[at] < _UNEVEN or even:
        return ()
    return (f"a part of the crop repeats at {found.other_px[at]:.2f} px, is it one granum?",)


def _likely(about_px: Sequence[float], longest: float) -> list[float]:
    """Returns the likely periods that differ much, px, increasing."""
    found: list[float] = []
    for one in sorted(min(max(one, _SHORTEST_PX), longest) for one in about_px):
        if not found or one > found[-1] * math.sqrt(_STEP):
            found.append(one)
    return found


def _scales(likely: Sequence[float], longest: float) -> list[float]:
    """Returns the scales at which a granum is looked at, px, increasing.

    They are the likely periods, and coarser ones up to the longest, as the lamellae may repeat as a
    whole only at a multiple of a likely period.
    """
    fine = min(_FINE_PX, longest)
    scales = list(likely) if likely and likely[0] <= _STEP * fine else [fine, *likely]
    filled = []
    for one, following in zip(scales, [*scales[1:], longest * math.sqrt(_STEP)], strict=True):
        steps = max(round(math.log(following / one) / math.log(_STEP)), 1)
        filled += [one * (following / one) ** (step / steps) for step in range(steps)]
    return filled


def at_scale(
    grey: np.ndarray, inside: np.ndarray, scale: float, least_px: float = _LIKELY_PX
) -> tuple[np.ndarray, np.ndarray, int]:
    """Returns the middle of a granum, reduced for periods of about a length.

    Args:
      grey: (rows, columns) grey values.
      inside: (rows, columns) bool mask.
      scale: about one period, px.
      least_px: px that such a period has at least after it.

    Returns:
      Grey values and mask of 40 periods at most, and the factor by which they are reduced.
    """
    factor = max(int(scale // least_px), 1)
    small, part = reduced(grey, inside, factor)
    return *middle(small, part, math.ceil(_SEEN * scale / factor)), factor


def _peaks(
    small: np.ndarray, part: np.ndarray, factor: int, scale: float, scales: Sequence[float]
) -> list[tuple[float, np.ndarray]]:
    """Returns the peaks nearest to a scale: the distance to it, and the row of `Peaks`."""
    if small.shape[0] < 2 * SHORTEST_PX or small.shape[1] < 2 or not part.any():
        return []
    profiles, valid, cosine = strips(small, part, scale / factor, scale / factor / 3)
    plain, *halves = _correlations(profiles, valid, scale / factor)
    whole = _crests(plain)
    height = int(part.sum(axis=0).max())
    shifts, found = signal.find_peaks(whole[: int(_FARTHEST * height) + 2], prominence=NOTHING)
    width = part.any(axis=0).sum()
    parts = [_crests(half) for half in halves]
    rows = []
    for shift, prominence in zip(shifts, found["prominences"], strict=True):
        vertical = summit(plain, shift)
        period = vertical * cosine
        away = [abs(math.log(period * factor / one)) for one in scales]
        own = abs(math.log(period * factor / scale))
        if shift < (_SHORTEST_PX if factor == 1 else SHORTEST_PX) or own > min(away) + _SAME:
            continue
        later = shifts[shifts > _LATER * shift]
        # Few pairs of pixels make a peak at a far shift; the sd of a correlation r of n independent
        # pairs is about (1 - r^2) / sqrt(n).
        count = 2 * (height - later) * width / shift**2
        least = whole[later] - _SDS * (1 - whole[later] ** 2) / np.sqrt(np.maximum(count, 1))
        partial = max(float(least.max(initial=-1.0)) - whole[shift], 0.0)
        near = local_period(profiles, valid, vertical)
        uneven, other = max((_other(half, vertical) for half in parts), default=(0.0, 0.0))
        numbers = [
            period * factor,
            near.mean_px * cosine * factor,
            whole[shift],
            prominence,
            partial,
            part.sum() / width / period,
            width / period,
            near.spread,
            near.change,
            near.faint,
            near.dislocations,
            1 - cosine,
            uneven,
            other * cosine * factor,
        ]
        rows.append((own, np.array(numbers, np.float64)))
    return rows


def _crests(values: np.ndarray) -> np.ndarray:
    """Returns values whose maxima have the height that a quintic spline reaches near them.

    A period of a few px seldom is a whole number of them, but its double may be one.
    """
    if len(values) < 3:
        return values
    at = values[1:-1]
    crests = 1 + np.flatnonzero((at >= values[:-2]) & (at >= values[2:]))
    near = crests + np.linspace(-0.5, 0.5, 9)[:, None]
    found = values.copy()
    found[crests] = ndimage.map_coordinates(values, [near], order=5, mode="mirror").max(axis=0)
    return found


def _correlations(profiles: np.ndarray, valid: np.ndarray, scale: float) -> list[np.ndarray]:
    """Returns autocorrelations of a granum and of its halves that show several periods."""
    rows, strips = (size // 2 for size in profiles.shape)
    sides = [slice(0, strips), slice(strips, None)] if strips else []
    sides = [side for side in sides if valid[:, side].any()]
    found = correlations(profiles, valid, [slice(None), *sides])
    if rows >= _LEAST_PERIODS * scale:
        for half in (slice(0, rows), slice(rows, None)):
            if valid[half].any():
                found.append(correlation(profiles[half], valid[half]))
    return found


def _other(half: np.ndarray, vertical: float) -> tuple[float, float]:
    """Returns how much higher a half's own first high peak is than at a shift, and its shift."""
    shifts, _ = signal.find_peaks(half[: int(3 * vertical) + 2], prominence=0.2)
    shifts = shifts[shifts >= max(vertical / 3, 2)]
    if not len(shifts) or half[shifts].max() <= 0:
        return 0.0, 0.0
    high = shifts[half[shifts] >= _HIGH * half[shifts].max()][0]
    ratio = math.log(high / vertical)
    near = half[math.floor(vertical * (1 - _NEAR)) : math.ceil(vertical * (1 + _NEAR)) + 1]
    if abs(ratio) < _NEAR or not len(near):
        return 0.0, 0.0
    higher = half[high] - near.max()
    # A half that repeats at a shorter shift, too, makes the granum's a multiple.
    return float(max(higher, half[high] - _SHORTER) if ratio < 0 else higher), float(high)
