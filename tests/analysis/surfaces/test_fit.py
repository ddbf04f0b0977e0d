import dataclasses
import math
import re
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest
from helpers.cubic_membranes import NM_PER_PX, region, rendered, stripes
from scipy import ndimage

from srd_jax.analysis.surfaces import answer
from srd_jax.analysis.surfaces import fit as fitting
from srd_jax.analysis.surfaces.axes import apart, view
from srd_jax.analysis.surfaces.fit import fit, sentence
from srd_jax.analysis.surfaces.framing import frame
from srd_jax.analysis.surfaces.model import MEANS, NAMES, start, stepped
from srd_jax.analysis.surfaces.network import Opinion
from srd_jax.analysis.surfaces.refine import Refined, continued
from srd_jax.analysis.surfaces.shifts import Hypothesis, with_shifts
from srd_jax.analysis.surfaces.spectrum import one_directional
from srd_jax.analysis.surfaces.uncertainty import uncertainty
from srd_jax.support.errors import InputError
from srd_jax.synthetic.surfaces import rotations


# One kind and one size of frame: one compilation for all of these tests, which takes less time than
# fits without optimisations.
def test_a_fit_recovers_a_known_structure():
    grey, rotation = rendered("D")
    found = fit(region(grey, 1.0), ("D",)).answer
    assert found.status == "ok", found.reasons
    np.testing.assert_allclose(found.best.cell_px * NM_PER_PX, 78, rtol=0.01)
    assert math.degrees(apart(found.rotation, rotation, "D")) < 2
    np.testing.assert_allclose(found.best.fraction, 0.3, atol=0.03)
    assert found.best.ncc > 0.9
    np.testing.assert_allclose(found.best.view.axis, view(rotation, "D").axis, atol=0.03)
    assert sentence(found).startswith("D, a = 78.")
    unscaled = dataclasses.replace(found, nm_per_px=None)
    assert "D, a = 31." in sentence(unscaled) and " px, along [" in sentence(unscaled)


def test_the_uncertainty_is_the_scatter_over_noise():
    grey, rotation = rendered("D")
    logs, turns, stated = [], [], []
    for seed in range(8):
        framed = frame(region(grey, 2.5, seed))
        given = Hypothesis("D", rotation, 78 / NM_PER_PX * framed.scale, 0.3)
        begun = [start(with_shifts(framed, [given], 1)[0])]
        one = continued(framed, "D", begun, [6])[0]
        logs.append(float(one.parameters.numbers[0]) - math.log(framed.scale))
        between = np.asarray(one.parameters.rotation) @ rotation.T
        turns.append((between[0, 1] - between[1, 0]) / 2)
        sds = uncertainty(framed, one)
        stated.append((sds.relative_cell, sds.in_plane))
    for values, sds in zip((logs, turns), np.mean(stated, axis=0), strict=True):
        # The sd of 8 numbers is itself uncertain by a fourth; what noise doesn't explain is added.
        assert 0.4 < 1.25 * np.std(values, ddof=1) / sds < 1.8


@pytest.mark.parametrize("pattern", ["noise", "stripes"])
def test_what_is_no_lattice_is_of_low_confidence(pattern):
    random = np.random.default_rng(4).normal(size=(96, 96))
    grey = {
        "noise": 7 * ndimage.gaussian_filter(random, 2),
        "stripes": stripes() + 0.5 * random,
    }[pattern]
    found = fit(region(np.asarray(grey)), ("D",)).answer
    assert found.status == "low_confidence"
    assert found.reasons


def test_a_step_moves_the_picture_as_it_says():
    at = start(Hypothesis("D", np.eye(3), 20.0, 0.3, np.zeros(3)))
    step = np.zeros(len(NAMES), np.float32)
    step[NAMES.index("turn_z")], step[NAMES.index("shift_x")] = 0.1, 0.25
    moved = stepped(at, jnp.asarray(step))
    # About z, which points away from the viewer: from x to y, clockwise as seen.
    np.testing.assert_allclose(moved.rotation[:, 0], [np.cos(0.1), np.sin(0.1), 0], atol=1e-6)
    np.testing.assert_allclose(moved.shift, [0.25, 0, 0], atol=1e-6)
    assert float(moved.cell) == pytest.approx(20.0)


