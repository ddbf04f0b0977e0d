"""Blind search for a lattice in a frame: all axes, angles, cells and kinds, by structure factors.

A projection is a sum of waves, see `structure`, so its correlation with a picture needs no more of
that than its Fourier transform where the waves are. Without their phases, that tells the axis, the
angle and the cell; with them, a Fourier series gives the correlation for all shifts at once.
"""

import dataclasses
import functools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from scipy import fft, ndimage

from srd_jax.analysis.surfaces.framing import SIZE, Frame
from srd_jax.analysis.surfaces.matching import Band, filtered, ncc, transfer
from srd_jax.analysis.surfaces.structure import THICKNESS, Waves, waves
from srd_jax.support.compiling import jit
from srd_jax.synthetic.surfaces import rotations
from srd_jax.synthetic.surfaces.levels import KINDS, level_of
from srd_jax.synthetic.surfaces.orientations import symmetry

# The cell is looked for from and to so many of the lattice's strongest spacings.
CELLS = (0.95, 4.8)
_CELLS = 56  # cells that are tried
_AXIS_STEP, _ANGLE_STEP = np.radians(5.5), np.radians(3.0)
_STRONGEST = 24  # waves of an axis that are looked at
_FRACTIONS = 5
_AXES, _KEPT = 80, 40  # at once; scores of each
_PADDED = 256  # rows and columns of the Fourier transform
_SHIFTS = 16  # along each edge of the cell
# Of each kind: hypotheses that get shifts, those whose pictures are compared, and their shifts.
_PHASED, _COMPARED, _TRIED = 400, 48, 2
# Hypotheses are the same up to this angle and this logarithm of cells.
_SAME_ANGLE, _SAME_CELL = np.radians(5.0), 0.03
_SAME_SCORE = 1e-3
_ZONES = ((0, 0, 1), (1, 0, 1), (1, 1, 1), (1, 1, 2), (0, 1, 2), (1, 1, 3))


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


def search(
    frame: Frame,
    most: int,
    kinds: Sequence[str] = KINDS,
    cells: tuple[float, float] | None = None,
) -> list[Hypothesis]:
    """Returns the best hypotheses of each kind, with shifts, the best first.

    Args:
      frame: with the region.
      most: of each kind.
      kinds: of surfaces.
      cells: least and greatest, px of the frame; None for all that the spacing allows.
    """
    cells = cells or (CELLS[0] * frame.spacing, CELLS[1] * frame.spacing)
    found: list[Hypothesis] = []
    for kind in kinds:
        shifted = distinct(phased(frame, by_spectrum(frame, kind, cells)), _COMPARED, _TRIED)
        found += distinct(placed(frame, shifted), most)
    return sorted(found, key=lambda one: -one.score)


def by_spectrum(frame: Frame, kind: str, cells: tuple[float, float]) -> list[Hypothesis]:
    """Returns hypotheses whose waves are where the spectrum is strong, without shifts.

    Their score is the NCC if all waves had the right phases.
    """
    of, plain = waves(kind), _plain_rotations(kind)
    grid = np.geomspace(*cells, _CELLS)
    angles = np.arange(0, np.pi, _ANGLE_STEP)
    k, weight = _strongest(of, plain)
    length = np.hypot(k[..., 0], k[..., 1])
    numbers = (frame.low, frame.high, np.sqrt(2.0 * frame.mask.sum()))
    found = [
        _scores(
            _AtAxes(
                *(
                    jnp.asarray(_padded(one[start : start + _AXES], _AXES), jnp.float32)
                    for one in (k, length, weight)
                )
            ),
            jnp.asarray(_amplitude(frame).ravel(), jnp.float32),
            jnp.asarray(grid, jnp.float32),
            jnp.asarray(angles, jnp.float32),
            jnp.asarray(numbers, jnp.float32),
        )
        for start in range(0, len(plain), _AXES)
    ]
    score, place, fraction = (np.concatenate(one)[: len(plain)] for one in zip(*found, strict=True))
    number = np.repeat(np.arange(len(plain)), score.shape[1])
    angle, cell = np.divmod(place.ravel(), len(grid))
    order = np.argsort(-score.ravel())[:_PHASED]
    return [
        Hypothesis(
            kind,
            _about_beam(angles[angle[i]]) @ plain[number[i]],
            float(grid[cell[i]]),
            float(of.fractions[fraction.ravel()[i] % len(of.fractions)]),
            score=float(score.ravel()[i]),
        )
        for i in order
    ]


