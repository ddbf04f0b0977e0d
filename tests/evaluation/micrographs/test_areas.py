import numpy as np
import pytest

from srd_jax.evaluation.micrographs.areas import (
    Area,
    Grid,
    Region,
    grid,
    iou,
    overlap,
    rasterise,
    union,
)


def rectangle(left, top, right, bottom):
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return Area((np.array(corners, float),))


def whole(region, on):
    """The region as a mask of all of the grid."""
    mask = np.zeros((on.rows, on.columns), bool)
    rows, columns = region.mask.shape
    mask[region.top : region.top + rows, region.left : region.left + columns] = region.mask
    return mask


def test_a_grid_is_bounded_and_covers_the_micrograph():
    assert grid(300, 200) == Grid(300, 200, 1.0)
    assert grid(20000, 10001) == Grid(2000, 1001, 0.1)


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_rectangle_has_its_area(scale):
    on = Grid(100, 120, scale)
    found = rasterise(rectangle(20, 10, 60, 40), on)
    assert found.size == 40 * 30 * scale**2
    expected = np.zeros((100, 120), bool)
    expected[int(10 * scale) : int(40 * scale), int(20 * scale) : int(60 * scale)] = True
    np.testing.assert_array_equal(whole(found, on), expected)


def test_a_triangle_and_a_union_have_their_areas():
    on = Grid(400, 400, 1.0)
    triangle = Area((np.array([(10.0, 10.0), (310.0, 10.0), (10.0, 210.0)]),))
    assert rasterise(triangle, on).size == pytest.approx(300 * 200 / 2, rel=0.005)
    two = Area(rectangle(0, 0, 40, 20).polygons + rectangle(20, 10, 60, 30).polygons)
    assert rasterise(two, on).size == 2 * 800 - 200


def test_what_lies_outside_of_the_micrograph_is_cut_off():
    on = Grid(50, 50, 1.0)
    assert rasterise(rectangle(-1e9, -30, 20, 10), on).size == 200
    assert rasterise(rectangle(45, 45, 1e9, 90), on).size == 25
    for outside in (rectangle(60, 10, 90, 20), rectangle(-50, -50, -10, -10)):
        assert rasterise(outside, on).size == 0


@pytest.mark.parametrize("scale", [1.0, 0.53, 0.37])
def test_a_mask_is_its_polygon(scale):
    on = Grid(40, 60, scale)
    mask = np.ones((24, 31), bool)
    found = rasterise(Area(mask=mask, corner=(8, 16)), on)
    same = rasterise(rectangle(16, 8, 47, 32), on)
    np.testing.assert_array_equal(whole(found, on), whole(same, on))


def test_overlaps_of_rectangles_are_their_closed_forms():
    on = Grid(100, 100, 1.0)
    first = rasterise(rectangle(10, 10, 50, 40), on)
    for right, down in ((0, 0), (10, 0), (7, 13), (-8, 5), (40, 0), (60, 60)):
        second = rasterise(rectangle(10 + right, 10 + down, 50 + right, 40 + down), on)
        shared = max(40 - abs(right), 0) * max(30 - abs(down), 0)
        if right == down == 60:
            second = rasterise(rectangle(70, 70, 90, 90), on)
            shared = 0
        assert overlap(first, second) == shared
        assert iou(first, second) == shared / (first.size + second.size - shared)


def test_overlaps_and_unions_of_any_regions_are_those_of_whole_masks():
    generator, on = np.random.default_rng(1), Grid(30, 40, 1.0)
    regions = []
    for _ in range(12):
        rows, columns = generator.integers(1, 20, 2)
        top, left = generator.integers(0, 30 - rows), generator.integers(0, 40 - columns)
        mask = generator.random((rows, columns)) < 0.4
        regions.append(rasterise(Area(mask=mask, corner=(int(top), int(left))), on))
    masks = [whole(one, on) for one in regions]
    for first, a in zip(regions, masks, strict=True):
        for second, b in zip(regions, masks, strict=True):
            assert overlap(first, second) == (a & b).sum()
            np.testing.assert_array_equal(whole(union([first, second]), on), a | b)
    np.testing.assert_array_equal(whole(union(regions), on), np.any(masks, axis=0))


def test_nothing_overlaps_nothing():
    nothing = Region(0, 0, np.zeros((0, 0), bool))
    assert iou(nothing, nothing) == 0
    assert union([]).size == 0
