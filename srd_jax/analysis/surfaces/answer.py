"""The answer of a fit: what a region shows, how surely, and what else would fit nearly as well."""

import dataclasses
import math
from collections.abc import Mapping, Sequence

import jax.numpy as jnp
import numpy as np

from srd_jax.analysis.surfaces.axes import View, apart, view
from srd_jax.analysis.surfaces.framing import Frame
from srd_jax.analysis.surfaces.model import unusual
from srd_jax.analysis.surfaces.refine import Refined
from srd_jax.analysis.surfaces.region import Region
from srd_jax.analysis.surfaces.spectrum import one_directional
from srd_jax.analysis.surfaces.uncertainty import Uncertainty, uncertainty
from srd_jax.synthetic.surfaces.fractions import level_of_fraction

# Limits of status ok.
LEAST_NCC = 0.5
LEAST_CELLS = 4.0
MOST_RELATIVE_SD = 0.03
MOST_AXIS_SD_DEG, MOST_IN_PLANE_SD_DEG = 15.0, 5.0
LEAST_SHARE = 0.9  # of the probability, for the type and for the cell
LEAST_ALONE = 0.5  # for the type, by the fits and by the network, each without the other
MOST_STRIPED = 0.85
# Misfits that noise doesn't explain lessen what an independent pixel tells, and how many count: so
# types whose residuals' energies are within a tenth are never told apart. By drawn pictures.
_TEMPER, _MOST_PIXELS = 0.3, 200.0
# The priors of a slab count with this power: their numbers depend on each other. Beyond the sum of
# squares that one in fifty drawn pictures has, a fit is no membrane's.
_USUAL, MOST_UNUSUAL = 0.3, 16.0
# What a network says of the kind counts with this power. By drawn pictures.
_TRUST, _LEAST_ODDS = 1.0, 1e-3
# Along its hexagonal axis, lonsdaleite looks like diamond along [111]; ties go to the diamond, the
# common one in prolamellar bodies (Williams et al. 1998, FEBS Letters 422, 252).
_PRIOR = {"L": 0.3}
# The level beyond which the membrane falls apart into bodies.
PINCH_OFF = {"G": math.sqrt(2), "D": 1 / math.sqrt(2), "P": 1.0}
_SAME_CELL, _SAME_FRACTION = 0.03, 0.1
_LEAST_SHOWN = 0.02  # share of an alternative that is listed, but for the best of each kind


@dataclasses.dataclass(frozen=True)
class Alternative:
    """Something that a region may show.

    Attributes:
      kind: of the surface.
      cell_px: edge a of the cell, px of the micrograph.
      fraction: of the smaller channel; for I-WP and L of that with f above c.
      view: how it is seen.
      ncc: of its picture with the region.
      share: of the probability, among all that were refined.
    """

    kind: str
    cell_px: float
    fraction: float
    view: View
    ncc: float
    share: float


@dataclasses.dataclass(frozen=True)
class Answer:
    """What was found in a region.

    Attributes:
      region: its name.
      box: x0, y0, x1, y1, px of the file.
      status: ok, low_confidence or error.
      reasons: why it isn't ok, each a phrase.
      nm_per_px: None if it isn't known.
      best: None where nothing could be fitted.
      uncertainty: of the best one, None with it.
      axis_sd_deg: of its axis, alternatives of the same type included.
      level: c of the surface.
      rotation: (3, 3), None where nothing could be fitted.
      cells: how many lie in the part that was fitted.
      alternatives: others, the best first.
      notes: facts, each a phrase.
    """

    region: str
    box: tuple[int, int, int, int]
    status: str
    reasons: tuple[str, ...] = ()
    nm_per_px: float | None = None
    best: Alternative | None = None
    uncertainty: Uncertainty | None = None
    axis_sd_deg: float = math.nan
    level: float = math.nan
    rotation: np.ndarray | None = None
    cells: float = math.nan
    alternatives: tuple[Alternative, ...] = ()
    notes: tuple[str, ...] = ()


