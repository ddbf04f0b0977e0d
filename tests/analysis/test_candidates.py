import numpy as np
import pytest
from helpers.micrographs import Stack, drawn, true_maps

from srd_jax.analysis import candidates
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.support.errors import InputError

BLANK = Micrograph("leaf.tif", np.zeros((100, 140), np.uint8))


def labels(*boxes):
    masks = np.zeros((100, 140), np.uint16)
    for number, box in boxes:
        masks[box] = number
    return masks


def test_drawn_grana_keep_their_numbers_and_say_whether_they_touch_the_border():
    masks = labels((7, np.s_[20:50, 30:90]), (2, np.s_[60:100, 10:60]))
    first, second = candidates.drawn(BLANK, masks)
    assert (first.number, first.touches_border) == (2, True)
    assert (second.number, second.touches_border) == (7, False)
    assert second.box == (slice(20, 50), slice(30, 90))
    assert second.mask.all()
    assert second.detection is None and second.rough is None


def test_parts_of_a_bool_mask_are_a_granum_each():
    found = [
        *candidates.drawn(BLANK, labels((1, np.s_[20:50, 30:60]), (1, np.s_[60:90, 70:90])) > 0)
    ]
    assert [one.number for one in found] == [1, 2]


def test_strays_of_a_mask_are_left_out_and_other_parts_doubted():
    (one,) = candidates.drawn(BLANK, labels((1, np.s_[20:60, 30:90]), (1, np.s_[80:82, 110:112])))
    assert one.mask.sum() == 40 * 60 and one.notes
    (one,) = candidates.drawn(BLANK, labels((1, np.s_[20:60, 30:90]), (1, np.s_[70:95, 100:130])))
    assert "2 parts" in one.doubts[0]


@pytest.mark.parametrize("masks", [np.zeros((100, 139), np.uint8), np.zeros((100, 140))])
def test_other_masks_are_refused(masks):
    with pytest.raises(
        InputError, match=r"leaf\.tif: masks of shape .* accepted are whole numbers"
    ):
        [*candidates.drawn(BLANK, masks)]


def test_detected_grana_have_all_that_the_maps_tell():
    stack = Stack(250.0, 200.0, 240.0, 90.0, 30.0, 12.0)
    micrograph = drawn([stack])
    (one,) = candidates.detected(micrograph, lambda *_: true_maps([stack]), 0.67, 0.5)
    assert one.period_px == pytest.approx(12, rel=1e-3)
    assert one.rough.value == pytest.approx(30, abs=0.1)
    assert one.detection > 0.9
    assert not one.touches_border
    assert one.mask.sum() == pytest.approx(240 * 90, rel=0.03)


def test_a_micrograph_without_room_for_a_granum_has_none():
    tiny = Micrograph("leaf.tif", np.zeros((7, 300), np.uint8))
    assert not [*candidates.detected(tiny, lambda *_: pytest.fail("not looked at"), 0.67, 0.5)]