def _strongest(of: Waves, plain: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the strongest waves at each axis: vectors, (N, G, 3), and amplitudes, (N, F, G)."""
    k = np.einsum("gj,nij->ngi", of.q, plain)
    weight = np.abs(of.values)[None] * np.abs(np.sinc(k[:, None, :, 2] * THICKNESS))
    order = np.argsort(-weight.max(axis=1), axis=1)[:, :_STRONGEST]
    k = np.take_along_axis(k, order[..., None], axis=1)
    weight = np.take_along_axis(weight, order[:, None, :], axis=2)
    # As many fractions for each kind, so that all are compiled once.
    return k, weight[:, np.arange(_FRACTIONS) % weight.shape[1]]


def _padded(array: np.ndarray, length: int) -> np.ndarray:
    """Returns an array whose first axis is padded by repetitions."""
    return array[np.arange(length) % len(array)]


@struct.dataclass
class _AtAxes:
    """The strongest waves at axes of view: vectors (N, G, 3), lengths (N, G), (N, F, G)."""

    k: jax.Array
    length: jax.Array
    weight: jax.Array


@jit
def _scores(
    at: _AtAxes, amplitude: jax.Array, cells: jax.Array, angles: jax.Array, numbers: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns the best scores of each axis, their places among (angles, cells), and fractions."""
    low, high, norm = numbers

    def of_axis(one: _AtAxes) -> tuple[jax.Array, jax.Array, jax.Array]:
        length = one.length[None, :] / cells[:, None]
        passed = transfer(low, high, length) * (length < 0.5)
        along = jnp.arctan2(one.k[:, 1], one.k[:, 0])
        turned = along[None, :] - angles[:, None]  # counter-clockwise as seen, y down
        scaled = (_PADDED * length)[None, :, :]
        column = jnp.rint(scaled * jnp.cos(turned)[:, None, :]).astype(jnp.int32) % _PADDED
        row = jnp.rint(scaled * jnp.sin(turned)[:, None, :]).astype(jnp.int32) % _PADDED
        seen = amplitude[row * _PADDED + column] * passed[None]
        energy = jnp.einsum("fg,cg->fc", one.weight**2, passed**2)
        total = jnp.einsum("fg,tcg->ftc", one.weight, seen)
        score = 2 * total / (norm * jnp.sqrt(jnp.maximum(energy, 1e-20)))[:, None, :]
        best, place = jax.lax.top_k(score.max(axis=0).ravel(), _KEPT)
        return best, place, score.argmax(axis=0).ravel()[place]

    return jax.lax.map(of_axis, at)


def _transformed(frame: Frame) -> np.ndarray:
    """Returns Σ data exp(-2πi k u) with u from the middle of the frame, (PADDED, PADDED)."""
    middle = (SIZE - 1) / 2
    phase = np.exp(2j * np.pi * np.fft.fftfreq(_PADDED) * middle)
    return np.fft.fft2(frame.data, (_PADDED, _PADDED)) * phase[:, None] * phase[None, :]


def _amplitude(frame: Frame) -> np.ndarray:
    """Returns the spectrum's amplitude above that of its noise, (PADDED, PADDED)."""
    found = np.abs(_transformed(frame))
    numbers = np.fft.fftfreq(_PADDED) * SIZE
    ring = np.rint(np.hypot(numbers[:, None], numbers[None, :])).astype(int)
    order = np.argsort(ring.ravel(), kind="stable")
    ends = np.cumsum(np.bincount(ring.ravel()))[:-1]
    medians = np.array([np.median(one) for one in np.split(found.ravel()[order], ends)])
    return np.maximum(found - medians[ring], 0.0)


@functools.cache
def _plain_rotations(kind: str) -> np.ndarray:
    """Returns rotations for all axes of view that differ by more than symmetry, (N, 3, 3)."""
    number = round(4 * np.pi / _AXIS_STEP**2)
    z = 1 - (2 * np.arange(number) + 1) / number
    azimuth = np.pi * (3 - np.sqrt(5)) * np.arange(number)  # a Fibonacci lattice
    flat = np.sqrt(1 - z**2)
    axes = np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), z], axis=-1)
    inner = np.array([0.42, 0.18, 0.89]) if kind != "L" else np.array([0.68, 0.18, 0.71])
    turned = np.einsum("nk,wkj->nwj", axes, symmetry(kind)) @ inner
    own = axes[axes @ inner >= turned.max(axis=1) - 1e-6]
    zones = np.array(_ZONES, float)
    every = np.concatenate([zones / np.linalg.norm(zones, axis=1, keepdims=True), own])
    return np.asarray(jax.vmap(rotations.from_hkl)(jnp.asarray(every, jnp.float32)), float)


