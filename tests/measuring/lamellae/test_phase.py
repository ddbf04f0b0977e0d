import numpy as np
import pytest
from helpers.stacks import membranes_at, phase_of, stack

from srd_jax.measuring.lamellae.phase import lamella_phase
from srd_jax.support.errors import InputError


def off(found, drawn, where):
    """The difference of two phases without its mean, over a mask."""
    difference = (found.turns - drawn)[where]
    return difference - difference.mean()


@pytest.mark.parametrize(
    ("period", "course"),
    [
        (12.0, {}),
        (15.0, {"tilt": 0.1}),
        (20.0, {"bend": 15.0}),
        (14.0, {"stretch": 0.1}),
        (47.0, {"tilt": -0.05, "bend": 20.0}),  # reduced to a quarter
        (6.5, {"tilt": 0.05}),
    ],
)
def test_the_phase_is_the_drawn_one_but_for_a_constant(period, course):
    columns = round(15 * period)
    grey, mask, drawn = stack(10, period, columns, noise=0.15, **course)
    found = lamella_phase(grey, mask, 1.02 * period)
    assert np.abs(off(found, drawn, mask)).max() < 0.3
    assert off(found, drawn, mask).std() < 0.05
    assert found.turns.shape == found.confidence.shape == grey.shape
    assert found.period_px == pytest.approx(period, rel=0.05)


def test_a_granum_anywhere_in_its_crop_and_with_a_hole():
    grey, mask, drawn = stack(12, 15.0, 240, noise=0.1, tilt=0.05)
    mask[100:150, 80:120] = False
    wide = np.pad(mask, ((7, 30), (41, 3)))
    found = lamella_phase(np.pad(grey, ((7, 30), (41, 3))), wide, 15.0)
    # The phase goes on through the hole, where nothing is seen.
    through = (drawn >= 0) & (drawn <= 12)
    inner = found.turns[7:-30, 41:-3]
    difference = (inner - drawn)[through]
    assert difference.std() < 0.05
    assert found.confidence[7:-30, 41:-3][120:130, 95:105].max() < 0.5


def test_a_layer_that_ends_costs_no_column_half_a_layer():
    # Around the end of a layer the phase grows by a turn: one more layer on the right.
    shape, period, height = (200, 300), 16.0, 160
    rows, columns = np.arange(shape[0])[:, None] - 99.5, np.arange(shape[1]) - 149.5
    drawn = phase_of(shape, period) + np.arctan2(rows, columns) / (2 * np.pi)
    mask = np.abs(rows) + 0 * columns < height / 2
    found = lamella_phase(membranes_at(drawn, 0.05), mask, period)
    spans = found.turns[178] - found.turns[21]
    # The angle from the first row to the last as seen from the end, less a turn on the left.
    sides = np.arctan2(78.5, columns) / np.pi - (columns < 0)
    expected = 157 / period + sides
    aside = np.abs(columns) > 6 * period
    np.testing.assert_allclose(spans[aside], expected[aside], atol=0.4)


def test_confidence_is_low_where_the_lamellae_fade():
    grey, mask, _ = stack(10, 15.0, 300)
    fade = np.linspace(0, 1, 300) > 0.5
    noise = np.random.default_rng(3).normal(0, 0.1, grey.shape)
    found = lamella_phase(np.where(fade, 0.6 + noise, grey + noise), mask, 15.0)
    assert np.median(found.confidence[mask & ~fade]) > 0.8
    assert np.median(found.confidence[mask & fade]) < 0.5


@pytest.mark.parametrize(
    ("period", "message"),
    [
        (
            3.0,
            r"^period is 3 px; accepted for counting layers: 4 px to the granum's height, 150 px",
        ),
        (151.0, "^period is 151 px"),
        (float("nan"), "^period is nan px"),
        (float("inf"), "^period is inf px"),
    ],
)
def test_periods_that_cannot_be_followed(period, message):
    grey = membranes_at(phase_of((150, 100), 15.0), 0.05)
    with pytest.raises(InputError, match=message):
        lamella_phase(grey, np.ones(grey.shape, bool), period)


def test_more_periods_than_a_granum_has_are_refused():
    grey = membranes_at(phase_of((700, 700), 6.0), 0.05)
    with pytest.raises(InputError, match=r"116\.7 periods high and 116\.7 wide; accepted"):
        lamella_phase(grey, np.ones(grey.shape, bool), 6.0)


def test_a_blank_granum_and_a_very_narrow_one_are_refused():
    with pytest.raises(InputError):
        lamella_phase(np.full((90, 90), 0.5), np.ones((90, 90), bool), 15.0)
    grey = membranes_at(phase_of((400, 60), 40.0), 0.05)
    mask = np.zeros(grey.shape, bool)
    mask[:, 20:26] = True
    with pytest.raises(InputError, match=r"wide; accepted for counting layers"):
        lamella_phase(grey, mask, 40.0)
