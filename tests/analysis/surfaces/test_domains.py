import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.cubic_membranes import region
from scipy.spatial.transform import Rotation

from srd_jax.analysis.surfaces.answer import Alternative, Answer
from srd_jax.analysis.surfaces.axes import view
from srd_jax.analysis.surfaces.domains import domains, windows

ALONG_110 = Rotation.from_euler("ZYX", (0.3, math.radians(45), 0.0)).as_matrix()


def answer(rotation=ALONG_110, cell=44.0, ncc=0.8, kind="D", status="ok"):
    best = Alternative(kind, cell, 0.2, view(rotation, kind), ncc, 1.0)
    sds = SimpleNamespace(relative_cell=0.002)
    return Answer("window", (0, 0, 96, 96), status, best=best, uncertainty=sds, rotation=rotation)


def turned(degrees):
    return Rotation.from_rotvec([0, 0, math.radians(degrees)]).as_matrix() @ ALONG_110


def test_windows_cover_all():
    grid = windows(region(np.zeros((300, 410))), 100, 60)
    assert (grid.tops[0], grid.tops[-1]) == (0, 200)
    assert (grid.lefts[0], grid.lefts[-1]) == (0, 310)
    assert max(np.diff(grid.lefts)) <= 60
    assert len(grid.boxes) == len(grid.tops) * len(grid.lefts)
    assert grid.boxes[1] == (grid.lefts[1], 0, grid.lefts[1] + 100, 100)
    # No more than can be fitted, however large the micrograph; one where it is small.
    assert len(windows(region(np.zeros((4000, 4000))), 50).boxes) < 1000
    assert windows(region(np.zeros((60, 60))), 100).boxes == [(0, 0, 60, 60)]


def test_windows_of_one_crystal_are_a_domain():
    doubtful = answer(status="low_confidence")
    # A quarter turn of the crystal about its axis shows the same.
    same = ALONG_110 @ Rotation.from_euler("x", 90, degrees=True).as_matrix()
    found = domains(
        [
            answer(), answer(turned(3), 44.5), doubtful, answer(turned(40), ncc=0.9),
            answer(same, 43.8, 0.85), doubtful, answer(turned(41)), answer(turned(42)),
        ],
        4,
    )  # fmt: skip
    # No link over doubtful windows, nor from the end of a row to the start of the next.
    assert [one.windows for one in found] == [(0, 1, 4), (3, 6, 7)]
    first, second = found
    assert (first.number, first.kind, first.view.zone) == (1, "D", "[110]")
    assert first.cell_px == 44.0
    assert first.cell_sd_px == pytest.approx(np.std([44.0, 44.5, 43.8], ddof=1))
    assert first.spread_deg == pytest.approx(math.sqrt(3), abs=0.01)
    assert second.view.axis == pytest.approx(view(turned(40), "D").axis)


def test_other_kinds_cells_and_single_windows_are_no_domain():
    row = [answer(), answer(kind="P"), answer(cell=47.0), answer(turned(10), 47.0)]
    assert domains(row, 4) == []
    assert domains([dataclasses.replace(answer(ncc=0.4)) for _ in range(4)], 2) == []
    assert domains([], 1) == []
