import dataclasses
import pathlib

import numpy as np
import pytest

from srd_jax.analysis.granum import Analysis, Granum, Value
from srd_jax.evaluation.micrographs.areas import Area, moved
from srd_jax.evaluation.micrographs.comparison import compare, in_picture, turn_between
from srd_jax.evaluation.micrographs.scores import score
from srd_jax.evaluation.micrographs.sizes import size
from srd_jax.evaluation.micrographs.truth import Annotated, TrueGranum
from srd_jax.support.errors import InputError


def corners(left, top, width, height):
    right, bottom = left + width, top + height
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def true(name, box, certainty="sure", **known):
    return TrueGranum(name, Area((np.array(corners(*box), float),)), certainty, **known)


def granum(number, box, status="ok", **values):
    left, top, width, height = box
    blank = Granum(
        number, status, "", corners(*box), left + width / 2, top + height / 2, 0.9, False
    )
    return dataclasses.replace(blank, **{k: Value(*v) for k, v in values.items()})


def annotated(grana, striped=(), size=(500, 800)):
    return Annotated("a.png", tuple(grana), tuple(striped), size, pathlib.Path("a.json"))


def analysis(grana):
    return Analysis("a.png", 500, 800, 0.5, "given", tuple(grana))


TRUE = (
    true("A", (50, 50, 100, 60), direction_deg=2, period_px=10, layers=6),
    true("B", (250, 50, 100, 60), direction_deg=90, period_px=10, layers=10),
    true("C", (450, 50, 100, 60), period_px=12),
    true("D", (50, 250, 100, 60), "possible"),
    true("E", (250, 250, 100, 60)),
    true("F", (352, 250, 100, 60)),
)
FOUND = (
    granum(
        1,
        (50, 50, 100, 60),
        direction_deg=(178, 3),
        period_px=(10.1, 0.2),
        layers=(7, 0.5),
        area_px2=(6600, 60),
        height_px=(57, 1),
        diameter_px=(100, 1),
    ),
    granum(
        2,
        (250, 50, 100, 48),
        "low_confidence",
        direction_deg=(91, 2),
        period_px=(13, 1),
        layers=(8, 1),
    ),
    granum(3, (50, 250, 100, 60)),
    granum(4, (250, 250, 202, 60)),
    granum(5, (600, 350, 50, 40)),
)


def test_cases_by_hand():
    cases = {
        case.true or case.number: case for case in compare(annotated(TRUE), analysis(FOUND)).cases
    }
    a, b = cases["A"], cases["B"]
    assert (a.outcome, a.iou, a.number) == ("found", 1.0, 1)
    assert a.direction_error_deg == -4
    assert a.period_error_percent == pytest.approx(1)
    assert a.layers_error == 1
    assert a.area_error_percent == pytest.approx(10)
    assert a.height_error_percent == pytest.approx(-5, abs=2.5)  # the true box is turned by 2°
    assert (b.iou, b.period_error_percent, b.layers_error) == (0.8, pytest.approx(30), -2)
    assert b.area_error_percent is None
    assert cases["C"].outcome == "missing"
    assert (cases["D"].outcome, cases["D"].number) == ("possible", 3)
    for name in "EF":
        assert (cases[name].outcome, cases[name].number, cases[name].iou) == (
            "found_as_one",
            4,
            None,
        )
    assert (cases[5].outcome, cases[5].x_px) == ("wrong", 625)


def test_scores_by_hand():
    found = score([compare(annotated(TRUE), analysis(FOUND))])
    detection = found["detection"]
    counts = {"sure": 5, "found": 2, "found_as_one": 2, "missing": 1, "wrong": 1, "right": 3}
    assert {name: detection[name] for name in counts} == counts
    assert (detection["precision"], detection["recall"]) == (3 / 4, 4 / 5)
    assert detection["f1"] == pytest.approx(2 * 0.75 * 0.8 / 1.55)
    assert (detection["precision_one_to_one"], detection["recall_one_to_one"]) == (2 / 4, 2 / 5)
    assert detection["mean_iou"] == pytest.approx(0.9)
    assert (detection["readable"], detection["ok"]) == (3, 1 / 3)
    assert detection["precision_of_ok"] == 2 / 3
    direction = found["direction"]
    assert (direction["count"], direction["median"], direction["bias"]) == (2, 2.5, -1.5)
    assert (direction["within_5_deg"], direction["coverage_68"]) == (1, 0.5)
    period = found["period"]
    assert period["median"] == pytest.approx(15.5)
    assert period["beyond_15_percent"] == 0.5
    assert period["within_8_percent_or_doubted"] == 1
    assert (period["coverage_68"], period["coverage_95"]) == (0.5, 0.5)
    assert found["period_of_ok"]["median"] == pytest.approx(1)
    assert (found["layers"]["within_1"], found["layers_of_ok"]["within_1"]) == (0.5, 1)
    assert found["sizes"]["area"]["mae"] == pytest.approx(10)


