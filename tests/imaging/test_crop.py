import numpy as np
import pytest
import tifffile
from helpers.image_files import grey, refusal, silence, some_mask, with_blue, write_png
from PIL import Image

from srd_jax.imaging.crop import read_crop


@pytest.fixture(autouse=True)
def _nothing_leaks(capfd, caplog):
    with silence(capfd, caplog):
        yield


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp_named.png"])
def test_8_bit_grey(tmp_path, suffix):
    array = grey()
    path = tmp_path / f"crop.{suffix}"
    Image.fromarray(array).save(path)
    crop = read_crop(str(path))
    np.testing.assert_allclose(crop.image, array / 255, rtol=0, atol=1e-7)
    assert crop.image.dtype == np.float32
    assert crop.mask.dtype == bool
    assert crop.mask.all()
    assert (crop.px_per_nm, crop.px_per_nm_source) == (None, "")


def test_jpeg_is_close_and_a_wrong_suffix_does_not_matter(tmp_path):
    ramp = np.tile(np.linspace(20, 230, 64).astype(np.uint8), (48, 1))
    for mode in ("L", "RGB"):
        path = tmp_path / f"{mode}.png"
        Image.fromarray(ramp).convert(mode).save(path, "jpeg", quality=95)
        np.testing.assert_allclose(read_crop(path).image, ramp / 255, rtol=0, atol=4 / 255)


@pytest.mark.parametrize(
    ("high", "white"), [(200, 255), (256, 1023), (4095, 4095), (4096, 16383), (60000, 65535)]
)
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_has_the_full_scale_of_the_smallest_depth(tmp_path, high, white, suffix):
    array = grey(np.uint16, high)
    path = tmp_path / f"crop.{suffix}"
    if suffix == "png":
        write_png(path, array)
    else:
        tifffile.imwrite(path, array)
    np.testing.assert_allclose(read_crop(path).image, array / white, rtol=0, atol=1e-7)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_rgb_keeps_its_depth_and_its_blue_mask(tmp_path, suffix):
    array, mask = grey(np.uint16, 60001), some_mask()
    rgb = with_blue(array, mask, 65535)
    path = tmp_path / f"crop.{suffix}"
    if suffix == "png":
        write_png(path, rgb)
    else:
        tifffile.imwrite(path, rgb, photometric="rgb")
    crop = read_crop(path)
    np.testing.assert_array_equal(crop.mask, mask)
    expected = np.where(mask, array / 65535, 0)
    np.testing.assert_allclose(crop.image, expected, rtol=0, atol=1e-7)


def test_tiff_states_its_white(tmp_path):
    array = grey(np.uint16, 900)
    tifffile.imwrite(tmp_path / "tag.tif", array, extratags=[(281, "H", 1, 4095, True)])
    tifffile.imwrite(tmp_path / "default.tif", array, extratags=[(281, "H", 1, 65535, True)])
    tifffile.imwrite(tmp_path / "wrong.tif", array, extratags=[(281, "H", 1, 800, True)])
    for name, white in (("tag", 4095), ("default", 1023), ("wrong", 1023)):
        image = read_crop(tmp_path / f"{name}.tif").image
        np.testing.assert_allclose(image, array / white, rtol=0, atol=1e-7)
    tifffile.imwrite(tmp_path / "bits.tif", array, bitspersample=14, photometric="minisblack")
    image = read_crop(tmp_path / "bits.tif").image
    np.testing.assert_allclose(image, array / 16383, rtol=0, atol=1e-7)


def test_white_is_sought_inside_of_the_mask(tmp_path):
    array, mask = grey(np.uint16, 1000), some_mask()
    write_png(tmp_path / "crop.png", np.where(mask, array, 40000))
    write_png(tmp_path / "crop_mask.png", mask.astype(np.uint8))
    image = read_crop(tmp_path / "crop.png").image
    np.testing.assert_allclose(image, np.where(mask, array / 1023, 0), rtol=0, atol=1e-7)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_tiff(tmp_path, dtype):
    array = (grey() / 255).astype(dtype)
    tifffile.imwrite(tmp_path / "unit.tif", array)
    np.testing.assert_allclose(read_crop(tmp_path / "unit.tif").image, array, rtol=0, atol=1e-7)
    tifffile.imwrite(tmp_path / "bytes.tif", grey().astype(dtype))
    image = read_crop(tmp_path / "bytes.tif").image
    np.testing.assert_allclose(image, grey() / 255, rtol=0, atol=1e-7)


def test_float_rgb_with_blue(tmp_path):
    array, mask = grey(), some_mask()
    path = tmp_path / "crop.tif"
    for rgb in (with_blue(array / 255, mask, 1), with_blue(array.astype(np.float64), mask)):
        tifffile.imwrite(path, rgb.astype(np.float32), photometric="rgb")
        crop = read_crop(path)
        np.testing.assert_array_equal(crop.mask, mask)
        expected = np.where(mask, array / 255, 0)
        np.testing.assert_allclose(crop.image, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    "array",
    [
        np.array([[-0.5, 0.5]], np.float32),
        np.array([[0.0, 3.0]], np.float32),
        np.array([[0.0, 70000.0]], np.float32),
        np.array([[-1, 200]], np.int16),
        np.array([[0, 70000]], np.uint32),
    ],
)
def test_grey_values_without_a_known_white_are_refused(tmp_path, array):
    tifffile.imwrite(tmp_path / "crop.tif", np.tile(array, (8, 8)))
    message = refusal(tmp_path / "crop.tif")
    assert f"{array.dtype} grey values from {array.min():g} to {array.max():g}" in message


def test_signed_integers_that_are_not_negative(tmp_path):
    tifffile.imwrite(tmp_path / "crop.tif", grey(np.int16, 4000))
    image = read_crop(tmp_path / "crop.tif").image
    np.testing.assert_allclose(image, grey(np.int16, 4000) / 4095, rtol=0, atol=1e-7)


def test_nan_inside_of_the_granum_is_refused_and_outside_is_not(tmp_path):
    array = (grey() / 255).astype(np.float32)
    array[0, :3], array[5, 5] = np.nan, np.inf
    tifffile.imwrite(tmp_path / "crop.tif", array)
    assert "4 of the granum's 864 pixels" in refusal(tmp_path / "crop.tif")
    write_png(tmp_path / "crop_mask.png", np.isfinite(array).astype(np.uint8))
    crop = read_crop(tmp_path / "crop.tif")
    assert crop.mask.sum() == 860
    assert np.isfinite(crop.image).all()


def test_colours_become_luma(tmp_path):
    rgb = np.random.default_rng(2).integers(0, 255, (24, 36, 3), dtype=np.uint8)
    path = write_png(tmp_path / "crop.png", rgb)
    # Pillow's conversion is the same formula, rounded to 8 bits.
    expected = np.asarray(Image.fromarray(rgb).convert("L")) / 255
    np.testing.assert_allclose(read_crop(path).image, expected, rtol=0, atol=0.6 / 255)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA"])
def test_other_modes(tmp_path, mode, suffix):
    image = Image.fromarray(grey()).convert(mode)
    path = tmp_path / f"crop.{suffix}"
    image.save(path)
    expected = np.asarray(image.convert("L")) / 255
    np.testing.assert_allclose(read_crop(path).image, expected, rtol=0, atol=1e-6)


def test_inverted_tiff(tmp_path):
    array = grey(np.uint16, 4000)
    tifffile.imwrite(tmp_path / "crop.tif", array, photometric="miniswhite")
    image = read_crop(tmp_path / "crop.tif").image
    np.testing.assert_allclose(image, 1 - array / 4095, rtol=0, atol=1e-6)
