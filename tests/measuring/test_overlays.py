import numpy as np
import pytest
from PIL import Image
from skimage.transform import resize

from srd_jax.measuring.overlays import (
    head_colours,
    overlay,
    overlay_picture,
    ruler,
    spread,
    superimpose,
)
from srd_jax.support.errors import InputError

_COMB = (0, 230, 255)


def _random_attention(*shape):
    weights = np.random.default_rng(7).random(shape)
    return weights / weights.sum(axis=(-2, -1), keepdims=True)


def _stripes(rows, columns, period, dark_row):
    """Rows of grey value 0.1..0.9 that are darkest at `dark_row` and every period from it."""
    phase = 2 * np.pi * (np.arange(rows) - dark_row) / period
    return np.tile((0.5 - 0.4 * np.cos(phase))[:, None], (1, columns))


def _read(path):
    return np.asarray(Image.open(path))


@pytest.mark.parametrize(
    ("grid", "receptive_field", "stride"),
    [((5, 220), (220, 38), (64, 2)), ((3, 4), (7, 3), (2, 5)), ((1, 1), (6, 9), (64, 2))],
)
def test_spread_equals_adding_one_rectangle_a_position(grid, receptive_field, stride):
    attention = _random_attention(2, *grid)
    height, width = receptive_field
    shape = [(n - 1) * s + f for n, s, f in zip(grid, stride, receptive_field, strict=True)]
    expected = np.zeros((2, *shape))
    for row in range(grid[0]):
        for column in range(grid[1]):
            top, left = row * stride[0], column * stride[1]
            share = attention[:, row, column, None, None] / (height * width)
            expected[:, top : top + height, left : left + width] += share
    found = spread(attention, receptive_field, stride)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=0)
    np.testing.assert_allclose(found.sum(axis=(1, 2), dtype=float), 1.0, rtol=1e-6)


def test_spread_keeps_leading_axes():
    attention = _random_attention(2, 3, 5, 4)
    found = spread(attention, (220, 38), (64, 2))
    assert found.shape == (2, 3, 476, 44)
    np.testing.assert_array_equal(found[1, 2], spread(attention[1, 2], (220, 38), (64, 2)))


def test_heads_are_red_green_and_then_far_from_each_other():
    colours = head_colours(12)
    np.testing.assert_array_equal(colours[:2], [[1, 0, 0], [0, 1, 0]])
    distances = np.abs(colours[:, None] - colours[None]).max(axis=2) + 9 * np.eye(12)
    assert distances.min() >= 0.5
    np.testing.assert_array_equal(head_colours(3), colours[:3])


def test_attention_of_a_head_shows_in_its_colour_where_it_looks():
    heads = np.zeros((2, 40, 60))
    heads[0, :10, :10] = 1.0
    heads[1, -10:, -10:] = 1.0
    image = np.full((40, 60), 0.5)
    for rgb in (superimpose(heads), superimpose(heads, image)):
        red, green = rgb[5, 5].astype(int), rgb[-5, -5].astype(int)
        assert red[0] > red[1] + 100
        assert green[1] > green[0] + 100
        assert np.ptp(rgb[20, 30]) == 0  # grey where nobody looks
    np.testing.assert_array_equal(superimpose(heads)[20, 30], [0, 0, 0])
    np.testing.assert_array_equal(superimpose(heads, image)[20, 30], [128, 128, 128])


def test_brightness_is_the_root_of_the_share_of_the_heads_own_maximum():
    heads = np.array([[[4.0, 1.0, 0.04]], [[1e-6, 4e-6, 0.0]]])
    rgb = superimpose(heads)
    np.testing.assert_array_equal(rgb[0, :, 0], np.rint(255 * np.array([1.0, 0.5, 0.1])))
    np.testing.assert_array_equal(rgb[0, :, 1], np.rint(255 * np.array([0.5, 1.0, 0.0])))


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e-3])
def test_values_that_are_no_attention_are_refused(value):
    heads = np.ones((2, 4, 5))
    heads[1, 2, 3] = value
    with pytest.raises(InputError, match=r"^attention: has values from .*; it must be finite"):
        superimpose(heads)


