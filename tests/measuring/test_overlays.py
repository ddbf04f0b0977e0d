import numpy as np
import pytest
from helpers.crops import ellipse, stripes
from PIL import Image
from skimage.transform import resize

from srd_jax.imaging.crop import Crop
from srd_jax.measuring.measure_files import Measured
from srd_jax.measuring.measurement import Measurement
from srd_jax.measuring.overlays import overlay, overlay_picture, ruler, write_overlay
from srd_jax.measuring.result import Result
from srd_jax.networks.receptive_field import Geometry
from srd_jax.support.errors import InputError
from srd_jax.tasks.period.attention import spread

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


@pytest.mark.parametrize("period", [15.0, 1.5])
def test_overlays_of_files(tmp_path, period):
    crop = Crop(stripes(0) / np.float32(255), ellipse((120, 150)), None, "")
    attention = np.full((2, 2, 5, 220), 1 / 1100, np.float32)
    result = Result(
        str(tmp_path / "in" / "s" / "a.png"),
        period,
        1.0,
        status="low_confidence",
        reason="one; two",
    )
    one = Measured(result, crop, Measurement(period, 1.0, attention, 476 / 120, (0, 120, 0, 150)))
    write_overlay(tmp_path / "out", tmp_path / "in", one, Geometry((220, 38), (64, 2)))
    (path,) = (tmp_path / "out").rglob("*.*")
    assert path == tmp_path / "out" / "s" / "a.png.overlay.png"
    with Image.open(path) as picture:
        assert picture.width >= 6 * 150
        cyan = (np.asarray(picture.convert("RGB")) == (0, 230, 255)).all(axis=-1)
    # A period shorter than 2 px has no comb, and so no entry in the legend.
    assert cyan.any() == (period >= 2)
    write_overlay(
        tmp_path / "none",
        tmp_path,
        Measured(Result("c.png", reason="no image")),
        Geometry((220, 38), (64, 2)),
    )
    assert not (tmp_path / "none").exists()


def test_an_overlay_without_attention_shows_comb_and_mask(tmp_path):
    crop = Crop(stripes(0) / np.float32(255), ellipse((120, 150)), None, "")
    result = Result(str(tmp_path / "a.png"), 15.0, status="ok", quality=0.8)
    one = Measured(result, crop, Measurement(15.0, None, None, 1.0, (0, 120, 0, 150), 0.8))
    write_overlay(tmp_path / "out", tmp_path, one, None)
    with Image.open(tmp_path / "out" / "a.png.overlay.png") as picture:
        rgb = np.asarray(picture.convert("RGB")).astype(int)
    comb = (rgb == (0, 230, 255)).all(axis=-1)
    assert comb.any()
    # Nothing is red or green: no head is drawn, nor named in the legend.
    assert not ((rgb[..., 0] > rgb[..., 2] + 40) | (rgb[..., 1] > rgb[..., 2] + 40)).any()
