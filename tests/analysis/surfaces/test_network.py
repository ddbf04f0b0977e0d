import math

import numpy as np
import pytest
from helpers.cubic_membranes import region, rendered

from srd_jax.analysis.surfaces import network
from srd_jax.analysis.surfaces.framing import frame
from srd_jax.synthetic.surfaces.names import KINDS
from srd_jax.tasks.surfaces.candidates import Candidates


@pytest.fixture
def asked(monkeypatch):
    """A network that answers a cell of 30 px to all, and the pictures that it was asked about."""
    seen = []

    def answer(grey, mask):
        seen.append((grey, mask))
        count = 12
        kind = np.zeros((1, count), int)
        kind[0, :2] = KINDS.index("D"), KINDS.index("P")
        weight = np.zeros((1, count))
        weight[0, :3] = 0.6, 0.3, 0.05
        eye = np.tile(np.eye(3), (1, count, 1, 1))
        found = Candidates(
            kind, weight, np.full((1, count), math.log(30)), np.full((1, count), 0.2), eye, None
        )
        odds = np.array([[{"D": 0.6, "P": 0.2}.get(kind, 0.1) for kind in KINDS]])
        return odds, found

    monkeypatch.setattr(network.answers, "make", lambda weights, count: answer)
    return network.Network(None), seen


def test_answers_are_in_px_of_the_frame(asked):
    net, seen = asked
    part = region(rendered("D")[0], 1.0)
    framed = frame(part)
    opinion = net.ask(part, framed, KINDS)
    assert opinion.odds == pytest.approx({"G": 0.1, "D": 0.6, "P": 0.2, "I-WP": 0.1, "L": 0.1}, 0.1)
    assert sum(opinion.odds.values()) == pytest.approx(1)
    assert [one.kind for one in opinion.hypotheses] == ["D", "P", "G"]
    # The lattice's rows are far enough apart for the network: the picture is the region's own.
    assert [one.cell for one in opinion.hypotheses] == pytest.approx([30 * framed.scale] * 3)
    ((grey, mask),) = seen
    assert grey.shape == (1, 128, 128)
    assert mask.sum() == 96 * 96
    np.testing.assert_allclose(grey[0][mask[0]].reshape(96, 96), part.grey, atol=0.01)


def test_a_lattice_that_is_far_apart_is_reduced(asked):
    net, seen = asked
    large = np.kron(rendered("D")[0], np.ones((8, 8)))
    part = region(large, 0.1)
    framed = frame(part)
    cell = net.ask(part, framed, KINDS).hypotheses[0].cell
    scale = 40 * framed.scale / framed.spacing
    assert scale < 0.95
    assert cell == pytest.approx(30 * framed.scale / scale)
    ((grey, _),) = seen
    assert grey.shape == (1, 192, 192)


def test_kinds_that_are_not_tried_have_no_odds(asked):
    net, _ = asked
    part = region(rendered("D")[0], 1.0)
    opinion = net.ask(part, frame(part), ("P",))
    assert opinion.odds == {"P": 1.0}
    assert [one.kind for one in opinion.hypotheses] == ["P"]


def test_the_weights_of_the_package_are_of_the_network():
    assert network.weights.load().origin["run"] == "surfaces"
    network.load()
