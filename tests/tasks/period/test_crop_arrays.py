import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers.crops import ellipse

from srd_jax.support.errors import InputError
from srd_jax.tasks.period.crop_arrays import FAR, mask_pixel, pad, tight_box, tilted

pytestmark = pytest.mark.hurry

EVERYWHERE = jnp.array([[-FAR, FAR], [-FAR, FAR]])


def padded(*masks):
    return pad([np.full(mask.shape, 0.5, np.float32) for mask in masks], masks, [20.0] * len(masks))


def first(crops):
    return jax.tree.map(lambda x: x[0], crops)


def test_pad_keeps_the_crops_and_zeros_the_rest():
    random = np.random.default_rng(0)
    masks = [ellipse((40, 60)), ellipse((70, 30))]
    images = [random.random(mask.shape, np.float32) for mask in masks]
    crops = pad(images, masks, [14.5, 30.0])
    assert crops.image.shape == (2, 70, 60)
    for i, (image, mask) in enumerate(zip(images, masks, strict=True)):
        rows, columns = crops.size[i]
        assert (rows, columns) == mask.shape
        np.testing.assert_array_equal(crops.mask[i, :rows, :columns], mask)
        assert crops.mask[i].sum() == mask.sum()
        error = np.abs(np.asarray(crops.image[i, :rows, :columns]) / 255 - image)
        assert error[mask].max() <= 0.5 / 255 + 1e-6
        assert not np.asarray(crops.image[i])[~np.asarray(crops.mask[i])].any()
    np.testing.assert_allclose(crops.period, [14.5, 30.0])


def test_span_is_where_the_mask_begins_and_ends_in_each_row():
    mask = np.zeros((3, 9), bool)
    mask[0, [2, 6]] = mask[2, 8] = True
    np.testing.assert_array_equal(padded(mask).span[0], [[2, 7], [0, 0], [8, 9]])


GOOD = (np.full((4, 5), 0.5, np.float32), np.ones((4, 5), bool), 20.0)


@pytest.mark.parametrize(
    ("crop", "message"),
    [
        ((GOOD[0], GOOD[1][:3], 20.0), "crop 2 of 2: image of shape (4, 5)"),
        ((GOOD[0][:1], GOOD[1][:1], 20.0), "crop 2 of 2: 1 x 5 px"),
        ((GOOD[0], ~GOOD[1], 20.0), "crop 2 of 2: nothing is inside of the mask"),
        ((GOOD[0] * 3, GOOD[1], 20.0), "crop 2 of 2: grey values 1.5 to 1.5"),
        ((GOOD[0] * np.nan, GOOD[1], 20.0), "crop 2 of 2: grey values nan to nan"),
        ((GOOD[0], GOOD[1], 0.0), "crop 2 of 2: period 0 px"),
    ],
)
def test_a_bad_crop_is_named(crop, message):
    with pytest.raises(InputError) as caught:
        pad(*zip(GOOD, crop, strict=True))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("lists", [([], [], []), ([GOOD[0]], [GOOD[1]], [])])
def test_lists_of_unequal_or_no_length_are_refused(lists):
    with pytest.raises(InputError, match="accepted is the same number of each"):
        pad(*lists)


@pytest.mark.parametrize("degrees", [0.0, 1e-5, 2.7, -3.0, 20.0])
@pytest.mark.parametrize("window", [None, ((11, 40), (35, 71)), ((-5, 20), (60, 200))])
def test_tight_box_holds_just_the_pixels_of_the_mask(degrees, window):
    mask = ellipse((61, 90))
    angle = np.deg2rad(degrees)
    centre = (np.array(mask.shape) - 1)[:, None] / 2
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    place = np.rint(turn @ (np.argwhere(mask).T - centre) + centre).T
    if window is not None:
        window = np.array(window)
        place = place[((place >= window[:, 0]) & (place < window[:, 1])).all(axis=1)]
    expected = np.stack([place.min(axis=0), place.max(axis=0) + 1], axis=1)
    box = jax.jit(tight_box)(
        first(padded(mask)), jnp.float32(angle), EVERYWHERE if window is None else window
    )
    np.testing.assert_array_equal(box, expected)


def test_tight_box_has_two_pixels_at_least():
    mask = np.zeros((5, 6), bool)
    mask[4, 2] = True
    box = tight_box(first(padded(mask)), jnp.float32(0), EVERYWHERE)
    np.testing.assert_array_equal(box, [[4, 6], [2, 4]])


def test_mask_pixels_are_drawn_from_all_over_the_mask_and_from_nowhere_else():
    mask = np.zeros((4, 9), bool)
    mask[0, [0, 8]] = mask[2, 3:5] = mask[3, 7] = True
    keys = jax.random.split(jax.random.key(0), 500)
    drawn = jax.vmap(mask_pixel, (0, None))(keys, first(padded(mask)))
    assert {tuple(pixel) for pixel in np.asarray(drawn, int).tolist()} == set(
        map(tuple, np.argwhere(mask).tolist())
    )


def test_a_tilt_moves_what_lies_right_of_the_centre_down_and_back():
    size, angle = jnp.array([41, 81]), jnp.float32(np.deg2rad(3))
    right = jnp.array([20.0, 80.0])
    moved = tilted(right, size, angle)
    np.testing.assert_allclose(moved, [20 + 40 * np.sin(angle), 40 + 40 * np.cos(angle)], rtol=1e-6)
    np.testing.assert_allclose(tilted(moved, size, -angle), right, rtol=1e-6)
