import numpy as np
import pytest
import shapely

from srd_jax.analysis.outlines import area
from srd_jax.review.state import geometry
from srd_jax.support.errors import InputError

SHAPE = (400, 500)


def box(left, top, right, bottom):
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def bow(inner=60.0, outer=120.0, points=40):
    """Half of a ring around (250, 200), open below."""
    turns = np.linspace(0, np.pi, points)
    arcs = [np.stack([250 + r * np.cos(turns), 300 - r * np.sin(turns)], 1) for r in (outer, inner)]
    return np.concatenate([arcs[0], arcs[1][::-1]])


def areas(*outlines):
    return [area(np.array(one)) for one in outlines]


def test_a_good_outline_keeps_its_corners():
    outline = box(10, 20, 60, 50)
    assert geometry.corners(geometry.checked(outline, SHAPE)) == tuple(map(tuple, outline))
    closed = [*outline, outline[0]]
    assert geometry.corners(geometry.checked(closed, SHAPE)) == tuple(map(tuple, outline))


@pytest.mark.parametrize(
    ("outline", "why"),
    [
        ([], "0 corners"),
        ([[1, 1], [20, 20], [1, 1]], "3 corners"),
        ([[10, 10], [60, 60], [60, 10], [10, 60]], "crosses itself near x 35, y 35"),
        ([[10, 10], [20, 10], [30, 10]], "crosses itself"),
        (box(480, 10, 502, 60), "leaves the micrograph by 2.0 px"),
        (box(-3, 10, 20, 60), "leaves the micrograph by 3.0 px"),
        (box(10, 10, 14, 14), "16.0 px²"),
    ],
)
def test_a_bad_outline_is_refused(outline, why):
    with pytest.raises(InputError, match=why):
        geometry.checked(outline, SHAPE)


def test_a_tiny_loop_at_a_corner_is_cut_off():
    outline = [[10, 10], [60, 10], [60, 60], [60.5, 59.9], [59.5, 59.9], [10, 60]]
    found = geometry.checked(outline, SHAPE)
    assert found.is_valid and found.area == pytest.approx(2500, rel=0.01)


@pytest.mark.parametrize("line", [[[250, 10], [250, 290]], [[240, 20], [255, 200], [245, 290]]])
def test_a_bent_outline_is_split_into_two_whose_areas_add_up(line):
    whole = bow()
    parts = geometry.split(whole, line, SHAPE)
    assert len(parts) == 2
    assert sum(areas(*parts)) == pytest.approx(area(whole), rel=1e-9)
    first, second = map(shapely.Polygon, parts)
    assert first.intersection(second).area < 1e-6
    if line[0][0] == 250:
        assert areas(*parts) == pytest.approx([area(whole) / 2] * 2, rel=1e-6)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ([[100, 260], [400, 260]], "makes 3 parts"),
        ([[250, 10], [250, 200]], "doesn't part"),
        ([[10, 10], [20, 20]], "doesn't part"),
        ([[250, 10]], "fewer than two points"),
        ([[250, 10], [250, 290], [260, 100], [240, 100]], "crosses itself"),
        ([[100, 299.7], [200, 299.7]], "a part has"),
    ],
)
def test_a_line_that_makes_no_two_parts_is_refused(line, why):
    with pytest.raises(InputError, match=why):
        geometry.split(bow(), line, SHAPE)


def test_two_parts_join_to_what_was_split():
    whole = bow()
    parts = geometry.split(whole, [[240, 20], [255, 200], [245, 290]], SHAPE)
    joined = shapely.Polygon(geometry.join(*parts, SHAPE))
    assert joined.symmetric_difference(shapely.Polygon(whole)).area < 1e-6


def test_a_gap_is_bridged_and_nothing_else_changes():
    left, right = box(100, 100, 160, 150), box(166, 110, 230, 160)
    joined = shapely.Polygon(geometry.join(left, right, SHAPE))
    assert joined.is_valid and joined.covers(shapely.Polygon(left))
    assert joined.covers(shapely.Polygon(right))
    # The gap of 6 px along the 40 px that both have beside each other.
    assert joined.area - sum(areas(left, right)) == pytest.approx(240, rel=0.25)


def test_overlapping_grana_make_one():
    joined = geometry.join(box(100, 100, 160, 150), box(150, 100, 230, 150), SHAPE)
    assert areas(joined) == [pytest.approx(130 * 50)]


def test_far_grana_and_those_that_meet_in_a_point_are_not_joined():
    with pytest.raises(InputError, match="40 px apart"):
        geometry.join(box(100, 100, 160, 150), box(200, 100, 260, 150), SHAPE)


def test_an_outline_moves_by_so_many_px():
    outline = box(100, 100, 160, 150)
    assert area(geometry.moved(outline, 2, SHAPE)) == pytest.approx(64 * 54)
    assert area(geometry.moved(outline, -2, SHAPE)) == pytest.approx(56 * 46)
    assert geometry.moved(outline, -30, SHAPE) is None
    assert area(geometry.moved(box(0, 0, 50, 50), 2, SHAPE)) == pytest.approx(52 * 52)
