import numpy as np
import pytest

from srd_jax.analysis.surfaces import region
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.support.errors import InputError


def _micrograph(strips=(5, 0)):
    grey = np.arange(100 * 80).reshape(100, 80).astype(np.uint16)
    return Micrograph("m.tif", grey, 0.5, "given", strips=strips)


def test_boxes_count_in_px_of_the_file():
    found = region.box(_micrograph(), (10, 25, 50, 65), "box 1")
    np.testing.assert_array_equal(found.grey, _micrograph().grey[20:60, 10:50])
    assert found.nm_per_px == 2.0
    assert region.whole(_micrograph()).box == (0, 5, 80, 105)


@pytest.mark.parametrize(
    ("corners", "words"),
    [
        ((0, 0, 40, 40), "isn't within the micrograph; accepted is X0 < X1 within 0 to 80 and Y0"),
        ((50, 20, 10, 60), "isn't within"),
        ((0, 20, 90, 60), "isn't within"),
        ((-3, 20, 60, 60), "isn't within"),
        ((0, 20, 40, 30), "has 40 x 10 px; accepted are at least 32 x 32"),
    ],
)
def test_other_boxes_are_refused(corners, words):
    with pytest.raises(InputError, match=words):
        region.box(_micrograph(), corners, "box 1")


def test_each_number_of_a_label_image_is_a_region():
    labels = np.zeros((100, 80), int)
    labels[10:50, 20:60], labels[55:95, 5:45] = 1, 4
    labels[30:, 58:] = 0
    first, second = region.labelled(_micrograph(), labels)
    assert (first.name, first.box) == ("mask 1", (20, 15, 60, 55))
    assert (second.name, second.box) == ("mask 4", (5, 60, 45, 100))
    np.testing.assert_array_equal(first.mask, labels[10:50, 20:60] == 1)
    with pytest.raises(InputError, match="the mask is empty"):
        region.labelled(_micrograph(), labels * 0)
