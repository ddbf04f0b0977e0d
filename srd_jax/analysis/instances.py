"""Cuts the maps of a micrograph into grana."""

import math
from typing import NamedTuple

import numpy as np
from scipy import ndimage
from skimage.measure import label, regionprops
from skimage.morphology import local_maxima
from skimage.segmentation import watershed

from srd_jax.analysis.maps import Maps

THRESHOLD = 0.5
# Smaller specks are dropped: about 60 nm squared, or as many periods of 20 nm; and px of the maps.
_LEAST_NM2, _LEAST_PERIODS2, _LEAST_PX2 = 3500.0, 9.0, 20
# Bridges and spurs narrower than twice this are cut off first, and the sd of the distance's noise
# that is smoothed away, px of the maps.
_SPUR, _SMOOTH = 2, 1.0
# Distances to the outline count up to so many periods, about REACH_NM.
_REACH = 3.0
# How far the distance falls between two summits, a share of the lower one: less is noise, and so
# much separates two grana.
_NOISE, _VALLEY = 0.04, 0.35
# A shallow valley separates grana, too, if their lamellae turn by so many degrees within so many px
# of the maps beside it, and the directions are so clear there.
_TURN, _BESIDE, _CLEAR = 30.0, 6, 0.3
# Larger holes, as a share of a granum, aren't its own.
_HOLE = 0.3


class Instances(NamedTuple):
    """Grana on the grid of the maps, n of them.

    Attributes:
      labels: (r, c) int32, from 1 in reading order of their centres; 0 for none.
      boxes: (n) rows and columns of each.
      detection: (n,) mean probability of their pixels.
    """

    labels: np.ndarray
    boxes: list[tuple[slice, slice]]
    detection: np.ndarray

    def inside(self, number: int) -> np.ndarray:
        """Returns which pixels of its box belong to a granum, bool."""
        return self.labels[self.boxes[number - 1]] == number


class _Pairs(NamedTuple):
    """Pieces that touch, (m,) each: their numbers, and where the distance between is greatest."""

    first: np.ndarray
    second: np.ndarray
    saddle: np.ndarray
    at: np.ndarray


def instances(
    maps: Maps, threshold: float = THRESHOLD, px_per_nm: float | None = None
) -> Instances:
    """Returns the grana of a micrograph.

    Pixels above the threshold are flooded from all summits of the distance to the outline, the
    geometric mean of the detector's and of the one within the connected part. Then basins are
    joined, highest saddles first, unless a deep valley separates them, or a shallow one between
    lamellae of different directions; so a long or bent granum stays one. Specks, and grana of which
    the detector isn't certain enough, are dropped.

    Args:
      maps: of the micrograph.
      threshold: least probability.
      px_per_nm: scale of the micrograph; None where it isn't known.
    """
    labels = np.zeros(maps.probability.shape, np.int32)
    certain = threshold + maps.certain * (1 - threshold)
    found = ndimage.binary_opening(maps.probability >= threshold, iterations=_SPUR)
    parts = np.asarray(label(found, connectivity=1))
    kept = []
    for number, box in enumerate(ndimage.find_objects(parts), 1):
        inside = parts[box] == number
        if inside.sum() < _LEAST_PX2:
            continue
        corner = np.array([side.start for side in box])
        for one in regionprops(_pieces(maps, box, inside)):
            rows, columns = (
                slice(start + side.start, start + side.stop)
                for start, side in zip(corner, one.slice, strict=True)
            )
            where = rows, columns
            mean = np.mean(maps.probability[where][one.image], dtype=np.float64)
            if one.area >= _least(maps, where, one.image, px_per_nm) and mean >= certain:
                kept.append((*(one.centroid + corner), where, one.image))
    kept.sort(key=lambda one: one[:2])
    for number, (_, _, where, image) in enumerate(kept, 1):
        labels[where][_filled(image, parts[where])] = number
    boxes = ndimage.find_objects(labels)
    means = [
        np.mean(maps.probability[box][labels[box] == number], dtype=np.float64)
        for number, box in enumerate(boxes, 1)
    ]
    return Instances(labels, boxes, np.array(means))


def _least(
    maps: Maps, box: tuple[slice, slice], inside: np.ndarray, px_per_nm: float | None
) -> float:
    """Returns the least area of a granum, px² of the maps."""
    if px_per_nm is not None:
        return max(_LEAST_PX2, _LEAST_NM2 * (px_per_nm * maps.scale) ** 2)
    return max(_LEAST_PX2, _LEAST_PERIODS2 * _period(maps, box, inside) ** 2)


def _period(maps: Maps, box: tuple[slice, slice], inside: np.ndarray) -> float:
    """Returns the median period of some pixels, px of the maps."""
    log = float(np.median(np.asarray(maps.log_period[box][inside], np.float32)))
    return math.exp(min(log, 10.0)) * maps.scale


