"""Detects grana without learning: stripes of a granum's period, of one direction.

A bank of log-Gabor filters (Field 1987, "Relations between the statistics of natural images and the
response properties of cortical cells") gives the energy of waves of each period and direction
around a pixel. A granum has waves of one direction, which the coherence tells (of the structure
tensor of Bigün and Granlund 1987, here of one band); more of them than of longer waves in one
direction, as edges have; and over at least three periods.
"""

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import fft, ndimage, special

from srd_jax.analysis.maps import Maps
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.synthetic.scenes.batch import REACH_NM

# Finest scale that is looked at, px per nm, and px of it a px of the maps.
_SCALE, _STRIDE = 0.45, 3
# Px of a block at that scale, and of its margins, beyond which nothing reaches.
_BLOCK, _MARGIN = 768, 96
# Periods of the filters, nm, and the places of those that grana have, and of those of edges.
_PERIODS = np.geomspace(11.5, 52.0, 7)
_OF_GRANA, _OF_EDGES = slice(1, 5), slice(5, None)
_DIRECTIONS = 16
# Sds of a filter: of the logarithm of the frequency, and of the direction.
_BANDWIDTH, _SPREAD = 0.16, math.radians(9)
# Coherence of a plain wave, as the filters' directions overlap.
_FULL = math.exp(-(_SPREAD**2))
# Sds over which energies are averaged, nm: detail, and certainty.
_FINE, _COARSE = 14.0, 35.0
# Waves, blurred by the filters, must reach so far to both sides, periods: three and the blur.
_REACH = 2.0
# Reach within which the strongest energy is looked for, nm.
_AROUND = 45.0
# Energy of next to nothing, over the variance of the micrograph.
_NOTHING = 1e-5
# Logarithm of the odds: for each feature, and without any. The first two by a logistic regression
# on pixels of drawn micrographs; the others by F1 of grana on others.
_WEIGHTS, _BIAS = (3.1, 5.9, 12.0), -3.0
# The same beyond the border, and where it is as good as sure.
_NEVER, _SURE = -20.0, 4.0


class _Waves(NamedTuple):
    """The waves around each pixel of the maps, (r, c) each.

    Attributes:
      features: (3, r, c) coherence times the energy's share, averaged over a small and a large
        part; logarithm of the energy over that near.
      turn: complex, of twice the lamellae's direction; its size is the coherence.
      period: nm.
    """

    features: np.ndarray
    turn: np.ndarray
    period: np.ndarray


