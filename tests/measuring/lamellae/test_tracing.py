import numpy as np
import pytest
from helpers.stacks import membranes_at, phase_of, stack
from scipy import ndimage

from srd_jax.measuring.lamellae.phase import lamella_phase
from srd_jax.measuring.lamellae.tracing import darkest, trace


def drawn_at(drawn, line):
    return ndimage.map_coordinates(drawn, [line.y, line.x], order=1)


@pytest.mark.parametrize("course", [{}, {"tilt": 0.1}, {"bend": 14.0}, {"stretch": 0.08}])
def test_lines_lie_on_the_membranes_one_on_each(course):
    grey, mask, drawn = stack(9, 16.0, 240, noise=0.1, **course)
    mask = (drawn > -0.4) & (drawn < 9.4)
    lines = trace(lamella_phase(grey, mask, 16.0), grey, mask)
    numbers = sorted({round(float(np.median(drawn_at(drawn, line)))) for line in lines})
    assert set(range(1, 9)) <= set(numbers) <= set(range(10))
    for line in lines:
        turns = drawn_at(drawn, line)
        assert np.abs(turns - np.round(turns).mean()).max() < 0.25
        assert np.sqrt(np.mean((turns - np.round(turns)) ** 2)) < 0.08
        assert mask[np.rint(line.y).astype(int), line.x.astype(int)].all()
    middle = [line for line in lines if 0 < np.median(drawn_at(drawn, line)) < 8.5]
    assert all(np.ptp(line.x) > 200 for line in middle)
    # Membranes are numbered downwards.
    order = sorted(middle, key=lambda line: np.median(line.y))
    np.testing.assert_array_equal(np.diff([line.number for line in order]), 1)


def test_the_dark_line_is_found_beside_the_crest_of_the_wave():
    # Two membranes a layer, the second one lighter: the wave is darkest 0.13 turns below the first.
    drawn = phase_of((180, 200), 18.0)
    grey = (
        0.4 + 0.75 * membranes_at(drawn, width=0.08) + 0.5 * membranes_at(drawn - 0.35, width=0.08)
    )
    grey = (grey - grey.min()) / np.ptp(grey)
    mask = np.ones(grey.shape, bool)
    phase = lamella_phase(grey, mask, 18.0)
    ahead = float(np.median(phase.turns - drawn))
    found = np.mod(darkest(phase, grey, mask) - ahead, 1.0)
    assert min(found, 1 - found) < 0.05


def test_nothing_is_traced_where_nothing_is_seen():
    grey, mask, _ = stack(10, 15.0, 300)
    flat = np.arange(300) > 150
    lines = trace(lamella_phase(np.where(flat, 0.6, grey), mask, 15.0), grey, mask)
    assert max(line.x.max() for line in lines) < 190


def test_a_line_ends_at_a_fault_of_half_a_layer():
    drawn = phase_of((200, 300), 20.0) + 0.5 * (np.arange(300) > 150)
    grey = membranes_at(drawn, 0.05)
    mask = np.ones(grey.shape, bool)
    for line in trace(lamella_phase(grey, mask, 20.0), grey, mask):
        assert np.abs(np.diff(line.y)).max(initial=0) <= 10