def _about_beam(angle: float) -> np.ndarray:
    """Returns the rotation of the picture counter-clockwise as seen."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])


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
    rows, columns = (np.rint(_PADDED * k[..., i]).astype(int) % _PADDED for i in (1, 0))
    length = np.hypot(k[..., 0], k[..., 1]).astype(np.float32)
    wave = wave * np.asarray(transfer(frame.low, frame.high, length))
    series = np.zeros((len(hypotheses), *(_SHIFTS,) * 3), np.complex64)
    x, y, z = (of.index % _SHIFTS).T
    # Membranes are dark.
    series[:, x, y, z] = -wave * np.conj(_transformed(frame)[rows, columns])
    values = 2 * np.real(fft.ifftn(series, axes=(1, 2, 3))) * _SHIFTS**3
    energy = 2 * frame.mask.sum() * np.sum(np.abs(wave) ** 2, axis=1)
    summits = values >= ndimage.maximum_filter(values, (1, 3, 3, 3), mode="wrap")
    back, found = np.linalg.inv(np.array(level_of(hypotheses[0].kind).waves)), []
    for i, one in enumerate(hypotheses):
        places = np.argwhere(summits[i])
        heights = values[i][tuple(places.T)] / np.sqrt(max(energy[i], 1e-20))
        # Shifts by a vector of the lattice score the same.
        _, first = np.unique(np.rint(-heights / _SAME_SCORE), return_index=True)
        for place in first[:_TRIED]:
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
    scores = _correlations(
        jnp.asarray(_padded(k[..., :2], length), jnp.float32),
        jnp.asarray(_padded(wave, length), jnp.complex64),
        jnp.asarray(frame.data),
        frame.band,
    )
    scored = [
        dataclasses.replace(one, score=float(score))
        for one, score in zip(hypotheses, scores, strict=False)
    ]
    return sorted(scored, key=lambda one: -one.score)


@jit
def _correlations(k: jax.Array, wave: jax.Array, data: jax.Array, by: Band) -> jax.Array:
    """Returns the NCC of sums of waves, k (B, G, 2) and wave (B, G), with data."""
    at = jnp.arange(SIZE) - (SIZE - 1) / 2

    def of_picture(one: tuple[jax.Array, jax.Array]) -> jax.Array:
        k, wave = one
        right, down = (jnp.exp(2j * jnp.pi * k[:, i, None] * at[None, :]) for i in (0, 1))
        picture = -jnp.real(jnp.matmul((down * wave[:, None]).T, right))
        return ncc(filtered(picture, by), data)

    return jax.lax.map(of_picture, (k, wave))


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
        and apart(one.rotation, other.rotation, one.kind) < _SAME_ANGLE
    )


def apart(one: np.ndarray, other: np.ndarray, kind: str) -> float:
    """Returns the angle between two orientations, minimal over the equivalent ones, radians."""
    operations = symmetry(kind)
    back = np.array([-1.0, -1.0, 1.0])
    # The trace of the rotation between them.
    traces = [
        np.einsum("ij,wjk,ik->w", seen, operations, other) for seen in (one, back[:, None] * one)
    ]
    return float(np.arccos(np.clip((np.max(traces) - 1) / 2, -1.0, 1.0)))
