"""Maps domains of a lattice on a micrograph: windows are fitted, and joined where they agree."""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from srd_jax.analysis.surfaces import LEAST_PX
from srd_jax.analysis.surfaces.answer import LEAST_NCC, Answer
from srd_jax.analysis.surfaces.axes import View, apart
from srd_jax.analysis.surfaces.framing import spacings
from srd_jax.analysis.surfaces.region import Box, Region
from srd_jax.analysis.surfaces.spectrum import find_lattice
from srd_jax.support.errors import InputError

# Edge of a window in spacings of the lattice's strongest row; about how many windows there are at
# most without a step, and how many a step may ask for.
_SPACINGS, _USUAL, _MOST = 8.0, 900, 10_000
# Neighbouring windows are of one domain up to this angle and this logarithm of cells.
_SAME_ANGLE, _SAME_CELL = math.radians(8.0), 0.04
_LEAST_WINDOWS = 2  # of a domain


@dataclasses.dataclass(frozen=True)
class Windows:
    """A grid of overlapping windows.

    Attributes:
      size: edge, px.
      tops, lefts: first row and first column of each, px of the micrograph.
    """

    size: int
    tops: tuple[int, ...]
    lefts: tuple[int, ...]

    @property
    def boxes(self) -> list[Box]:
        """x0, y0, x1, y1 of each window, row by row, px of the micrograph."""
        return [
            (left, top, left + self.size, top + self.size)
            for top in self.tops
            for left in self.lefts
        ]


@dataclasses.dataclass(frozen=True)
class Domain:
    """Windows that show one crystal.

    Attributes:
      number: from 1 on, the largest first.
      windows: their numbers.
      kind: of the surface.
      cell_px: median edge of the cell, px.
      cell_sd_px: scatter over the windows, or the sd of a fit where that is larger.
      view: of the window of the highest NCC.
      spread_deg: root mean square angle of the windows' orientations to that one's.
    """

    number: int
    windows: tuple[int, ...]
    kind: str
    cell_px: float
    cell_sd_px: float
    view: View
    spread_deg: float


def windows(
    whole: Region,
    size: int | None = None,
    step: int | None = None,
    cells: tuple[float, float] | None = None,
) -> Windows:
    """Returns the windows of a micrograph.

    Args:
      whole: all of it.
      size: edge of a window, px; None for eight spacings of the clearest lattice.
      step: between windows, px; None for half of the size, or more where they would be too many.
      cells: least and greatest cell, px; None for any.

    Raises:
      InputError: the step makes too many windows.
    """
    rows, columns = whole.grey.shape
    if size is None:
        size = round(_SPACINGS * find_lattice(whole.grey, whole.mask, spacings(cells)).spacing)
    size = int(np.clip(size, LEAST_PX, max(min(rows, columns), LEAST_PX)))
    step = step or max(size // 2, math.ceil(math.sqrt(rows * columns / _USUAL)))
    grid = Windows(size, _starts(rows, size, step), _starts(columns, size, step))
    if (number := len(grid.tops) * len(grid.lefts)) > _MOST:
        raise InputError(
            f"a step of {step} px makes {number:,} windows of {rows} x {columns} px; accepted are "
            f"at most {_MOST:,}, by a step of {math.sqrt(rows * columns / _MOST):.0f} px or so"
        )
    return grid


def _starts(length: int, size: int, step: int) -> tuple[int, ...]:
    """Returns evenly spaced starts, the last window ending at the edge."""
    count = math.ceil(max(length - size, 0) / step) + 1
    return tuple(round(one) for one in np.linspace(0, max(length - size, 0), count))


def domains(answers: Sequence[Answer], columns: int) -> list[Domain]:
    """Returns the domains, those of most windows first.

    Args:
      answers: of the windows, row by row.
      columns: windows in a row.
    """
    shown = [_shows_lattice(one) for one in answers]
    first, second = [], []
    for here in range(len(answers)):
        right, below = here + 1, here + columns
        for there in ([right] if right % columns else []) + [below]:
            both = there < len(answers) and shown[here] and shown[there]
            if both and _agree(answers[here], answers[there]):
                first.append(here)
                second.append(there)
    links = coo_array((np.ones(len(first)), (first, second)), shape=(len(answers),) * 2)
    _, labels = connected_components(links, directed=False)
    members = [np.flatnonzero(labels == label) for label in range(labels.max(initial=-1) + 1)]
    members = [one for one in members if len(one) >= _LEAST_WINDOWS]
    members.sort(key=len, reverse=True)
    return [_domain(number, one, answers) for number, one in enumerate(members, 1)]


def _shows_lattice(one: Answer) -> bool:
    return one.status == "ok" and one.best is not None and one.best.ncc >= LEAST_NCC


def _agree(one: Answer, other: Answer) -> bool:
    assert one.best and other.best
    assert one.rotation is not None and other.rotation is not None
    return (
        one.best.kind == other.best.kind
        and abs(math.log(one.best.cell_px / other.best.cell_px)) < _SAME_CELL
        and apart(one.rotation, other.rotation, one.best.kind) < _SAME_ANGLE
    )


def _domain(number: int, members: np.ndarray, answers: Sequence[Answer]) -> Domain:
    own = [answers[i] for i in members]
    best = max(own, key=lambda one: one.best.ncc if one.best else 0.0)
    assert best.best and best.rotation is not None
    cells = np.array([one.best.cell_px for one in own if one.best])
    sds = [one.uncertainty.relative_cell for one in own if one.uncertainty]
    angles = [
        apart(one.rotation, best.rotation, best.best.kind)
        for one in own
        if one.rotation is not None
    ]
    cell = float(np.median(cells))
    return Domain(
        number,
        tuple(int(i) for i in members),
        best.best.kind,
        cell,
        max(float(cells.std(ddof=1)), cell * float(np.median(sds))),
        best.best.view,
        math.degrees(float(np.sqrt(np.mean(np.square(angles))))),
    )
