"""Hypotheses of what a frame shows, and the shifts with which each fits best.

A projection is a sum of waves, see `structure`, so its correlation with a picture needs no more of
that than its Fourier transform where the waves are; a Fourier series gives it for all shifts of the
crystal at once.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from scipy import fft, ndimage

from srd_jax.analysis.surfaces.axes import apart
from srd_jax.analysis.surfaces.framing import SIZE, Frame
from srd_jax.analysis.surfaces.matching import Band, filtered, ncc, transfer
from srd_jax.analysis.surfaces.structure import THICKNESS, Waves, waves
from srd_jax.support.compiling import jit
from srd_jax.synthetic.surfaces.levels import level_of

PADDED = 256  # rows and columns of the Fourier transform
TRIED = 2  # shifts of a hypothesis
_SHIFTS = 16  # along each edge of the cell
_COMPARED = 48  # pictures that are compared at once
# Hypotheses are the same up to this angle, this logarithm of cells and this fraction; shifts up to
# this score.
_SAME_ANGLE, _SAME_CELL, _SAME_FRACTION, _SAME_SCORE = np.radians(5.0), 0.03, 0.25, 1e-3


@dataclasses.dataclass(frozen=True)
class Hypothesis:
    """What a region may show.

    Attributes:
      kind: of the surface.
      rotation: (3, 3).
      cell: px of the frame.
      fraction: of the volume with f above c.
      shift: (3,) place of the crystal in the middle of the frame, cells; None if it isn't known.
      score: NCC, or an upper bound of it.
    """

    kind: str
    rotation: np.ndarray
    cell: float
    fraction: float
    shift: np.ndarray | None = None
    score: float = 0.0


def with_shifts(frame: Frame, hypotheses: Sequence[Hypothesis], most: int) -> list[Hypothesis]:
    """Returns the best of hypotheses of any kinds, each with its best shifts, the best first.

    Args:
      frame: with the region.
      hypotheses: such as a network's, cells in px of the frame.
      most: of each kind.
    """
    found: list[Hypothesis] = []
    for kind in dict.fromkeys(one.kind for one in hypotheses):
        own = [one for one in hypotheses if one.kind == kind]
        if kind not in ("D", "P"):  # for which a shift takes c to -c
            own += [dataclasses.replace(one, fraction=1 - one.fraction) for one in own]
        shifted = distinct(phased(frame, own), _COMPARED, TRIED)
        found += distinct(placed(frame, shifted), most)
    return sorted(found, key=lambda one: -one.score)


def transformed(frame: Frame) -> np.ndarray:
    """Returns Σ data exp(-2πi k u) with u from the middle of the frame, (PADDED, PADDED)."""
    middle = (SIZE - 1) / 2
    phase = np.exp(2j * np.pi * np.fft.fftfreq(PADDED) * middle)
    return np.fft.fft2(frame.data, (PADDED, PADDED)) * phase[:, None] * phase[None, :]


def phased(frame: Frame, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Returns hypotheses with shifts, several of each, scored by the waves' correlation.

    Args:
      frame: with the region.
      hypotheses: of one kind.
    """
    if not hypotheses:
        return []
    of = waves(hypotheses[0].kind)
    wave, k = _of_pictures(of, hypotheses)
    rows, columns = (np.rint(PADDED * k[..., i]).astype(int) % PADDED for i in (1, 0))
    length = np.hypot(k[..., 0], k[..., 1]).astype(np.float32)
    wave = wave * np.asarray(transfer(frame.low, frame.high, length))
    series = np.zeros((len(hypotheses), *(_SHIFTS,) * 3), np.complex64)
    x, y, z = (of.index % _SHIFTS).T
    # Membranes are dark.
    series[:, x, y, z] = -wave * np.conj(transformed(frame)[rows, columns])
    values = 2 * _SHIFTS**3 * np.real(np.array(fft.ifftn(series, axes=(1, 2, 3)), np.complex64))
    energy = 2 * frame.mask.sum() * np.sum(np.abs(wave) ** 2, axis=1)
    summits = values >= ndimage.maximum_filter(values, (1, 3, 3, 3), mode="wrap")
    back, found = np.linalg.inv(np.array(level_of(hypotheses[0].kind).waves)), []
    for i, one in enumerate(hypotheses):
        places = np.argwhere(summits[i])
        heights = values[i][tuple(places.T)] / np.sqrt(max(energy[i], 1e-20))
        # Shifts by a vector of the lattice score the same.
        _, first = np.unique(np.rint(-heights / _SAME_SCORE), return_index=True)
        for place in first[:TRIED]:
            shift = back @ (places[place] / _SHIFTS)
            found.append(dataclasses.replace(one, shift=shift, score=float(heights[place])))
    return sorted(found, key=lambda one: -one.score)


