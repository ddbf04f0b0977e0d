"""Fits a cubic membrane to a region: search, refinement, uncertainty, answer."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from srd_jax.analysis.surfaces import framing
from srd_jax.analysis.surfaces.answer import Answer, answer, ranked
from srd_jax.analysis.surfaces.axes import apart, direction
from srd_jax.analysis.surfaces.framing import CELLS, Frame
from srd_jax.analysis.surfaces.network import Network, Opinion
from srd_jax.analysis.surfaces.refine import Refined, continued, refine
from srd_jax.analysis.surfaces.region import Region
from srd_jax.analysis.surfaces.search import search
from srd_jax.analysis.surfaces.shifts import Hypothesis, with_shifts
from srd_jax.support.errors import InputError
from srd_jax.synthetic.surfaces.names import KINDS

# Hypotheses of each kind: by the search, by the network, their steps; then those of the best ones.
_EACH, _ASKED, _STEPS = 6, 3, 4
_BEST, _MORE_STEPS = 2, 10
# Cells that are tried around a network's, whose error is some per cent.
_AROUND = np.geomspace(0.8, 1.25, 15)
# Kinds whose NCC lies so far under the best one's are left out: after the search, after the first
# steps.
_FAR_IN_SEARCH, _FAR = 0.3, 0.2
_SAME_ANGLE, _SAME_CELL, _SAME_FRACTION = np.radians(1.5), 0.01, 0.05
# Of grey values, below which a region is blank.
_LEAST_SD = 1e-6


@dataclasses.dataclass(frozen=True)
class Fit:
    """A fitted region with its pictures.

    Attributes:
      answer: numbers.
      frame: the region as it was fitted.
      model: (R, C) picture of the best slab, filtered as the frame's data are.
      parameters: numbers of the best slab, in the order of `model.NAMES`.
      searched: the best hypothesis before the refinement.
      opinion: the network's; None where it wasn't asked.
    """

    answer: Answer
    frame: Frame
    model: np.ndarray
    parameters: np.ndarray
    searched: Hypothesis
    opinion: Opinion | None = None


def fit(
    region: Region,
    kinds: Sequence[str] = KINDS,
    cell_nm: tuple[float, float] | None = None,
    network: Network | None = None,
) -> Fit:
    """Fits a region.

    Args:
      region: of a micrograph.
      kinds: of surfaces that are tried.
      cell_nm: least and greatest cell; None for all that the lattice's spacing allows.
      network: asked beside the search; None for the search alone.

    Raises:
      InputError: the region is blank, its scale isn't known though `cell_nm` is given, or no cell
        of that size fits the lattice.
    """
    inside = region.grey[region.mask]
    if inside.size == 0 or not np.isfinite(inside).all() or float(np.std(inside)) < _LEAST_SD:
        raise InputError(f"{region.name} is blank; accepted are regions with a lattice")
    cells = in_px(region, cell_nm)
    frame = framing.frame(region, cells)
    limits = _in_frame(frame, cells)
    begun, opinion = search(frame, _EACH, kinds, limits), None
    if network is not None:
        opinion = network.ask(region, frame, kinds)
        begun += with_shifts(frame, _around(opinion.hypotheses, limits), _ASKED)
        begun = sorted(begun, key=lambda one: -one.score)
    odds = None if opinion is None else opinion.odds
    found = ranked(frame, refined(frame, begun), odds)
    best = found[0][1]
    return Fit(
        answer(region, frame, found, odds),
        frame,
        np.asarray(best.model),
        np.asarray(best.parameters.numbers),
        begun[0],
        opinion,
    )


def _around(
    hypotheses: Sequence[Hypothesis], limits: tuple[float, float] | None
) -> list[Hypothesis]:
    """Returns hypotheses with cells around their own, those within limits, px of the frame."""
    low, high = limits or (0.0, np.inf)
    return [
        dataclasses.replace(one, cell=one.cell * factor)
        for one in hypotheses
        for factor in _AROUND
        if low <= one.cell * factor <= high
    ]


def in_px(region: Region, cell_nm: tuple[float, float] | None) -> tuple[float, float] | None:
    """Returns the least and the greatest cell in px of the region; None for any.

    Raises:
      InputError: the region's scale isn't known.
    """
    if cell_nm is None:
        return None
    if region.nm_per_px is None:
        raise InputError(
            "--cell-nm: found without a scale; accepted with --nm-per-px, or a file that states one"
        )
    return cell_nm[0] / region.nm_per_px, cell_nm[1] / region.nm_per_px


def _in_frame(frame: Frame, cells: tuple[float, float] | None) -> tuple[float, float] | None:
    """Returns the least and the greatest cell that the lattice allows, in px of the frame."""
    if cells is None:
        return None
    low, high = (one * frame.spacing for one in CELLS)
    given = cells[0] * frame.scale, cells[1] * frame.scale
    return max(given[0], low), min(given[1], max(high, 1.01 * given[0]))


def refined(frame: Frame, candidates: Sequence[Hypothesis]) -> list[tuple[str, Refined]]:
    """Returns kinds and refined slabs that differ, the best first.

    Args:
      frame: with the region.
      candidates: the best first, with shifts and scores.
    """
    first: dict[str, list[Refined]] = {}
    for kind in dict.fromkeys(one.kind for one in candidates):
        own = [one for one in candidates if one.kind == kind]
        if own[0].score >= candidates[0].score - _FAR_IN_SEARCH:
            first[kind] = _sorted(refine(frame, own, [_STEPS] * len(own)))
    highest = max(float(own[0].ncc) for own in first.values())
    found: list[tuple[str, Refined]] = []
    for kind, own in first.items():
        if float(own[0].ncc) >= highest - _FAR:
            different = _different(kind, own)
            steps = [_MORE_STEPS] * min(_BEST, len(different))
            best = [one.parameters for one in different[:_BEST]]
            own = _sorted([*continued(frame, kind, best, steps), *different[_BEST:]])
        found += [(kind, one) for one in _different(kind, own)]
    return sorted(found, key=lambda one: -float(one[1].ncc))


def _sorted(found: Sequence[Refined]) -> list[Refined]:
    # A picture that isn't finite fits nothing.
    return sorted(found, key=lambda one: -np.nan_to_num(float(one.ncc), nan=-1.0))


def _different(kind: str, found: Sequence[Refined]) -> list[Refined]:
    """Returns the best of slabs that ended at the same place."""
    kept: list[Refined] = []
    for one in found:
        at = one.parameters
        if not any(
            abs(float(np.log(at.cell / other.parameters.cell))) < _SAME_CELL
            and abs(float(at.fraction - other.parameters.fraction)) < _SAME_FRACTION
            and apart(np.asarray(at.rotation), np.asarray(other.parameters.rotation), kind)
            < _SAME_ANGLE
            for other in kept
        ):
            kept.append(one)
    return kept


def sentence(of: Answer) -> str:
    """Returns an answer in one line, such as "D, a = 79.0 ± 0.6 nm, along [110] ± 3°, …"."""
    best, sds = of.best, of.uncertainty
    if best is None or sds is None:
        return "; ".join(of.reasons)
    scale, unit = (of.nm_per_px, "nm") if of.nm_per_px is not None else (1.0, "px")
    cell = best.cell_px * scale
    axis_sd = f"{of.axis_sd_deg:.{_digits(of.axis_sd_deg, 0)}f}"
    parts = [
        best.kind,
        f"a = {_with_sd(cell, cell * sds.relative_cell, 1)} {unit}",
        f"along {direction(best.view, of.axis_sd_deg)} (± {axis_sd}°)",
        f"volume fraction {_with_sd(best.fraction, sds.fraction, 2)}",
        f"NCC {best.ncc:.3f}",
    ]
    return ", ".join(parts)


def _with_sd(value: float, sd: float, digits: int) -> str:
    """Returns a number with its sd, to so many digits or as many as the sd needs."""
    digits = _digits(sd, digits)
    return f"{value:.{digits}f} ± {sd:.{digits}f}"


def _digits(sd: float, least: int) -> int:
    """Returns the digits after the point at which an sd isn't 0, at least some and at most 3."""
    return next((digits for digits in range(least, 3) if round(sd, digits) > 0), 3)