def _filled(inside: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Returns a granum with its holes filled, except large ones and those with something else."""
    holes = np.asarray(label(ndimage.binary_fill_holes(inside) & ~inside, connectivity=1))
    filled = inside.copy()
    for number, box in enumerate(ndimage.find_objects(holes), 1):
        hole = holes[box] == number
        if hole.sum() <= _HOLE * inside.sum() and not parts[box][hole].any():
            filled[box] |= hole
    return filled


def _pieces(maps: Maps, box: tuple[slice, slice], inside: np.ndarray) -> np.ndarray:
    """Returns the grana of one connected part, int32 labels in its box."""
    # A distance that the detector found flat leaves the necks of the part's own form.
    depth = ndimage.distance_transform_edt(np.pad(inside, 1))[1:-1, 1:-1]  # pyright: ignore[reportOptionalSubscript,reportArgumentType,reportCallIssue]
    own = np.minimum(depth / max(_REACH * _period(maps, box, inside), 1.0), 1.0)
    distance = np.clip(np.asarray(maps.distance[box], np.float32), 0, 1)
    distance = np.where(inside, np.sqrt(distance * own), 0.0)
    # Noise is smoothed by pixels inside only, so that the summits of a thin part keep their height.
    share = ndimage.gaussian_filter(inside.astype(np.float32), _SMOOTH, mode="constant")
    smooth = ndimage.gaussian_filter(distance, _SMOOTH, mode="constant")
    distance = np.where(inside, smooth / np.maximum(share, 1e-3), 0.0)
    markers = np.asarray(label(local_maxima(distance, connectivity=2) & inside, connectivity=2))
    if markers.max() < 2:
        return inside.astype(np.int32)
    basins = watershed(-distance, markers, mask=inside).astype(np.int32)
    pieces = _joined(basins, distance, _pairs(basins, distance), _NOISE)
    pairs = _pairs(pieces, distance)
    turns = np.asarray(maps.cosine[box], np.float32) + 1j * np.asarray(maps.sine[box], np.float32)
    apart = [
        _turned(turns, pieces, int(first), int(second), at)
        for first, second, at in zip(pairs.first, pairs.second, pairs.at, strict=True)
    ]
    straight = _Pairs(*(values[~np.array(apart, bool)] for values in pairs))
    return _joined(pieces, distance, straight, _VALLEY)


def _pairs(pieces: np.ndarray, distance: np.ndarray) -> _Pairs:
    """Returns the pairs of touching pieces, highest saddles first."""
    index = np.arange(pieces.size).reshape(pieces.shape)
    found = []
    for one, other in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
    ):
        a, b = pieces[one], pieces[other]
        edge = (a != b) & (a > 0) & (b > 0)
        low = np.minimum(distance[one], distance[other])[edge]
        first, second = np.minimum(a, b)[edge], np.maximum(a, b)[edge]
        found.append((first, second, low, index[one][edge]))
    first, second, low, at = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(-low, kind="stable")
    names = first[order].astype(np.int64) * (int(pieces.max()) + 1) + second[order]
    # Of each pair the first, which is the highest.
    best = order[np.sort(np.unique(names, return_index=True)[1])]
    return _Pairs(first[best], second[best], low[best], at[best])


def _joined(pieces: np.ndarray, distance: np.ndarray, pairs: _Pairs, valley: float) -> np.ndarray:
    """Returns pieces joined across saddles that are less deep than a valley, numbered anew."""
    count = int(pieces.max())
    summit = np.asarray(ndimage.maximum(distance, pieces, np.arange(count + 1)), np.float64)
    root = list(range(count + 1))

    def top(number: int) -> int:
        while root[number] != number:
            root[number] = root[root[number]]
            number = root[number]
        return number

    for first, second, saddle in zip(pairs.first, pairs.second, pairs.saddle, strict=True):
        one, other = top(int(first)), top(int(second))
        if one != other and saddle >= (1 - valley) * min(summit[one], summit[other]):
            root[other] = one
            summit[one] = max(summit[one], summit[other])
    tops = np.array([top(number) for number in range(count + 1)])
    return np.unique(tops, return_inverse=True)[1].astype(np.int32)[pieces]


def _turned(turns: np.ndarray, pieces: np.ndarray, first: int, second: int, at: int) -> bool:
    """Tells whether lamellae on both sides of a saddle run in clearly different directions."""
    row, column = divmod(int(at), pieces.shape[1])
    around = tuple(slice(max(place - _BESIDE, 0), place + _BESIDE + 1) for place in (row, column))
    here = pieces[around]
    means = [turns[around][here == number].mean() for number in (first, second)]
    if min(map(abs, means)) < _CLEAR:
        return False
    return abs(math.degrees(np.angle(means[0] * np.conj(means[1])))) / 2 > _TURN