def test_blank_regions_and_cells_without_a_scale_are_refused():
    grey, _ = rendered("D")
    with pytest.raises(InputError, match="whole is blank; accepted are regions with a lattice"):
        fit(region(0 * grey))
    with pytest.raises(InputError, match="--cell-nm: found without a scale"):
        fit(region(grey, nm_per_px=None), ("D",), (60.0, 90.0))


def test_stripes_are_told_from_lattices():
    assert one_directional(stripes()) > 0.95
    assert one_directional(rendered("D")[0]) < 0.6


class Knowing:
    """Stands in for a network: says what it was told, cells in px of the region."""

    def __init__(self, odds, *hypotheses):
        self.odds, self.hypotheses = odds, hypotheses

    def ask(self, region, frame, kinds):
        scaled = [dataclasses.replace(one, cell=one.cell * frame.scale) for one in self.hypotheses]
        return Opinion(self.odds, scaled)


def test_answers_of_a_network_are_refined_too(monkeypatch):
    grey, rotation = rendered("D")
    turned = np.asarray(rotations.from_vector(jnp.array([0.04, -0.05, 0.03]))) @ rotation
    knowing = Knowing({"D": 1.0}, Hypothesis("D", turned, 1.015 * 78 / NM_PER_PX, 0.4))
    monkeypatch.setattr(fitting, "search", lambda *_: [])
    found = fit(region(grey, 1.0), network=knowing)
    np.testing.assert_allclose(found.answer.best.cell_px * NM_PER_PX, 78, rtol=0.01)
    assert math.degrees(apart(found.answer.rotation, rotation, "D")) < 2
    assert found.opinion.odds == {"D": 1.0}


def test_cells_beyond_the_limits_are_not_taken_from_a_network():
    told = [Hypothesis("D", np.eye(3), 20.0, 0.3), Hypothesis("D", np.eye(3), 60.0, 0.3)]
    cells = [one.cell for one in fitting._around(told, (19.0, 22.0))]
    assert cells
    assert 19.0 <= min(cells) <= max(cells) <= 22.0
    assert len(fitting._around(told, None)) > 2 * len(cells)


def test_a_network_tells_kinds_that_fit_alike():
    def slab(ncc, strain=0.0):
        numbers = MEANS.copy()
        numbers[NAMES.index("strain")] = strain
        return Refined(SimpleNamespace(numbers=numbers), ncc, None, None)

    found = [("G", slab(0.80)), ("D", slab(0.79)), ("P", slab(0.40))]
    alone = answer.shares_of(found, 200.0, None)
    assert alone[0] > alone[1] > alone[2]
    told = answer.shares_of(found, 200.0, {"G": 0.02, "D": 0.97, "P": 0.01})
    assert told[1] > 0.8 > 0.2 > told[0] > told[2]
    # It can't be sure against what the picture shows.
    contradicted = answer.shares_of(found, 200.0, {"G": 0.0, "D": 0.0, "P": 1.0})
    assert contradicted[2] < 0.5
    np.testing.assert_allclose([sum(alone), sum(told), sum(contradicted)], 1)
    # A strain of 4.5 % is three sds of its prior.
    strained = answer.shares_of([("G", slab(0.80, 0.045)), *found[1:]], 200.0, None)
    assert strained[0] / strained[1] < 0.3 * alone[0] / alone[1]


def test_a_kind_that_only_one_of_both_tells_is_doubted():
    def slab(ncc):
        return Refined(SimpleNamespace(numbers=MEANS), ncc, None, None)

    found = [("D", slab(0.80)), ("P", slab(0.815))]
    # The network tips the scales.
    odds = {"D": 0.99, "P": 0.01}
    assert answer.shares_of(found, 200.0, odds)[0] > 0.9
    (reason,) = answer._contradicted("D", found, 200.0, odds)
    assert re.fullmatch(r"without the network, type D has a probability of 0\.[0-4]\d", reason)
    (reason,) = answer._contradicted("P", found, 200.0, odds)
    assert reason == "the network gives type P a probability of 0.01"
    assert answer._contradicted("P", found, 200.0, {"P": 0.9}) == []
    assert answer._contradicted("D", found, 200.0, None) == []
