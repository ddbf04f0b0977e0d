"""Finds the phase of a granum's lamellae: a field that grows by 1 from lamella to lamella.

Strips follow the lamellae (`measuring.strips`), and a band-pass filter leaves one complex wave on
each (`measuring.local_period`). Its phase is known up to whole turns. The field is the one whose
steps down and sideways fit those of the waves best. docs/methods.md, "Layers", explains the steps.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage, sparse
from scipy.fft import next_fast_len
from scipy.sparse.linalg import spsolve

from srd_jax.imaging.masks import tight_box
from srd_jax.imaging.preparation import reduced
from srd_jax.measuring.classical import granum
from srd_jax.measuring.local_period import waves
from srd_jax.measuring.strips import Strips, follow
from srd_jax.support.errors import InputError

# A granum is reduced while a period keeps at least so many px; fewer px can't be followed.
_LEAST_PX, _SHORTEST_PX = 12.0, 4.0
# Largest area, squared periods; grana have some 40 x 40.
_LARGEST = 10_000
# Sd of the filter's window, periods, as in `local_period`; frequencies beyond these, relative to
# the granum's, are noise.
_WINDOW, _LOWEST, _HIGHEST = 0.8, 0.7, 1.4
# Weight of the granum's mean period where no wave is seen, of 1 for a usual wave.
_UNSEEN = 0.01
# Misfit of a step, turns, from which on it counts less: lamellae end, noise slips.
_SLIP = 0.1
# Weight of a step sideways, of 1 for one down: where a lamella ends, the misfit goes sideways, so
# that each column keeps its own number of layers.
_SIDEWAYS = 0.1
_SOLUTIONS = 3
# Sds of the Gaussians that smooth the waves once their phase is removed: periods down, strips
# sideways; the phase is solved for again after each. Then it is brought nearer to the waves.
_NEARER = 2
_SMOOTHING = ((0.7, 4.0), (0.5, 2.0))


class Phase(NamedTuple):
    """The phase of the lamellae over a crop; it is extrapolated outside of the mask.

    Attributes:
      turns: (rows, columns) float32, grows by 1 downwards from lamella to lamella.
      confidence: (rows, columns) float32, 0..1: how clear the lamellae are and how well their
        phase fits its surroundings.
      period_px: vertical distance of the lamellae, px.
    """

    turns: np.ndarray
    confidence: np.ndarray
    period_px: float


def lamella_phase(grey: ArrayLike, mask: ArrayLike, period_px: float) -> Phase:
    """Returns the phase of a granum's lamellae.

    Args:
      grey: (rows, columns) grey values of the crop, its lamellae about horizontal.
      mask: (rows, columns), True inside of the granum.
      period_px: measured period, px.

    Raises:
      InputError: the granum is blank, too low or narrow, or the period can't be followed in it.
    """
    values, inside = granum(grey, mask)
    height = int(inside.sum(axis=0).max())
    if not _SHORTEST_PX <= period_px <= height:
        raise InputError(
            f"period is {period_px:.4g} px; accepted for counting layers: {_SHORTEST_PX:g} px to "
            f"the granum's height, {height} px"
        )
    rows, columns = (size / period_px for size in inside.shape)
    if rows * columns > _LARGEST:
        raise InputError(
            f"the granum is {rows:.4g} periods high and {columns:.4g} wide; accepted for counting "
            f"layers: an area of up to {_LARGEST} squared periods"
        )
    factor = max(int(period_px // _LEAST_PX), 1)
    small, part = reduced(values, inside, factor)
    if min(small.shape) < 3 or not part.any():
        raise InputError(
            f"the granum is {columns:.4g} periods wide; accepted for counting layers: a third at "
            "least"
        )
    scale = period_px / factor
    found = follow(small, part, scale, scale / 3)
    if not found.valid.any():
        raise InputError("the mask is too narrow; accepted for counting layers: wider ones")
    vertical = scale / found.cosine
    field, clear = _solved(found, vertical, max(int(scale / 4), 1))
    return _on_crop(field, clear, found.columns, factor, mask, inside.shape, vertical * factor)


def _solved(found: Strips, vertical: float, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the phase and its confidence on all rows of the strips, each (rows, strips).

    Args:
      found: strips.
      vertical: about the vertical distance of the lamellae, px.
      step: between the rows that are solved for, px.
    """
    rows = len(found.profiles)
    spectrum = np.fft.fft(found.profiles, next_fast_len(2 * rows), axis=0)
    wave, _ = waves(spectrum, rows, vertical, _WINDOW * vertical)
    wave = np.where(found.valid, wave, 0)
    usual = np.median(np.abs(wave[found.valid]))
    wave = wave / max(usual, 1e-12)
    strength, trust = np.minimum(np.abs(wave), 1.0), np.ones(wave.shape)
    turns = _fitted(wave, found, vertical, step)
    smooth = wave
    for down, sideways in _SMOOTHING:
        sds = (down * vertical, min(sideways, wave.shape[1] / 4))
        # Beyond a usual strength, a blob counts no more than a membrane.
        level = wave * strength / np.maximum(np.abs(wave), 1e-9) * np.exp(-2j * np.pi * turns)
        mean = _gaussian(level.real, sds) + 1j * _gaussian(level.imag, sds)
        trust = np.abs(mean) / np.maximum(_gaussian(strength, sds), 1e-9)
        smooth = mean * np.exp(2j * np.pi * turns)
        turns = _fitted(smooth, found, vertical, step)
    for _ in range(_NEARER):
        # Towards the wave's own phase; a sine makes no jump where both are half a turn apart.
        away = smooth * np.exp(-2j * np.pi * turns)
        turns += away.imag / np.maximum(np.abs(away), 1e-12) / (2 * np.pi)
    return turns, trust * _gaussian(strength, (0.5 * vertical, 1.0))


