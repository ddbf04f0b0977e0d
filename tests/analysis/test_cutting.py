import numpy as np
import pytest
import tifffile
from helpers.crops import ellipse, stripes

from srd_jax.analysis import cutting
from srd_jax.imaging.crop import Crop, read_crop
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.orientation import orientation
from srd_jax.support.errors import InputError

MASK = ellipse((120, 150))


def whole(kind):
    """The grey values of a micrograph, whose part at (50, 70) shows a granum."""
    grey = np.full((300, 400), 90.0)
    grey[50:170, 70:220] = stripes(0)
    # The micrograph is lighter elsewhere than the granum is anywhere.
    grey[200:, 300:] = 255
    factors = {"u1": 1, "u2": 257, "f4": 1 / 255, "i2": 16}
    return (grey * factors[kind]).astype(kind)


@pytest.mark.parametrize("kind", ["u1", "u2", "f4", "i2"])
def test_a_granum_has_the_grey_values_of_a_crop_cut_by_hand(kind, tmp_path):
    grey = whole(kind)
    box = np.s_[50:170, 70:220]
    found = cutting.cut(Micrograph("leaf.tif", grey, 0.7, "given"), MASK, box)
    tifffile.imwrite(tmp_path / "cut.tif", grey[box])
    tifffile.imwrite(tmp_path / "cut_mask.tif", MASK.astype(np.uint8))
    by_hand = read_crop(tmp_path / "cut.tif")
    assert by_hand.mask_source == "cut_mask.tif"
    np.testing.assert_array_equal(found.mask, by_hand.mask)
    np.testing.assert_allclose(found.image, by_hand.image, atol=1e-6)
    assert np.unique(found.image).size > 100
    assert (found.px_per_nm, found.px_per_nm_source) == (0.7, "given")


@pytest.mark.parametrize("degrees", [0.0, 35.0, 90.0, 170.0])
def test_a_turned_granum_has_horizontal_lamellae(degrees):
    rows, columns = np.indices((200, 240))
    turn = np.deg2rad(degrees)
    across = columns * np.sin(turn) + rows * np.cos(turn)
    mask = ellipse((200, 240))
    image = np.where(mask, 0.5 + 0.3 * np.sin(2 * np.pi * across / 14), 0).astype(np.float32)
    found = cutting.turned(Crop(image, mask, None, ""), degrees)
    assert abs(orientation(found.image, found.mask).degrees) < 0.3
    assert found.mask.sum() == pytest.approx(mask.sum(), rel=0.01)


def test_grey_values_that_are_no_numbers_are_refused():
    grey = whole("f4")
    grey[100, 150] = np.nan
    with pytest.raises(InputError, match="NaN or infinite"):
        cutting.cut(Micrograph("leaf.tif", grey), MASK, np.s_[50:170, 70:220])
