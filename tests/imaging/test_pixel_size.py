import pytest
import tifffile
from helpers.image_files import grey, silence

from srd_jax.imaging.crop import read_crop
from srd_jax.imaging.pixel_size import px_per_nm


@pytest.fixture(autouse=True)
def _nothing_leaks(capfd, caplog):
    with silence(capfd, caplog):
        yield


@pytest.mark.parametrize(
    ("per_unit", "unit", "expected"),
    [
        (1.302e7, 3, 1.302),
        (1.302 * 2.54e7, 2, 1.302),
        (1302, 5, 1.302),
        (1.302e7, 1, None),
        (72, 2, None),
        (300, 2, None),
        (0.049e7, 3, None),
        (0.051e7, 3, 0.051),
        (20.1e7, 3, None),
    ],
)
def test_resolution_tags(tmp_path, per_unit, unit, expected):
    path = tmp_path / "crop.tif"
    tifffile.imwrite(path, grey(), resolution=(per_unit, per_unit), resolutionunit=unit)
    crop = read_crop(path)
    assert crop.px_per_nm == (None if expected is None else pytest.approx(expected, rel=1e-6))
    assert crop.px_per_nm_source == ("" if expected is None else "tiff")


@pytest.mark.parametrize(
    ("per_unit", "unit", "expected"),
    [
        (1.302, "nm", 1.302),
        (1302, "um", 1.302),
        (1302, "\\u00B5m", 1.302),
        (1302, "micron", 1.302),
        (1302, "microns", 1.302),
        (0.1302, "Angstrom", 1.302),
        (1.302, "pixel", None),
        (1, "micron", None),
    ],
)
def test_imagej_units(tmp_path, per_unit, unit, expected):
    path = tmp_path / "crop.tif"
    resolution = (per_unit, per_unit)
    tifffile.imwrite(path, grey(), imagej=True, resolution=resolution, metadata={"unit": unit})
    scale = read_crop(path).px_per_nm
    assert scale == (None if expected is None else pytest.approx(expected, rel=1e-6))


@pytest.mark.parametrize(("unit", "expected"), [("µm", 0.5), ("\u03bcm", 0.5), ("Å", None)])
def test_imagej_units_outside_of_ascii(tmp_path, unit, expected):
    # tifffile reads such units but doesn't write them. 500 px per Å is no pixel size.
    path = tmp_path / "crop.tif"
    tifffile.imwrite(path, grey(), resolution=(500.0, 500.0))
    with tifffile.TiffFile(path) as tiff:
        assert px_per_nm(tiff.pages.first, {"unit": unit}) == expected


def test_scale_needs_square_pixels_and_both_tags(tmp_path):
    path = tmp_path / "crop.tif"
    tifffile.imwrite(path, grey(), resolution=(1.30e7, 1.33e7), resolutionunit=3)
    assert read_crop(path).px_per_nm is None
    # Nearly square: the vertical scale is taken, as the period runs down the rows.
    tifffile.imwrite(path, grey(), resolution=(1.300e7, 1.305e7), resolutionunit=3)
    assert read_crop(path).px_per_nm == pytest.approx(1.305, rel=1e-6)
    tifffile.imwrite(path, grey(), resolution=((0, 1), (0, 1)), resolutionunit=3)
    assert read_crop(path).px_per_nm is None