def _gaussian(values: np.ndarray, sds: tuple[float, float]) -> np.ndarray:
    return ndimage.gaussian_filter(values, sds, mode="constant")


def _fitted(wave: np.ndarray, found: Strips, vertical: float, step: int) -> np.ndarray:
    """Returns the field, turns, whose steps fit the waves' by weighted least squares.

    This is phase unwrapping by least squares (Ghiglia and Romero 1994, doi:10.1364/JOSAA.11.000107)
    with weights that fall for steps that don't fit, so that lamellae may end. Where no wave is
    seen, the steps are those of the mean period and of the slope.
    """
    rows = np.arange(0, len(wave) - 1 + step, step).clip(max=len(wave) - 1)
    some = wave[rows]
    between = found.columns[1] - found.columns[0] if len(found.columns) > 1 else 0
    down = np.diff(rows)[:, None] / vertical + np.zeros((1, some.shape[1]))
    right = -(found.slope[rows][:, 1:] + found.slope[rows][:, :-1]) / 2 * between / vertical
    steps, weights = [], []
    for axis, usual in ((0, down), (1, right)):
        after, before = (np.delete(some, end, axis=axis) for end in (0, -1))
        turn = np.angle(after * before.conj()) / (2 * np.pi) - usual
        seen = usual + turn - np.round(turn)
        if axis == 0:
            seen = np.clip(seen, _LOWEST * usual, _HIGHEST * usual)
        weight = np.minimum(np.abs(after * before), 1.0)
        if axis == 1:
            weight = _SIDEWAYS * weight
        steps.append(((weight * seen + _UNSEEN * usual) / (weight + _UNSEEN)).ravel())
        weights.append((weight + _UNSEEN).ravel())
    step_values, weight = np.concatenate(steps), np.concatenate(weights)
    difference = _differences(some.shape)
    fitted = np.zeros(some.size)
    fading = np.ones(len(weight))
    for _ in range(_SOLUTIONS):
        weighted = difference.T @ sparse.diags_array(weight * fading)
        anchor = sparse.coo_array(([1.0], ([0], [0])), shape=(some.size, some.size))
        fitted = spsolve((weighted @ difference + anchor).tocsc(), weighted @ step_values)
        slips = 1 / np.hypot(1, (difference @ fitted - step_values) / _SLIP)
        fading[down.size :] = slips[down.size :]
    return _linear(np.arange(len(wave)), rows) @ fitted.reshape(some.shape)


def _differences(shape: tuple[int, ...]) -> sparse.csr_array:
    """Returns the matrix of all steps down, then all steps right, on a flattened grid."""
    rows, columns = (
        sparse.eye_array(size - 1, size, k=1) - sparse.eye_array(size - 1, size) for size in shape
    )
    down = sparse.kron(rows, sparse.eye_array(shape[1]))
    right = sparse.kron(sparse.eye_array(shape[0]), columns)
    return sparse.csr_array(sparse.vstack([down, right]))


def _linear(at: np.ndarray, knots: np.ndarray) -> sparse.csr_array:
    """Returns the matrix that interpolates linearly from knots to places, and extrapolates."""
    if len(knots) == 1:
        return sparse.csr_array(np.ones((len(at), 1), np.float32))
    first = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, len(knots) - 2)
    share = (at - knots[first]) / (knots[first + 1] - knots[first])
    places = (np.tile(np.arange(len(at)), 2), np.concatenate([first, first + 1]))
    values = np.concatenate([1 - share, share]).astype(np.float32)
    return sparse.csr_array((values, places), shape=(len(at), len(knots)))


def _on_crop(
    turns: np.ndarray,
    confidence: np.ndarray,
    columns: np.ndarray,
    factor: int,
    mask: ArrayLike,
    shape: tuple[int, int],
    vertical: float,
) -> Phase:
    """Returns the field of a reduced tight box on all pixels of the crop."""
    mask = np.asarray(mask).astype(bool)
    top, _, left, _ = tight_box(mask)
    places = []
    for start, size, whole in zip((top, left), shape, mask.shape, strict=True):
        skipped = start + (size % factor) // 2 if factor > 1 else start
        places.append((np.arange(whole) - skipped + 0.5) / factor - 0.5)
    down = _linear(places[0], np.arange(len(turns)))
    right = _linear(places[1], columns)
    # The confidence isn't extrapolated.
    within = _linear(places[0].clip(0, len(turns) - 1), np.arange(len(turns)))
    beside = _linear(places[1].clip(columns[0], columns[-1]), columns)
    field = down @ turns.astype(np.float32) @ right.T
    clear = np.clip(within @ confidence.astype(np.float32) @ beside.T, 0.0, 1.0)
    return Phase(field, clear, vertical)
