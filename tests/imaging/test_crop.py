from fractions import Fraction

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
    ("dtype", "low", "high"),
    [
        (np.int8, -128, 127),
        (np.int16, -3, 2500),
        (np.int32, 0, 171_420),
        (np.int64, -(2**62), 2**62),
        (np.uint32, 70_000, 241_420),
        (np.uint64, 2**63, 2**63 + 1000),
        (np.float16, -3.5, 2.5),
        (np.float32, 0, 8.7),
        (np.float32, -0.05, 0.75),
        (np.float32, 0, 8.6e5),
        (np.float64, -1e300, 1e300),
    ],
)
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_values_of_unknown_white_reach_from_0_to_1(tmp_path, dtype, low, high, photometric):
    levels = np.random.default_rng(3).integers(0, 100, (24, 36), endpoint=True)
    levels.flat[:2] = 0, 100
    steps = [Fraction(low) + level * (Fraction(high) - Fraction(low)) / 100 for level in range(101)]
    kind = float if np.dtype(dtype).kind == "f" else int
    array = np.array([kind(steps[level]) for level in levels.flat], dtype).reshape(levels.shape)
    exact = [Fraction(value) for value in array.ravel().tolist()]
    first, last = min(exact), max(exact)
    expected = np.reshape([float((one - first) / (last - first)) for one in exact], array.shape)
    tifffile.imwrite(tmp_path / "crop.tif", array, photometric=photometric)
    image = read_crop(tmp_path / "crop.tif").image
    expected = 1 - expected if photometric == "miniswhite" else expected
    np.testing.assert_allclose(image, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("hot", [1e9, -1e30])
def test_a_hot_pixel_among_values_of_unknown_white_leaves_the_others_their_contrast(tmp_path, hot):
    plain = np.random.default_rng(4).normal(0, 1, (60, 80))
    array = plain.astype(np.float32)
    array[7, 9] = hot
    tifffile.imwrite(tmp_path / "crop.tif", array)
    image = read_crop(tmp_path / "crop.tif").image
    others = np.arange(array.size).reshape(array.shape) != 7 * 80 + 9
    slope, offset = np.polyfit(plain[others], image[others], 1)
    assert slope > 0.03
    np.testing.assert_allclose(image[others], slope * plain[others] + offset, rtol=0, atol=1e-6)
    assert image[7, 9] == (hot > 0)


def test_colours_of_unknown_white_have_no_blue_mask(tmp_path):
    rgb = np.random.default_rng(2).normal(0, 1, (24, 36, 3)).astype(np.float32)
    rgb[:4] = 0, 0, 3
    tifffile.imwrite(tmp_path / "crop.tif", rgb, photometric="rgb")
    crop = read_crop(tmp_path / "crop.tif")
    assert crop.mask.all()
    luma = rgb @ [0.299, 0.587, 0.114]
    expected = (luma - luma.min()) / (luma.max() - luma.min())
    np.testing.assert_allclose(crop.image, expected, rtol=0, atol=1e-6)


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
