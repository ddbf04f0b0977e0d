import numpy as np
import pytest
from helpers.crops import ellipse, stripes
from PIL import Image
from skimage.transform import resize

from srd_jax.imaging.crop import Crop
from srd_jax.measuring.lamellae.picture import LINE
from srd_jax.measuring.measure_files import Measured
from srd_jax.measuring.measurement import Measurement
from srd_jax.measuring.overlays import overlay, ruler, write_overlay
from srd_jax.measuring.result import Result
from srd_jax.networks.receptive_field import Geometry
from srd_jax.support.errors import InputError


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


def test_an_empty_mask_leaves_the_ruler_at_the_box():
    image = _stripes(100, 80, 20, 3)
    column, teeth = ruler(image, np.zeros(image.shape, bool), (0, 100, 5, 80), 20.0)
    assert column == 5
    np.testing.assert_allclose(teeth, np.arange(0, 100, 20.0))


def test_a_period_beyond_the_box_leaves_one_tooth_at_its_top():
    image = _stripes(100, 80, 20, 3)
    column, teeth = ruler(image, np.ones(image.shape, bool), (40, 90, 10, 70), 75.0)
    assert column == 10
    np.testing.assert_array_equal(teeth, [40])


@pytest.mark.parametrize("period", [np.nan, np.inf, -20.0, 0.0, 1e-9])
def test_a_ruler_of_no_period_is_refused(period):
    with pytest.raises(InputError, match=r"^period: found .* px; a ruler takes a number from 2 px"):
        ruler(np.zeros((60, 90)), None, (0, 60, 0, 90), period)


def test_the_measured_part_is_outlined():
    rgb = overlay(np.full((500, 500), 0.2), None, np.ones((1, 8, 8)), (100, 400, 50, 450))
    outline = (rgb == 200).all(axis=2)
    assert outline.sum(axis=1).max() == 400
    assert outline.sum(axis=0).max() == 300


def _measured(file, period=15.0, sd=0.3, attention=None):
    crop = Crop(stripes(0, period=15.0) / np.float32(255), ellipse((120, 150)), None, "")
    result = Result(str(file), period, sd, 1.0, period, status="low_confidence", reason="one; two")
    measurement = Measurement(period, sd, attention, 476 / 120, (0, 120, 0, 150))
    return Measured(result, crop, measurement)


def _lines(path):
    rgb = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return (np.abs(rgb - LINE).max(axis=2) < 30)[:-50].any(axis=0)  # without the legend


def test_overlays_of_files_show_the_lamellae(tmp_path):
    one = _measured(tmp_path / "in" / "s" / "a.png")
    write_overlay(tmp_path / "out", tmp_path / "in", one, None)
    (path,) = (tmp_path / "out").rglob("*.*")
    assert path == tmp_path / "out" / "s" / "a.png.overlay.png"
    with Image.open(path) as picture:
        assert picture.width == 2 * 6 * 150 + 30
        assert picture.text["Software"] == "srd_jax"
    assert not _lines(path)[50 : 6 * 150].any()  # the untouched crop
    assert _lines(path)[6 * 150 + 20 :].sum() > 500
    write_overlay(tmp_path / "none", tmp_path, Measured(Result("c.png", reason="no image")), None)
    assert not (tmp_path / "none").exists()


def test_a_period_too_short_to_trace_leaves_the_crop(tmp_path):
    write_overlay(tmp_path / "out", tmp_path, _measured(tmp_path / "a.png", 1.5), None)
    assert not _lines(tmp_path / "out" / "a.png.overlay.png").any()


def test_attention_is_one_more_view(tmp_path):
    attention = np.full((2, 2, 5, 220), 1 / 1100, np.float32)
    one = _measured(tmp_path / "a.png", attention=attention)
    for folder, field in (("with", Geometry((220, 38), (64, 2))), ("without", None)):
        write_overlay(tmp_path / folder, tmp_path, one, field)
    with_heads, without = (
        np.asarray(Image.open(tmp_path / folder / "a.png.overlay.png").convert("RGB")).astype(int)
        for folder in ("with", "without")
    )
    assert with_heads.shape[1] == without.shape[1] + 6 * 150 + 10

    def coloured(rgb):
        """Where there is yellow, the mixture of two heads that look everywhere alike."""
        return (rgb[..., 0] > rgb[..., 2] + 60) & (np.abs(rgb[..., 0] - rgb[..., 1]) < 30)

    assert coloured(with_heads[:, without.shape[1] :]).mean() > 0.3
    assert coloured(without).mean() < 0.01