def detect(micrograph: Micrograph, px_per_nm: float) -> Maps:
    """Returns the maps of a micrograph; their pixels are of 7 nm, or of 3 px if these are larger.

    Memory: the micrograph, the maps, and 0.2 GB for a block.

    Args:
      micrograph: of any size.
      px_per_nm: its scale.
    """
    scale = min(1.0, _SCALE / px_per_nm)
    rows, columns = (max(round(side * scale / _STRIDE), 1) for side in micrograph.grey.shape)
    made = {
        name: np.zeros((rows, columns), np.float32)
        for name in ("probability", "cosine", "sine", "log_period")
    }
    for part, grey, variance in _blocks(micrograph.grey, scale, rows, columns):
        waves = _waves(grey, px_per_nm * scale, variance)
        inner = tuple(
            slice(_MARGIN // _STRIDE, _MARGIN // _STRIDE + one.stop - one.start) for one in part
        )
        odds = _odds(waves, px_per_nm * scale / _STRIDE, _beyond(part, (rows, columns)))
        made["probability"][part] = special.expit(odds)[inner]
        made["cosine"][part], made["sine"][part] = (
            np.real(waves.turn)[inner],
            np.imag(waves.turn)[inner],
        )
        made["log_period"][part] = np.log(waves.period * px_per_nm)[inner]
    inside = np.pad(made["probability"] >= 0.5, 1)
    depth = np.asarray(ndimage.distance_transform_edt(inside))[1:-1, 1:-1]
    nm = _STRIDE / (px_per_nm * scale)
    distance = np.minimum(depth * nm / REACH_NM, 1).astype(np.float32)
    return Maps(**made, distance=distance, scale=scale / _STRIDE, certain=0.0)


def _blocks(
    grey: np.ndarray, scale: float, rows: int, columns: int
) -> Iterator[tuple[tuple[slice, slice], np.ndarray, float]]:
    """Yields parts of the maps, their grey values with margins, and the micrograph's variance."""
    step = (_BLOCK - 2 * _MARGIN) // _STRIDE
    some = grey[:: max(len(grey) // 1024, 1), :: max(grey.shape[1] // 1024, 1)]
    low, middle, high = np.percentile(some, (0.5, 50, 99.5))
    variance = float(((high - low) / 4) ** 2)
    for top in range(0, rows, step):
        for left in range(0, columns, step):
            part = (slice(top, min(top + step, rows)), slice(left, min(left + step, columns)))
            values = _resampled(grey, scale, top, left)
            yield part, np.clip(values, low, high) - middle, variance


def _odds(waves: _Waves, px: float, beyond: np.ndarray) -> np.ndarray:
    """Returns the logarithm of the odds of a granum; px is of the maps, per nm."""
    odds = np.where(beyond, _NEVER, np.tensordot(_WEIGHTS, waves.features, 1) + _BIAS)
    opened = _opened(odds, waves.turn, waves.period * px)
    # So that one granum isn't left as several pieces.
    return ndimage.gaussian_filter(np.clip(opened, -_SURE, _SURE), _FINE * px, mode="nearest")


def _beyond(part: tuple[slice, slice], shape: tuple[int, int]) -> np.ndarray:
    """Returns which pixels of a block's maps, bool, lie beyond the border of the micrograph."""
    at = np.arange(_BLOCK // _STRIDE) - _MARGIN // _STRIDE
    inside = [
        (at + one.start >= 0) & (at + one.start < n) for one, n in zip(part, shape, strict=True)
    ]
    return ~(inside[0][:, None] & inside[1][None, :])


def _resampled(grey: np.ndarray, scale: float, top: int, left: int) -> np.ndarray:
    """Returns a block (_BLOCK, _BLOCK) around a part of the maps, mirrored beyond the border."""
    ends, pads = [], []
    for first, length in ((top, grey.shape[0]), (left, grey.shape[1])):
        # The centre of a pixel of the maps is that of the middle one of its pixels.
        start = first * _STRIDE - _MARGIN + _STRIDE // 2
        low, high = max(start, 0), min(start + _BLOCK, max(math.floor(length * scale), 1))
        ends.append((low, high))
        pads.append((low - start, start + _BLOCK - high))
    (row0, row1), (column0, column1) = ends
    rows, columns = (slice(math.floor(a / scale), math.ceil(b / scale)) for a, b in ends)
    source = Image.fromarray(np.ascontiguousarray(grey[rows, columns], np.float32))
    box = tuple(
        one / scale - start
        for one, start in (
            (column0, columns.start),
            (row0, rows.start),
            (column1, columns.start),
            (row1, rows.start),
        )
    )
    box = (*box[:2], min(box[2], source.width), min(box[3], source.height))
    block = source.resize((column1 - column0, row1 - row0), Image.Resampling.BICUBIC, box)
    return np.pad(np.asarray(block), pads, mode="symmetric")


@functools.lru_cache(maxsize=2)
def _bank(px_per_nm: float) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Returns rows and columns of a block's spectrum, and their weights, for each filter.

    Only as much of the spectrum as a filter passes: its inverse has the maps' pixels.
    """
    part = _BLOCK // _STRIDE
    filters = []
    for period in _PERIODS:
        centre = 1 / (px_per_nm * period)
        for angle in np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS:
            middle = (centre * math.sin(angle), centre * math.cos(angle))
            at = [np.arange(part) - part // 2 + round(_BLOCK * one) for one in middle]
            y, x = at[0][:, None] / _BLOCK, at[1][None, :] / _BLOCK
            radius = np.hypot(x, y)
            turn = np.abs((np.arctan2(y, x) - angle + np.pi) % (2 * np.pi) - np.pi)
            octaves = np.log(np.maximum(radius, 1e-9) / centre)
            weight = np.exp(-((octaves / _BANDWIDTH) ** 2 + (turn / _SPREAD) ** 2) / 2)
            seen = (np.abs(y) < 0.5) & (np.abs(x) < 0.5)
            filters.append((at[0] % _BLOCK, at[1] % _BLOCK, np.float32(weight * seen)))
    return filters


def _waves(grey: np.ndarray, px_per_nm: float, variance: float) -> _Waves:
    """Returns the waves of a block (_BLOCK, _BLOCK) of grey values."""
    spectrum = np.asarray(fft.fft2(grey.astype(np.float32)))
    part = _BLOCK // _STRIDE
    energies = np.empty((len(_PERIODS) * _DIRECTIONS, part, part), np.float32)
    for energy, (rows, columns, weight) in zip(energies, _bank(px_per_nm), strict=True):
        response = np.asarray(fft.ifft2(spectrum[np.ix_(rows, columns)] * weight))
        energy[:] = np.abs(response) ** 2 / _STRIDE**4
    energies = energies.reshape(len(_PERIODS), _DIRECTIONS, part, part)
    nothing = _NOTHING * variance + 1e-12
    doubled = np.exp(2j * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS).astype(np.complex64)
    vector = np.einsum("pdrc,d->prc", energies, doubled)
    total = energies.sum(1)
    px = px_per_nm / _STRIDE
    fine, coarse = (_averaged(vector, total, sd * px, nothing) for sd in (_FINE, _COARSE))
    period = _period(np.abs(fine.vector), fine.place, nothing)
    # Lamellae run across the waves; counter-clockwise angles are those of rows that run upwards.
    turn = -np.conj(fine.best) / np.maximum(np.abs(fine.best), nothing)
    trimmed = _trimmed(np.abs(fine.best) + nothing, _AROUND * px)
    features = np.stack([fine.coherence * fine.share, coarse.coherence * coarse.share, trimmed])
    return _Waves(features, turn * np.minimum(fine.coherence / _FULL, 1), period)


class _Average(NamedTuple):
    """Energies averaged over a part, of the strongest period of a granum at each pixel."""

    vector: np.ndarray
    place: np.ndarray
    best: np.ndarray
    coherence: np.ndarray
    share: np.ndarray


def _averaged(vector: np.ndarray, total: np.ndarray, sd: float, nothing: float) -> _Average:
    """Returns averages; the share is that of the energy in one direction that edges don't have."""

    def smooth(values: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(values, (0, sd, sd))

    vector, total = smooth(np.real(vector)) + 1j * smooth(np.imag(vector)), smooth(total)
    size = np.abs(vector)
    place = size[_OF_GRANA].argmax(0) + _OF_GRANA.start
    best, own = (np.take_along_axis(one, place[None], 0)[0] for one in (vector, total))
    edges = size[_OF_EDGES].max(0)
    share = np.abs(best) / (np.abs(best) + edges + nothing)
    return _Average(vector, place, best, np.abs(best) / (own + nothing), share)


def _period(size: np.ndarray, place: np.ndarray, nothing: float) -> np.ndarray:
    """Returns the period, nm, at the vertex of a parabola through the logarithm of the energy.

    The energy of a plain wave is a Gaussian in the logarithm of the filters' periods.
    """
    logs = np.log(size + nothing)
    below, here, above = (np.take_along_axis(logs, place[None] + step, 0)[0] for step in (-1, 0, 1))
    bend = np.minimum(below + above - 2 * here, -1e-6)
    steps = np.clip((below - above) / (2 * bend), -1, 1)
    return _PERIODS[0] * (_PERIODS[1] / _PERIODS[0]) ** (place + steps)


def _trimmed(energy: np.ndarray, reach: float) -> np.ndarray:
    """Returns the logarithm of the energy over a quarter of the strongest one near, -6..0.

    At the border of stripes, waves have half of their amplitude, a quarter of their energy.
    """
    strongest = ndimage.maximum_filter(energy, 2 * round(reach) + 1)
    return np.clip(np.log(4 * energy / strongest), -6, 0)


def _opened(odds: np.ndarray, turn: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Returns values opened across the lamellae, so that high ones reach over some periods.

    An opening by a segment is the largest of the least values along all segments that hold a pixel
    (Serra 1982).

    Args:
      odds: (r, c).
      turn: of twice the lamellae's direction, complex.
      period: px of the maps.
    """
    across = np.angle(turn) / 2 + np.pi / 2
    down, right = -np.sin(across) * period * _REACH, np.cos(across) * period * _REACH
    at = np.mgrid[: odds.shape[0], : odds.shape[1]].astype(np.float32)
    places = [at + share * np.stack([down, right]) for share in np.linspace(-1, 1, 7)]

    def along(values: np.ndarray) -> list[np.ndarray]:
        return [ndimage.map_coordinates(values, one, order=1, mode="nearest") for one in places]

    return np.minimum(np.max(along(np.min(along(odds), axis=0)), axis=0), odds)
