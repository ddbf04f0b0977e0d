"""Blind search for a lattice in a frame: all axes, angles, cells and kinds, by its spectrum.

The waves of a projection, see `structure`, are looked for in the spectrum of the frame, which tells
axis, angle and cell without the shift; `shifts` adds that.
"""

import functools
from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from srd_jax.analysis.surfaces.framing import CELLS, SIZE, Frame
from srd_jax.analysis.surfaces.matching import transfer
from srd_jax.analysis.surfaces.shifts import PADDED, Hypothesis, padded, transformed, with_shifts
from srd_jax.analysis.surfaces.structure import THICKNESS, Waves, waves
from srd_jax.support.compiling import jit
from srd_jax.synthetic.surfaces import rotations
from srd_jax.synthetic.surfaces.names import KINDS
from srd_jax.synthetic.surfaces.orientations import symmetry

_CELLS = 56  # cells that are tried
_AXIS_STEP, _ANGLE_STEP = np.radians(5.5), np.radians(3.0)
_STRONGEST = 24  # waves of an axis that are looked at
_FRACTIONS = 5
_AXES, _KEPT = 80, 40  # at once; scores of each
_SHIFTED = 400  # hypotheses of each kind that get shifts
_ZONES = ((0, 0, 1), (1, 0, 1), (1, 1, 1), (1, 1, 2), (0, 1, 2), (1, 1, 3))


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
        found += with_shifts(frame, by_spectrum(frame, kind, cells), most)
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
        _compiled()(
            _AtAxes(
                *(
                    jnp.asarray(padded(one[start : start + _AXES], _AXES), jnp.float32)
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
    order = np.argsort(-score.ravel())[:_SHIFTED]
    return [
        Hypothesis(
            kind,
            _about_beam(float(angles[angle[i]])) @ plain[number[i]],
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


@struct.dataclass
class _AtAxes:
    """The strongest waves at axes of view: vectors (N, G, 3), lengths (N, G), (N, F, G)."""

    k: jax.Array
    length: jax.Array
    weight: jax.Array


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
        scaled = (PADDED * length)[None, :, :]
        column = jnp.rint(scaled * jnp.cos(turned)[:, None, :]).astype(jnp.int32) % PADDED
        row = jnp.rint(scaled * jnp.sin(turned)[:, None, :]).astype(jnp.int32) % PADDED
        seen = amplitude[row * PADDED + column] * passed[None]
        energy = jnp.einsum("fg,cg->fc", one.weight**2, passed**2)
        total = jnp.einsum("fg,tcg->ftc", one.weight, seen)
        score = 2 * total / (norm * jnp.sqrt(jnp.maximum(energy, 1e-20)))[:, None, :]
        best, place = jax.lax.top_k(score.max(axis=0).ravel(), _KEPT)
        return best, place, score.argmax(axis=0).ravel()[place]

    return jax.lax.map(of_axis, at)


@functools.cache
def _compiled() -> Callable[..., tuple[jax.Array, jax.Array, jax.Array]]:
    return jit(_scores)


def _amplitude(frame: Frame) -> np.ndarray:
    """Returns the spectrum's amplitude above that of its noise, (PADDED, PADDED)."""
    found = np.abs(transformed(frame))
    numbers = np.fft.fftfreq(PADDED) * SIZE
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
    return np.asarray(jit(jax.vmap(rotations.from_hkl))(jnp.asarray(every, jnp.float32)), float)


def _about_beam(angle: float) -> np.ndarray:
    """Returns the rotation of the picture counter-clockwise as seen."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
