import logging
import struct

import numpy as np
import pytest
import tifffile
from helpers.image_files import grey, refusal, silence
from helpers.raw_tiff import raw_tiff

from srd_jax.imaging.crop import read_crop
from srd_jax.support.errors import InputError


@pytest.fixture(autouse=True)
def _nothing_leaks(capfd, caplog):
    with silence(capfd, caplog):
        yield


def written(tmp_path, data):
    (tmp_path / "crop.tif").write_bytes(data)
    return tmp_path / "crop.tif"


def pages(path, *arrays, **options):
    with tifffile.TiffWriter(path) as writer:
        for array in arrays:
            writer.write(array, **options)
    return path


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"t262": None},
        {"t277": None},
        {"t278": None},
        {"t278": (4, [0])},
        {"t278": (4, [2**32 - 1])},
        {"t279": None},
        {"t279": (4, [0])},
        {"t279": (4, [24 * 36 + 4096])},
        {"t279": (4, [2**32 - 1])},
        {"t279": (4, [100])},
        {"t274": (3, [0])},
    ],
    ids=str,
)
def test_missing_and_wrong_tags_of_data_that_are_there(tmp_path, tags):
    crop = read_crop(written(tmp_path, raw_tiff(grey(), **tags)))
    np.testing.assert_allclose(crop.image, grey() / 255, rtol=0, atol=1e-7)
    assert crop.notes == ()


@pytest.mark.parametrize("counts", [[0, 0, 0], [144 * 6] * 3, [0, 288, 288], [10, 10, 10]])
def test_strips_of_wrong_lengths(tmp_path, counts):
    strips = [part.tobytes() for part in np.split(grey(), 3)]
    path = written(tmp_path, raw_tiff(grey(), strips, t279=(4, counts)))
    np.testing.assert_allclose(read_crop(path).image, grey() / 255, rtol=0, atol=1e-7)


@pytest.mark.parametrize("compression", ["zlib", "lzw", "packbits", "zstd", "lzma"])
@pytest.mark.parametrize("count", [0, 500, 60_000])
def test_compressed_strips_of_wrong_lengths(tmp_path, compression, count):
    path = tmp_path / "crop.tif"
    array = grey(high=3)
    tifffile.imwrite(path, array, compression=compression, rowsperstrip=6)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags["StripByteCounts"].overwrite((count,) * 4)
    np.testing.assert_allclose(read_crop(path).image, array / 255, rtol=0, atol=1e-7)
    whole = path.read_bytes()
    with tifffile.TiffFile(path) as tiff:
        last = tiff.pages.first.dataoffsets[-1]
    for end in range(last, len(whole), 2):
        path.write_bytes(whole[:end])
        try:
            image = read_crop(path).image
        except InputError as error:
            assert "truncated" in str(error)
        else:
            # Only what ends the stream is missing.
            assert end > len(whole) - 40
            np.testing.assert_allclose(image, array / 255, rtol=0, atol=1e-7)


def test_short_data(tmp_path):
    array = grey()
    assert "tags are truncated" in refusal(written(tmp_path, raw_tiff(array)[: 24 * 36]))
    # The missing row would be made of the tags that follow the data.
    path = written(tmp_path, raw_tiff(array, [array[:-1].tobytes()]))
    assert "truncated TIFF (data of 828 bytes at 8" in refusal(path)
    path = written(tmp_path, raw_tiff(array, t279=None, t257=(4, [25]), t278=(4, [25])))
    assert "truncated TIFF (data of 900 bytes at 8" in refusal(path)
    path = written(tmp_path, raw_tiff(array, t257=(4, [240]), t278=(4, [24])))
    assert "truncated TIFF (1 of 10 strips)" in refusal(path)


def test_bits_that_are_stored_in_bytes(tmp_path):
    for tags in ({"t258": (3, [4])}, {"t258": None}, {"t258": (3, [12])}):
        array = grey(np.uint16 if tags["t258"] == (3, [12]) else np.uint8)
        assert "bits a sample" in refusal(written(tmp_path, raw_tiff(array, **tags)))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_reversed_bits(tmp_path, dtype):
    array = grey(dtype, np.iinfo(dtype).max)
    reverse = np.array([int(f"{byte:08b}"[::-1], 2) for byte in range(256)], np.uint8)
    turned = reverse[array.view(np.uint8)].tobytes()
    path = written(tmp_path, raw_tiff(array, [turned], t266=(3, [2])))
    image = read_crop(path).image
    np.testing.assert_allclose(image, array / np.iinfo(dtype).max, rtol=0, atol=1e-7)


def test_rgb_without_its_colours_stated(tmp_path):
    rgb = np.stack([grey()] * 3, -1)
    data = raw_tiff(grey(), [rgb.tobytes()], t277=(3, [3]), t258=(3, [8, 8, 8]), t262=None)
    np.testing.assert_allclose(
        read_crop(written(tmp_path, data)).image, grey() / 255, rtol=0, atol=1e-7
    )