def answer(
    region: Region,
    frame: Frame,
    found: Sequence[tuple[str, Refined]],
    odds: Mapping[str, float] | None = None,
) -> Answer:
    """Returns the answer of a region.

    Args:
      region: that was fitted.
      frame: its frame.
      found: kinds and refined slabs, the most probable first, see `ranked`.
      odds: probability of each kind by a network; None without one.
    """
    of_best = uncertainty(frame, found[0][1])
    shares = shares_of(found, of_best.pixels, odds)
    listed = [
        _alternative(kind, fit, share, frame.scale)
        for (kind, fit), share in zip(found, shares, strict=True)
    ]
    best, rotation = listed[0], np.asarray(found[0][1].parameters.rotation, float)
    axis_sd = _axis_sd(found, shares, of_best)
    cells = float(frame.mask.sum() / float(found[0][1].parameters.cell) ** 2)
    level = float(level_of_fraction(best.kind, jnp.float32(best.fraction)))
    reasons = [
        *_misfits(best, frame, found[0][1], cells),
        *_rivals(listed),
        *_contradicted(best.kind, found, of_best.pixels, odds),
        *_vague(of_best, axis_sd),
        *_pinched(best.kind, level),
    ]
    notes = []
    if best.kind == "D":
        notes.append("the cell of D is that of Fd-3m, twice that of Pn-3m")
    if frame.cut:
        notes.append("the region is large: its part with the clearest lattice was fitted")
    return Answer(
        region=region.name,
        box=region.box,
        status="low_confidence" if reasons else "ok",
        reasons=tuple(reasons),
        nm_per_px=region.nm_per_px,
        best=best,
        uncertainty=of_best,
        axis_sd_deg=axis_sd,
        level=level,
        rotation=rotation,
        cells=cells,
        alternatives=_worth_listing(listed),
        notes=tuple(notes),
    )


def failed(name: str, box: tuple[int, int, int, int], reason: str) -> Answer:
    """Returns the answer of a region that couldn't be fitted."""
    return Answer(name, box, "error", (reason,))


def _alternative(kind: str, fit: Refined, share: float, scale: float) -> Alternative:
    fraction = float(fit.parameters.fraction)
    if kind in PINCH_OFF:  # where c and -c look the same
        fraction = min(fraction, 1 - fraction)
    seen = view(np.asarray(fit.parameters.rotation), kind)
    cell = float(fit.parameters.cell) / scale
    return Alternative(kind, cell, fraction, seen, float(fit.ncc), share)


def ranked(
    frame: Frame,
    found: Sequence[tuple[str, Refined]],
    odds: Mapping[str, float] | None = None,
) -> list[tuple[str, Refined]]:
    """Returns kinds and refined slabs, the most probable first.

    Args:
      frame: with the region.
      found: the one of the highest NCC first.
      odds: see `answer`.
    """
    shares = shares_of(found, uncertainty(frame, found[0][1]).pixels, odds)
    return [found[i] for i in np.argsort(-np.array(shares), kind="stable")]


def shares_of(
    found: Sequence[tuple[str, Refined]], pixels: float, odds: Mapping[str, float] | None
) -> list[float]:
    """Returns the probabilities of fits, by the likelihoods of their residuals and the priors.

    Args:
      found: kinds and refined slabs.
      pixels: independent ones, see `Uncertainty`.
      odds: see `answer`.
    """
    nccs = np.array([float(fit.ncc) for _, fit in found])
    left = np.log(1 - np.clip(nccs, 0.0, 0.9999) ** 2)
    pixels = min(pixels, _MOST_PIXELS)
    logs = -_TEMPER * pixels / 2 * left
    logs -= [_USUAL / 2 * unusual(fit.parameters) for _, fit in found]
    logs += [math.log(_PRIOR.get(kind, 1.0)) for kind, _ in found]
    if odds is not None:
        logs += [_TRUST * math.log(max(odds.get(kind, 0.0), _LEAST_ODDS)) for kind, _ in found]
    weights = np.exp(logs - logs.max())
    return (weights / weights.sum()).tolist()


def _axis_sd(
    found: Sequence[tuple[str, Refined]], shares: Sequence[float], of_best: Uncertainty
) -> float:
    """Returns the sd of the axis, with the axes of other fits of the same kind, degrees."""
    kind, best = found[0]
    total, variance = 0.0, 0.0
    for (other, fit), share in zip(found, shares, strict=True):
        if other == kind:
            away = apart(
                np.asarray(fit.parameters.rotation), np.asarray(best.parameters.rotation), kind
            )
            variance += share * away**2
            total += share
    return math.degrees(math.sqrt(of_best.axis**2 + variance / total))