def test_scores_of_areas_by_hand():
    striped = [Area((np.array(corners(600, 350, 100, 40), float),))]
    found = score([compare(annotated(TRUE, striped), analysis(FOUND))])["pixels"]
    sure = 5 * 6000
    right, wrong, possible = 6000 + 4800 + 12000, 2 * 60 + 2000, 6000
    assert found["recall"] == pytest.approx(right / sure)
    assert found["precision"] == pytest.approx(right / (right + wrong))
    assert found["outside"] == pytest.approx(wrong / (right + wrong + possible))
    assert found["on_striped"] == 0.5


def test_scores_of_nothing_are_none():
    found = score([compare(annotated([]), analysis([]))])
    assert found["detection"]["f1"] is None
    assert found["pixels"]["recall"] is None
    assert found["period"]["median"] is None
    # Nothing right among what was found.
    wrong = score([compare(annotated(TRUE[:1]), analysis(FOUND[4:]))])["detection"]
    assert (wrong["precision"], wrong["recall"], wrong["f1"]) == (0, 0, 0)


def test_a_micrograph_that_failed_misses_all():
    found = score([compare(annotated(TRUE), Analysis("a.png", error="cannot be read"))])
    assert found["failed"] == 1
    assert found["detection"]["missing"] == found["detection"]["sure"] == 5


def test_a_strip_may_be_cut_off_but_another_size_is_refused():
    below = true("S", (50, 520, 100, 30))
    cases = compare(annotated([*TRUE, below], size=(600, 800)), analysis(FOUND)).cases
    assert "S" not in {case.true for case in cases}
    with pytest.raises(
        InputError, match=r"a.json: states 500 x 700 px .* accepted: .*500 x 800 px"
    ):
        compare(annotated(TRUE, size=(500, 700)), analysis(FOUND))


@pytest.mark.parametrize("size", [(600, 800), None])
def test_annotations_of_a_whole_file_fit_below_a_strip(size):
    whole = [dataclasses.replace(one, area=moved(one.area, 70)) for one in TRUE]
    striped = [Area((np.array(corners(600, 420, 100, 40), float),))]
    below = dataclasses.replace(analysis(FOUND), strips=(70, 30))
    plain = compare(annotated(TRUE, [moved(striped[0], -70)]), analysis(FOUND))
    found = compare(in_picture(annotated(whole, striped, size), below), below)
    assert found == plain
    alone = annotated(TRUE)
    assert in_picture(alone, below) is alone  # of the picture's own size


def test_grana_at_the_border_have_no_size():
    at_border = true("A", (0, 50, 100, 60), direction_deg=0)
    found = granum(1, (0, 50, 100, 60), area_px2=(6000, 1))
    (case,) = compare(annotated([at_border]), analysis([found])).cases
    assert case.cut
    assert case.area_error_percent is None


@pytest.mark.parametrize(("first", "second", "turn"), [(178, 2, -4), (2, 178, 4), (95, 5, -90)])
def test_directions_are_those_of_lines(first, second, turn):
    assert turn_between(first, second) == turn


@pytest.mark.parametrize("direction", [0.0, 30.0, 90.0, 140.0])
def test_the_size_of_a_rectangle_is_its_sides(direction):
    turn = np.deg2rad(direction)
    along, across = np.array([np.cos(turn), -np.sin(turn)]), np.array([np.sin(turn), np.cos(turn)])
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    points = 200 + signs[:, :1] * 70 * along + signs[:, 1:] * 40 * across
    polygon = size(Area((points,)), (400, 400), direction)
    mask = np.zeros((400, 400), bool)
    y, x = np.mgrid[:400, :400] - 199.5
    mask = (abs(x * along[0] + y * along[1]) < 70) & (abs(x * across[0] + y * across[1]) < 40)
    for found in (polygon, size(Area(mask=mask), (400, 400), direction)):
        assert found.area_px2 == pytest.approx(140 * 80, rel=0.01)
        assert found.height_px == pytest.approx(80, rel=0.02)
        assert found.diameter_px == pytest.approx(140, rel=0.02)
