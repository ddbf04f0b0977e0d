"""Compares what was found on a picture with what it shows, and sums up many."""

import dataclasses
import math
from collections.abc import Iterator, Sequence

import jax.numpy as jnp
import numpy as np

from srd_jax.analysis.surfaces.fit import Fit
from srd_jax.evaluation.surfaces.truth import Known
from srd_jax.synthetic.surfaces import orientations

# Their smaller channel is what a picture tells; see docs/surfaces.md.
_SYMMETRIC = ("G", "D", "P")
# Errors, as a table shows their medians.
_SHOWN = {
    "cell": lambda error: f"{100 * error:.2f} %",
    "in_plane": "{:.2f}°".format,
    "axis": "{:.2f}°".format,
    "fraction": "{:.3f}".format,
}


@dataclasses.dataclass(frozen=True)
class Errors:
    """How far an answer is off; all but `right` are nan where the type is wrong.

    Attributes:
      right: whether the type is.
      cell: of a, relative, signed.
      in_plane: of the angle in the plane of the picture, degrees, at least 0.
      axis: of the direction of view, degrees, at least 0.
      fraction: of the volume fraction, signed.
    """

    right: bool
    cell: float = math.nan
    in_plane: float = math.nan
    axis: float = math.nan
    fraction: float = math.nan


@dataclasses.dataclass(frozen=True)
class Compared:
    """A picture with what was found.

    Attributes:
      known: what it shows.
      status: of the answer: ok, low_confidence or error.
      asked: errors of the network's first answer; None where it wasn't asked or has none.
      searched: those of the best hypothesis before the refinement; None where nothing was fitted.
      refined: those after the refinement, likewise.
      sds: of the answer: of a, relative; of both angles, degrees; of the fraction; else nan.
      reason: why it isn't ok.
    """

    known: Known
    status: str
    asked: Errors | None = None
    searched: Errors | None = None
    refined: Errors | None = None
    sds: tuple[float, ...] = (math.nan,) * 4
    reason: str = ""


def compare(known: Known, fit: Fit) -> Compared:
    """Compares a fit with the truth."""
    found = fit.answer
    best, sds = found.best, found.uncertainty
    reasons = "; ".join(found.reasons)
    if best is None or sds is None or found.rotation is None:
        return Compared(known, found.status, reason=reasons)
    asked = fit.opinion.hypotheses if fit.opinion is not None else ()
    first = [
        errors(known, one.kind, one.cell / fit.frame.scale, one.rotation, one.fraction)
        for one in (*asked[:1], fit.searched)
    ]
    return Compared(
        known,
        found.status,
        first[0] if asked else None,
        first[-1],
        errors(known, best.kind, best.cell_px, found.rotation, best.fraction),
        (
            sds.relative_cell,
            math.degrees(sds.in_plane),
            found.axis_sd_deg,
            sds.fraction,
        ),
        reasons,
    )


def errors(
    known: Known, kind: str, cell_px: float, rotation: np.ndarray, fraction: float
) -> Errors:
    """Returns the errors of an answer: its kind, cell in px, rotation (3, 3), volume fraction."""
    if kind != known.kind:
        return Errors(False)
    _, axis, in_plane = orientations.errors(
        jnp.asarray(rotation, jnp.float32), jnp.asarray(known.rotation, jnp.float32), kind
    )
    true = known.fraction
    if kind in _SYMMETRIC:
        true, fraction = min(true, 1 - true), min(fraction, 1 - fraction)
    return Errors(
        True,
        cell_px * known.nm_per_px / known.cell_nm - 1,
        math.degrees(float(in_plane)),
        math.degrees(float(axis)),
        fraction - true,
    )


def summary(compared: Sequence[Compared]) -> Iterator[list[str]]:
    """Yields the rows of a table: a header, then a row for each of search, refined, and ok ones."""
    yield ["", "type right", "a", "angle in the plane", "axis", "φ"]
    fitted = [one for one in compared if one.refined is not None]
    ok = [one for one in fitted if one.status == "ok"]
    for name, among, some in (
        ("network alone", len(compared), [one.asked for one in fitted]),
        ("before the refinement", len(compared), [one.searched for one in fitted]),
        ("refined", len(compared), [one.refined for one in fitted]),
        ("refined, ok", len(ok), [one.refined for one in ok]),
    ):
        right = [one for one in some if one is not None and one.right]
        row = [name, f"{len(right)} of {among}"]
        for field, shown in _SHOWN.items():
            median = np.median([abs(getattr(one, field)) for one in right]) if right else None
            row.append("–" if median is None else shown(median))
        yield row


def coverage(compared: Sequence[Compared]) -> Iterator[list[str]]:
    """Yields the rows of a table: the shares of errors within one and two sds, of right types.

    The axis has two directions: within its root mean square lie 63 % of normal errors, within twice
    of it 98 %. The last two rows are those of the ones with status ok.
    """
    right = [one for one in compared if one.refined is not None and one.refined.right]
    yield ["errors within", "a", "angle in the plane", "axis", "φ"]
    ok = [one for one in right if one.status == "ok"]
    for words, times, some in (
        ("1 sd", 1, right), ("2 sd", 2, right), ("1 sd, ok", 1, ok), ("2 sd, ok", 2, ok),
    ):  # fmt: skip
        shares = []
        for place, field in enumerate(_SHOWN):
            inside = [abs(getattr(one.refined, field)) <= times * one.sds[place] for one in some]
            shares.append(f"{100 * np.mean(inside):.0f} %" if inside else "–")
        yield [words, *shares]