def _misfits(best: Alternative, frame: Frame, fit: Refined, cells: float) -> list[str]:
    reasons = []
    if best.ncc < LEAST_NCC:
        reasons.append(f"the NCC is {best.ncc:.2f}, under {LEAST_NCC:g}")
    if cells < LEAST_CELLS:
        reasons.append(f"the region holds {cells:.1f} cells, fewer than {LEAST_CELLS:g}")
    if (far := unusual(fit.parameters)) > MOST_UNUSUAL:
        reasons.append(f"section, membrane or strain are unusual ({math.sqrt(far):.1f} sds)")
    if (striped := one_directional(np.asarray(fit.model))) > MOST_STRIPED:
        reasons.append(f"{striped:.0%} of the pattern are stripes of one direction")
    return reasons


def _rivals(listed: Sequence[Alternative]) -> list[str]:
    best, reasons = listed[0], []
    same = sum(one.share for one in listed if one.kind == best.kind)
    if same < LEAST_SHARE:
        rival = next(one for one in listed if one.kind != best.kind)
        reasons.append(f"type {rival.kind} fits nearly as well (NCC {rival.ncc:.3f})")
    alike = [one for one in listed if one.kind == best.kind]
    far = [one for one in alike if abs(math.log(one.cell_px / best.cell_px)) > _SAME_CELL]
    if sum(one.share for one in far) > 1 - LEAST_SHARE:
        times = far[0].cell_px / best.cell_px
        reasons.append(f"a cell {times:.2f} times as large fits nearly as well")
    other = [one for one in alike if abs(one.fraction - best.fraction) > _SAME_FRACTION]
    if sum(one.share for one in other) > 1 - LEAST_SHARE:
        reasons.append(f"a volume fraction of {other[0].fraction:.2f} fits nearly as well")
    return reasons


def _contradicted(
    kind: str,
    found: Sequence[tuple[str, Refined]],
    pixels: float,
    odds: Mapping[str, float] | None,
) -> list[str]:
    """Returns doubts where the fits and the network, each alone, wouldn't tell the kind.

    So a flat lattice, which no kind is made for, isn't taken for the one that the network knows.
    """
    if odds is None:
        return []
    reasons = []
    shares = shares_of(found, pixels, None)
    alone = sum(share for (one, _), share in zip(found, shares, strict=True) if one == kind)
    if alone < LEAST_ALONE:
        reasons.append(f"without the network, type {kind} has a probability of {alone:.2f}")
    if odds.get(kind, 0.0) < LEAST_ALONE:
        reasons.append(f"the network gives type {kind} a probability of {odds.get(kind, 0.0):.2f}")
    return reasons


def _vague(of_best: Uncertainty, axis_sd: float) -> list[str]:
    reasons = []
    if not of_best.relative_cell <= MOST_RELATIVE_SD:
        reasons.append(f"the sd of a is {100 * of_best.relative_cell:.1f} %")
    if not axis_sd <= MOST_AXIS_SD_DEG:
        reasons.append(f"the sd of the axis is {axis_sd:.0f}°")
    if not math.degrees(of_best.in_plane) <= MOST_IN_PLANE_SD_DEG:
        reasons.append(f"the sd of the in-plane angle is {math.degrees(of_best.in_plane):.0f}°")
    return reasons


def _pinched(kind: str, level: float) -> list[str]:
    if abs(level) > PINCH_OFF.get(kind, math.inf):
        return ["at this volume fraction the surface is pinched off into bodies"]
    return []


def _worth_listing(listed: Sequence[Alternative]) -> tuple[Alternative, ...]:
    """Returns the alternatives that are probable, and the best of each other kind."""
    kept, kinds = [], {listed[0].kind}
    for one in listed[1:]:
        if one.share >= _LEAST_SHOWN or one.kind not in kinds:
            kept.append(one)
        kinds.add(one.kind)
    return tuple(kept)