def _of_pictures(of: Waves, hypotheses: Sequence[Hypothesis]) -> tuple[np.ndarray, np.ndarray]:
    """Returns the waves of projections: (B, G) complex, and vectors, (B, G, 3) 1 / px.

    Those that pixels can't show are 0.
    """
    cells = np.array([one.cell for one in hypotheses])
    k = np.einsum("gj,bij->bgi", of.q, np.stack([one.rotation for one in hypotheses]))
    fractions = np.array([one.fraction for one in hypotheses])
    nearest = np.argmin(np.abs(of.fractions - fractions[:, None]), axis=1)
    wave = of.values[nearest] * np.sinc(k[..., 2] * THICKNESS)
    k = k / cells[:, None, None]
    return np.where(np.abs(k[..., :2]).max(axis=-1) < 0.5, wave, 0.0), k


def placed(frame: Frame, hypotheses: Sequence[Hypothesis]) -> list[Hypothesis]:
    """Returns hypotheses scored by the NCC of their pictures, the best first.

    Args:
      frame: with the region.
      hypotheses: of one kind, with shifts.
    """
    if not hypotheses:
        return []
    of = waves(hypotheses[0].kind)
    wave, k = _of_pictures(of, hypotheses)
    shifts = np.stack([one.shift for one in hypotheses if one.shift is not None])
    wave = wave * np.exp(2j * np.pi * shifts @ of.q.T)
    length = max(_COMPARED, len(hypotheses))  # one size, whatever the number
    scores = _compiled()(
        jnp.asarray(padded(k[..., :2], length), jnp.float32),
        jnp.asarray(padded(wave, length), jnp.complex64),
        jnp.asarray(frame.data),
        frame.band,
    )
    scored = [
        dataclasses.replace(one, score=float(score))
        for one, score in zip(hypotheses, scores, strict=False)
    ]
    return sorted(scored, key=lambda one: -one.score)


def _correlations(k: jax.Array, wave: jax.Array, data: jax.Array, by: Band) -> jax.Array:
    """Returns the NCC of sums of waves, k (B, G, 2) and wave (B, G), with data."""
    at = jnp.arange(SIZE) - (SIZE - 1) / 2

    def of_picture(one: tuple[jax.Array, jax.Array]) -> jax.Array:
        k, wave = one
        right, down = (jnp.exp(2j * jnp.pi * k[:, i, None] * at[None, :]) for i in (0, 1))
        picture = -jnp.real(jnp.matmul((down * wave[:, None]).T, right))
        return ncc(filtered(picture, by), data)

    return jax.lax.map(of_picture, (k, wave))


@functools.cache
def _compiled() -> Callable[..., jax.Array]:
    return jit(_correlations)


def distinct(hypotheses: Sequence[Hypothesis], most: int, alike: int = 1) -> list[Hypothesis]:
    """Returns the first of hypotheses whose orientation and cell are nearly the same.

    Args:
      hypotheses: the best first.
      most: of them.
      alike: how many may be nearly the same.
    """
    kept: list[Hypothesis] = []
    for one in hypotheses:
        if len(kept) == most:
            break
        if sum(_same(one, other) for other in kept) < alike:
            kept.append(one)
    return kept


def _same(one: Hypothesis, other: Hypothesis) -> bool:
    return (
        one.kind == other.kind
        and abs(np.log(one.cell / other.cell)) < _SAME_CELL
        and abs(one.fraction - other.fraction) < _SAME_FRACTION
        and apart(one.rotation, other.rotation, one.kind) < _SAME_ANGLE
    )


def padded(array: np.ndarray, length: int) -> np.ndarray:
    """Returns an array whose first axis is padded by repetitions."""
    return array[np.arange(length) % len(array)]
