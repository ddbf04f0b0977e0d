import itertools

import numpy as np
import pytest

from srd_jax.evaluation.micrographs.areas import Area, Grid, iou, rasterise
from srd_jax.evaluation.micrographs.matching import match

ON = Grid(200, 300, 1.0)


def box(left, top, columns, rows):
    return rasterise(Area(mask=np.ones((rows, columns), bool), corner=(top, left)), ON)


def test_shifted_rectangles_match_from_their_iou_on():
    true = [box(50, 50, 60, 40)]
    # Shifted by s, the IoU is (60 - s) / (60 + s): 1/2 at 20.
    for shift, least, matched in ((20, 0.5, True), (21, 0.5, False), (25, 0.4, True)):
        found = match(true, [True], [box(50 + shift, 50, 60, 40)], least)
        assert bool(found.pairs) == matched
        assert found.wrong == (() if matched else (0,))
        if matched:
            assert found.pairs[0] == (0, 0, pytest.approx((60 - shift) / (60 + shift)))


def best(true, found, least):
    """Number of pairs and sum of their IoUs, of the best of all ways to pair."""
    small, large = sorted((len(true), len(found)))
    scores = []
    for order in itertools.permutations(range(large), small):
        pairs = [(i, j) if len(true) <= len(found) else (j, i) for i, j in enumerate(order)]
        ious = [iou(true[i], found[j]) for i, j in pairs]
        kept = [one for one in ious if one >= least]
        scores.append((len(kept), sum(kept)))
    return max(scores, default=(0, 0))


@pytest.mark.parametrize("least", [0.15, 0.4])
def test_pairs_are_the_best_of_all_ways(least):
    generator = np.random.default_rng(7)

    def some(count):
        return [
            box(*map(int, generator.integers(0, 25, 2)), *map(int, generator.integers(25, 50, 2)))
            for _ in range(count)
        ]

    several = 0
    for _ in range(30):
        true, found = some(int(generator.integers(0, 6))), some(int(generator.integers(0, 6)))
        pairs = match(true, [True] * len(true), found, least).pairs
        assert len({one for one, _, _ in pairs}) == len({two for _, two, _ in pairs}) == len(pairs)
        for one, two, value in pairs:
            assert value == iou(true[one], found[two]) >= least
        count, total = best(true, found, least)
        assert len(pairs) == count
        assert sum(value for *_, value in pairs) == pytest.approx(total)
        several += count > 1
    assert several > 5


def test_possible_grana_are_neither_missing_nor_wrong():
    true = [box(10, 10, 60, 40), box(100, 10, 60, 40), box(200, 10, 60, 40)]
    found = [box(12, 10, 60, 40), box(100, 12, 60, 40), box(220, 20, 20, 20), box(10, 120, 40, 40)]
    result = match(true, [True, False, False], found)
    assert [pair[:2] for pair in result.pairs] == [(0, 0), (1, 1)]
    assert result.ignored == (2,)
    assert result.wrong == (3,)


def test_a_sure_granum_goes_first():
    found = [box(50, 50, 60, 40)]
    true = [box(50, 50, 60, 40), box(60, 50, 60, 40)]
    assert [pair[:2] for pair in match(true, [False, True], found).pairs] == [(1, 0)]


def test_grana_that_touch_may_be_found_as_one():
    true = [box(50, 50, 60, 40), box(112, 50, 60, 40)]
    result = match(true, [True, True], [box(50, 50, 122, 40)])
    # Each alone has an IoU of 60/122.
    assert result.pairs == ()
    assert result.merged == ((0, 0), (1, 0))
    assert result.wrong == ()
    # A larger one is matched by itself, the other one found with it.
    true = [box(50, 50, 90, 40), box(142, 50, 30, 40)]
    result = match(true, [True, True], [box(50, 50, 122, 40)])
    assert [pair[:2] for pair in result.pairs] == [(0, 0)]
    assert result.merged == ((1, 0),)


def test_grana_that_lie_apart_are_not_found_as_one():
    true = [box(50, 50, 60, 40), box(120, 50, 60, 40)]
    result = match(true, [True, True], [box(50, 50, 130, 40)])
    assert result.pairs == result.merged == ()
    assert result.wrong == (0,)


def test_nothing_matches_nothing():
    one = box(50, 50, 60, 40)
    assert match([], [], []).pairs == ()
    assert match([], [], [one]).wrong == (0,)
    assert match([one], [True], []).pairs == ()
