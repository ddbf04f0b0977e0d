import numpy as np
import pytest

from srd_jax.analysis import outlines


def test_the_outlines_of_a_drawn_mask_are_a_pixel_apart():
    mask = np.ones((60, 150), bool)
    best, wide, narrow = outlines.of_mask(mask, (slice(100, 160), slice(40, 190)), (300, 300))
    assert outlines.area(best) == pytest.approx(60 * 150, rel=0.004)
    np.testing.assert_allclose(best.min(0), (40, 100), atol=0.1)
    np.testing.assert_allclose(best.max(0), (190, 160), atol=0.1)
    # By the normal distribution's quantiles.
    apart = np.ptp(wide, axis=0) - np.ptp(narrow, axis=0)
    np.testing.assert_allclose(apart / 2, outlines.SDS_APART, atol=0.15)


def test_a_drawn_mask_at_the_border_reaches_it():
    mask = np.ones((60, 150), bool)
    best, *others = outlines.of_mask(mask, (slice(0, 60), slice(150, 300)), (300, 300))
    for outline in (best, *others):
        assert outline.min(0)[1] == 0
        assert outline.max(0)[0] == 300
    assert outlines.area(best) == pytest.approx(60 * 150, rel=0.004)


def test_of_several_parts_the_largest_is_outlined():
    mask = np.zeros((40, 100), bool)
    mask[5:35, 5:60] = mask[10:20, 70:80] = True
    best, *_ = outlines.of_mask(mask, (slice(0, 40), slice(0, 100)), (300, 300))
    assert outlines.area(best) == pytest.approx(30 * 55, rel=0.01)
    assert (
        outlines.of_mask(np.zeros((4, 4), bool), (slice(0, 4), slice(0, 4)), (9, 9)) == [None] * 3
    )


def test_an_outline_beyond_the_border_is_cut_off():
    square = np.array([[-10.0, -5.0], [20.0, -5.0], [20.0, 15.0], [-10.0, 15.0]])
    mask, box = outlines.rasterised(square, (30, 12))
    assert box == (slice(0, 15), slice(0, 12))
    assert mask.all()