def test_a_head_that_looks_nowhere_is_refused():
    with pytest.raises(InputError, match="positive somewhere in every head"):
        superimpose(np.stack([np.ones((4, 5)), np.zeros((4, 5))]))


def test_image_and_attention_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match=r"image has shape \(4, 6\), but attention \(4, 5\)"):
        superimpose(np.ones((2, 4, 5)), np.ones((4, 6)))


def test_where_many_heads_add_up_on_a_light_image_no_value_wraps_around():
    heads = np.linspace(0, 1, 60).reshape(1, 5, 12) * np.ones((8, 1, 1))
    rgb = superimpose(heads, np.ones((5, 12))).astype(int).reshape(60, 3)
    # All heads look alike, and their colours add up to white: the image stays light.
    assert (head_colours(8).sum(axis=0) >= 1).all()
    assert (rgb >= 100).all()
    np.testing.assert_array_equal(rgb[[0, -1]], 255)


def test_heads_have_the_colours_that_are_asked_for():
    heads = np.random.default_rng(2).random((4, 6, 7)) + 0.1
    alone = superimpose(heads[3:], colours=np.array([[0.0, 0.0, 1.0]]))
    assert not alone[..., :2].any()
    expected = np.rint(255 * np.sqrt(heads[3] / heads[3].max()))
    np.testing.assert_array_equal(alone[..., 2], expected)


def test_overlay_puts_the_frame_into_the_box_and_dims_what_is_outside_of_the_mask():
    image = np.full((90, 120), 0.6)
    mask = np.zeros((90, 120), bool)
    mask[10:80, 10:110] = True
    box = (20, 70, 30, 100)
    heads = np.full((2, 476, 476), 1e-12)
    heads[0, :238, :238] = 1.0
    heads[1, 238:, 238:] = 1.0
    rgb = overlay(image, mask, heads, box).astype(int)
    assert rgb.shape == (90, 120, 3)
    assert rgb[22, 32, 0] > rgb[22, 32, 1] + 100  # head 1, upper left of the box
    assert rgb[67, 97, 1] > rgb[67, 97, 0] + 100  # head 2, lower right
    np.testing.assert_array_equal(rgb[15, 15], [153] * 3)  # in the mask, not measured
    np.testing.assert_array_equal(rgb[5, 5], [round(0.35 * 153)] * 3)
    whole = overlay(image, None, heads, box)
    np.testing.assert_array_equal(whole[5, 5], [153] * 3)
    np.testing.assert_array_equal(whole[mask], rgb[mask])


def test_overlay_brings_the_attention_to_the_box_as_an_area_average_does():
    smooth = resize(np.random.default_rng(1).random((6, 6)), (480, 480), order=3).clip(0.05, 1)
    found = overlay(np.zeros((60, 80)), None, smooth[None], (0, 60, 0, 80))[..., 0] / 255
    averages = smooth.reshape(60, 8, 80, 6).mean(axis=(1, 3))
    expected = 0.6 * np.sqrt(averages / averages.max())
    np.testing.assert_allclose(found[2:-2, 2:-2], expected[2:-2, 2:-2], atol=0.01)


@pytest.mark.parametrize("box", [(0, 91, 0, 120), (-1, 5, 0, 5), (4, 4, 0, 9), (0, 5, 9, 3)])
def test_boxes_outside_of_the_crop_are_refused(box):
    with pytest.raises(ValueError, match=r"box .* of shape"):
        overlay(np.zeros((90, 120)), None, np.ones((1, 8, 8)), box)


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match="mask has shape"):
        overlay(np.zeros((9, 12)), np.ones((9, 11), bool), np.ones((1, 8, 8)), (0, 9, 0, 12))