def test_circles_of_pages(tmp_path):
    array = grey()
    assert "pages run in a circle" in refusal(written(tmp_path, raw_tiff(array, next_page=None)))
    data = raw_tiff(array)
    back = raw_tiff(array, next_page=len(data)) + struct.pack("<HI", 0, 8 + array.size)
    assert "pages run in a circle" in refusal(written(tmp_path, back))
    # tifffile doesn't follow the tag SubIFDs by itself.
    sub = raw_tiff(array, t330=(4, [8 + array.size]))
    assert read_crop(written(tmp_path, sub)).image.shape == array.shape


def test_tags_of_too_many_bytes(tmp_path):
    path = tmp_path / "crop.tif"
    tifffile.imwrite(path, grey(), extratags=[(65000, "I", 9_000_000, bytes(36_000_000), True)])
    assert "36 MB of tags" in refusal(path)
    # Private bytes aren't read, whatever their number.
    tifffile.imwrite(path, grey(), extratags=[(65000, "B", 40_000_000, bytes(40_000_000), True)])
    assert read_crop(path).image.shape == (24, 36)
    # tifffile passes over a tag that the file can't hold.
    data = bytearray(raw_tiff(grey(), t700=(4, [1, 2])))
    place = data.index(struct.pack("<HHI", 700, 4, 2))
    data[place + 4 : place + 8] = b"\xff" * 4
    assert read_crop(written(tmp_path, bytes(data))).image.shape == (24, 36)


def test_strips_that_share_their_bytes(tmp_path):
    array = np.tile(grey(shape=(1, 36)), (24, 1))
    data = raw_tiff(array, [array[0].tobytes()] * 24, t273=(4, [8] * 24))
    np.testing.assert_allclose(
        read_crop(written(tmp_path, data)).image, array / 255, rtol=0, atol=1e-7
    )
    overlap = raw_tiff(
        array, t273=(4, [8] * 24), t279=(4, [800] * 24), t259=(3, [8]), t278=(4, [1])
    )
    assert "strips overlap" in refusal(written(tmp_path, overlap))


def test_thumbnails_and_masks_beside_the_image_are_passed_over(tmp_path):
    path, array = tmp_path / "crop.tif", grey(shape=(48, 72))
    small, bits = array[::4, ::4], array > 100
    for order in (
        (array, small),
        (small, array),
        (array, bits),
        (bits, array),
        (bits, small, array),
    ):
        crop = read_crop(pages(path, *order))
        np.testing.assert_allclose(crop.image, array / 255, rtol=0, atol=1e-7)
        assert crop.notes == (f"the largest of {len(order)} pages is measured",)
    with tifffile.TiffWriter(path) as writer:
        writer.write(array)
        writer.write(small, subfiletype=1)
        writer.write(array > 100, subfiletype=4, photometric="mask")
    crop = read_crop(path)
    np.testing.assert_allclose(crop.image, array / 255, rtol=0, atol=1e-7)
    # What is flagged is as its standard says, nothing to tell.
    assert crop.notes == ()
    pages(path, small, subfiletype=1)
    assert "thumbnails or masks only" in refusal(path)


def test_pages_of_similar_size_are_a_stack(tmp_path):
    path, array = tmp_path / "crop.tif", grey(shape=(48, 72))
    for order in ((array, array), (array, array[:25]), (array[:1], array, array)):
        assert f"{len(order)} pages" in refusal(pages(path, *order))
    assert read_crop(pages(path, array, array[:24])).image.shape == array.shape
    assert read_crop(pages(path, array > 100)).image.shape == array.shape


def test_a_page_beyond_the_end_of_the_file_is_noted(tmp_path, caplog):
    path = written(tmp_path, raw_tiff(grey(), next_page=10**8))
    with tifffile.TiffFile(path) as tiff:
        assert len(tiff.pages) == 1
    assert len(caplog.records) == 1
    caplog.clear()
    crop = read_crop(path)
    assert crop.notes == ("its next page lies beyond the end of the file",)
    np.testing.assert_allclose(crop.image, grey() / 255, rtol=0, atol=1e-7)
    assert not logging.getLogger("tifffile").disabled


def test_strips_that_hold_another_size_than_stated(tmp_path):
    path, array = tmp_path / "crop.tif", grey(shape=(48, 64))
    for compression in ("jpeg", "jpeg2000", "webp"):
        written_array = np.stack([array] * 3, -1) if compression == "webp" else array
        colours = "rgb" if compression == "webp" else "minisblack"
        tifffile.imwrite(path, written_array, compression=compression, photometric=colours)
        assert read_crop(path).image.shape == array.shape
        with tifffile.TiffFile(path, mode="r+") as tiff:
            for name in ("ImageLength", "RowsPerStrip"):
                tiff.pages.first.tags[name].overwrite(16)
        assert "16 x 64 px a strip that holds 48 x 64 px" in refusal(path)


def test_a_truncated_jpeg_strip(tmp_path):
    path = tmp_path / "crop.tif"
    tifffile.imwrite(path, grey(shape=(48, 64)), compression="jpeg")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tags = tiff.pages.first.tags
        tags["StripByteCounts"].overwrite(tiff.pages.first.databytecounts[0] // 2)
    assert "truncated" in refusal(path)