@pytest.mark.parametrize("period", [14.0, 23.7, 61.3])
def test_teeth_of_the_ruler_lie_on_the_dark_rows(period):
    dark_row = 45.3
    image = _stripes(260, 200, period, dark_row)
    mask = np.zeros(image.shape, bool)
    mask[30:240, 25:180] = True
    column, teeth = ruler(image, mask, (30, 240, 10, 190), period)
    assert column == 25
    np.testing.assert_allclose(np.diff(teeth), period)
    off = (teeth - dark_row + period / 2) % period - period / 2
    np.testing.assert_allclose(off, 0, atol=0.05 * period)
    assert 30 <= teeth[0] < 30 + period
    assert 240 - period <= teeth[-1] < 240


def test_the_ruler_of_a_wrong_period_keeps_that_period():
    _, teeth = ruler(_stripes(200, 50, 20, 3), None, (0, 200, 0, 50), 31.0)
    np.testing.assert_allclose(np.diff(teeth), 31.0)


def test_a_period_beyond_the_box_leaves_one_tooth_at_its_top(tmp_path):
    image = _stripes(100, 80, 20, 3)
    column, teeth = ruler(image, np.ones(image.shape, bool), (40, 90, 10, 70), 75.0)
    assert column == 10
    np.testing.assert_array_equal(teeth, [40])
    path = tmp_path / "o.png"
    overlay_picture(path, image, None, np.ones((2, 8, 8)), (40, 90, 10, 70), "far", 75.0)
    assert (_read(path) == _COMB).all(axis=2).any()


def test_an_empty_mask_leaves_the_ruler_at_the_box():
    image = _stripes(100, 80, 20, 3)
    column, teeth = ruler(image, np.zeros(image.shape, bool), (0, 100, 5, 80), 20.0)
    assert column == 5
    np.testing.assert_allclose(teeth, np.arange(0, 100, 20.0))


def _comb_rows(picture):
    """Returns the middle row of each tooth, measured right of the back of the comb."""
    comb = (picture == _COMB).all(axis=2)
    back = int(np.argmax(comb.sum(axis=0)))
    rows = np.flatnonzero(comb[:, back + 6] & comb[:, back + 8])
    return np.array([run.mean() for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)])


def test_teeth_in_the_picture_are_a_period_apart(tmp_path):
    period = 17.3
    image = _stripes(200, 300, period, 6.0)
    heads = spread(_random_attention(2, 5, 220), (220, 38), (64, 2))
    path = tmp_path / "o.png"
    overlay_picture(path, image, None, heads, (0, 200, 0, 300), "17.3 px   ok", period)
    picture = _read(path)
    teeth = _comb_rows(picture)
    assert len(teeth) == 12
    np.testing.assert_allclose(np.diff(teeth), 3 * period, atol=1.01)  # 300 columns show as 900
    assert picture.shape[1] == 900 + 20


def test_a_picture_without_period_has_no_comb(tmp_path):
    path = tmp_path / "o.png"
    heads = np.ones((2, 8, 8))
    overlay_picture(path, np.full((60, 90), 0.5), None, heads, (0, 60, 0, 90), "error", None)
    picture = _read(path)
    assert not (picture == _COMB).all(axis=2).any()
    assert picture.shape[1] == 900 + 20


@pytest.mark.parametrize("period", [np.nan, np.inf, -20.0, 0.0, 1e-9])
def test_a_period_that_is_none_is_refused_and_leaves_no_file(tmp_path, period):
    box = (0, 60, 0, 90)
    with pytest.raises(InputError, match=r"^period: found .* px; a ruler takes a number from 2 px"):
        overlay_picture(
            tmp_path / "o.png", np.zeros((60, 90)), None, np.ones((1, 8, 8)), box, "x", period
        )
    assert not list(tmp_path.iterdir())


def test_the_measured_part_is_outlined(tmp_path):
    heads = np.ones((1, 8, 8))
    image = np.full((500, 500), 0.2)
    overlay_picture(tmp_path / "o.png", image, None, heads, (100, 400, 50, 450), "x", None)
    outline = (_read(tmp_path / "o.png") == 200).all(axis=2)
    assert outline.sum(axis=1).max() == 400
    assert outline.sum(axis=0).max() == 300
