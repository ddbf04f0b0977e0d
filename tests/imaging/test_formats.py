import logging
import pathlib
import struct
import subprocess
import sys
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from helpers.image_files import grey, refusal, silence, write_png
from PIL import Image, ImageOps

from srd_jax.imaging.crop import read_crop


@pytest.fixture(autouse=True)
def _nothing_leaks(capfd, caplog):
    with silence(capfd, caplog):
        yield


@pytest.mark.parametrize("compression", ["zlib", "lzw", "packbits", "zstd"])
@pytest.mark.parametrize("layout", ["contig", "separate", "tiled"])
def test_compressed_tiff(tmp_path, compression, layout):
    array = np.stack([grey()] * 3, axis=-1)
    if layout == "separate":
        written, options = np.moveaxis(array, -1, 0), {"planarconfig": "separate"}
    else:
        written, options = array, {"tile": (16, 16)} if layout == "tiled" else {"rowsperstrip": 5}
    path = tmp_path / "crop.tif"
    tifffile.imwrite(path, written, photometric="rgb", compression=compression, **options)
    np.testing.assert_allclose(read_crop(path).image, grey() / 255, rtol=0, atol=1e-7)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_equals_pillow(tmp_path, orientation):
    array = np.kron(grey(shape=(3, 4)), np.ones((8, 8), np.uint8))
    image = Image.fromarray(array)
    image.getexif()[274] = orientation
    expected = np.asarray(ImageOps.exif_transpose(image)) / 255
    image.save(tmp_path / "crop.jpg", exif=image.getexif(), quality=95)
    image = read_crop(tmp_path / "crop.jpg").image
    np.testing.assert_allclose(image, expected, rtol=0, atol=2 / 255)
    tifffile.imwrite(tmp_path / "crop.tif", array, extratags=[(274, "H", 1, orientation, True)])
    image = read_crop(tmp_path / "crop.tif").image
    np.testing.assert_allclose(image, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"file,period\n", "isn't an image"),
        (b"BM" + bytes(60), "is a BMP"),
        (b"%PDF-1.7\n", "is a PDF"),
        (b"\x89PNG\r\n\x1a\n", "truncated PNG"),
        (b"II*\0\x08\0\0\0", "cannot be decoded"),
        (b"\xff\xd8\xff\xe0", "cannot be decoded"),
    ],
)
def test_no_images(tmp_path, content, message):
    path = tmp_path / "crop.png"
    path.write_bytes(content)
    assert message in refusal(path)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "zlib", "lzw", "packbits", "jpeg"])
def test_truncated(tmp_path, kind, kept):
    path = tmp_path / "crop"
    array = grey(shape=(64, 64))
    if kind in ("png", "jpg"):
        Image.fromarray(array).save(path, {"jpg": "jpeg"}.get(kind, kind))
    else:
        tifffile.imwrite(path, array, compression=None if kind == "tif" else kind, rowsperstrip=16)
    read_crop(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    assert "truncated" in refusal(path)


def test_a_tiff_without_some_of_its_strips(tmp_path):
    path = tmp_path / "crop.tif"
    tifffile.imwrite(path, grey(), compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags["ImageLength"].overwrite(240)
    assert "truncated TIFF (1 of 10 strips)" in refusal(path)
    tifffile.imwrite(path, grey(), compression="zlib", rowsperstrip=6)
    with tifffile.TiffFile(path, mode="r+") as tiff:
        counts = tiff.pages.first.databytecounts
        tiff.pages.first.tags["StripByteCounts"].overwrite((*counts[:3], 0))
    assert "truncated TIFF (data of 0 bytes" in refusal(path)


def test_a_damaged_ancillary_chunk_of_a_png_stays_silent(tmp_path):
    path = write_png(tmp_path / "crop.png", grey())
    data = path.read_bytes()
    wrong_crc = struct.pack(">I4s4sI", 4, b"teSt", b"abcd", 0)
    path.write_bytes(data[:33] + wrong_crc + data[33:])
    np.testing.assert_allclose(read_crop(path).image, grey() / 255, rtol=0, atol=1e-7)
    # libpng's warnings pass through C's own buffer, which is written when the process ends.
    code = "import sys; from srd_jax.imaging.crop import read_crop; read_crop(sys.argv[1])"
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True)
    assert run.stdout + run.stderr == b""


def test_damaged_metadata_of_a_jpeg_stays_silent(tmp_path):
    path = tmp_path / "crop.jpg"
    Image.fromarray(grey()).save(path, exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0")
    assert read_crop(path).image.shape == (24, 36)


def _patch_png(path):
    data = bytearray(write_png(path, grey()).read_bytes())
    data[16:24] = struct.pack(">II", 50_000, 50_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)


def _patch_jpeg(path):
    Image.fromarray(grey()).save(path, "jpeg")
    data = bytearray(path.read_bytes())
    frame = data.index(b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", 50_000, 50_000)
    path.write_bytes(data)


def _patch_tiff(path):
    tifffile.imwrite(path, grey(), compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as tiff:
        for name in ("ImageWidth", "ImageLength"):
            tiff.pages.first.tags[name].overwrite(50_000)


@pytest.mark.parametrize("patch", [_patch_png, _patch_jpeg, _patch_tiff])
def test_decompression_bombs_are_refused_before_decoding(tmp_path, patch, monkeypatch):
    path = tmp_path / "crop"
    patch(path)

    def decoded(*_, **__):
        raise AssertionError("decoded")

    monkeypatch.setattr(imagecodecs, "png_decode", decoded)
    monkeypatch.setattr("PIL.JpegImagePlugin.JpegImageFile.load", decoded)
    monkeypatch.setattr(tifffile.TiffPage, "asarray", decoded)
    assert "50000 x 50000 px" in refusal(path)


def test_more_than_pillows_limit_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    path = tmp_path / "crop.jpg"
    Image.fromarray(grey()).save(path)
    assert read_crop(path).image.shape == (24, 36)


def test_several_pictures(tmp_path):
    frames = [Image.fromarray(np.roll(grey(), n)) for n in range(3)]
    for suffix, message in (("gif", "is a GIF"), ("png", "animated PNG"), ("tif", "3 pages")):
        path = tmp_path / f"crop.{suffix}"
        frames[0].save(path, save_all=True, append_images=frames[1:])
        assert message in refusal(path)
    path = tmp_path / "imagej.tif"
    tifffile.imwrite(path, np.stack([grey()] * 4), imagej=True)
    assert "4 pages" in refusal(path)
    path = tmp_path / "volume.tif"
    tifffile.imwrite(path, np.zeros((16, 32, 32), np.uint8), volumetric=True, tile=(16, 16, 16))
    assert "axes ZYX" in refusal(path)


def test_a_thumbnail_beside_the_image_is_passed_over(tmp_path):
    path = tmp_path / "crop.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(grey())
        writer.write(grey()[::4, ::4], subfiletype=1)
    np.testing.assert_allclose(read_crop(path).image, grey() / 255, rtol=0, atol=1e-7)


def test_other_colours(tmp_path):
    path = tmp_path / "crop.jpg"
    Image.fromarray(grey()).convert("CMYK").save(path)
    assert "CMYK" in refusal(path)
    path = tmp_path / "crop.tif"
    Image.fromarray(grey()).convert("CMYK").save(path)
    assert "SEPARATED" in refusal(path)
    tifffile.imwrite(path, grey(shape=(24, 36, 2)), photometric="minisblack", planarconfig="contig")
    assert "2 channels" in refusal(path)
    tifffile.imwrite(path, grey().astype(np.complex64))
    assert "complex64" in refusal(path)


def test_unreadable(tmp_path, monkeypatch):
    assert "is a folder" in refusal(tmp_path)
    assert "No such file" in refusal(tmp_path / "missing.png")
    (tmp_path / "dangling.png").symlink_to("missing.png")
    assert "No such file" in refusal(tmp_path / "dangling.png")

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    path = write_png(tmp_path / "crop.png", grey())
    monkeypatch.setattr(pathlib.Path, "open", denied)
    assert "Permission denied" in refusal(path)


def test_what_tifffile_logs_stays_inside(tmp_path, caplog):
    path = tmp_path / "crop.tif"
    tifffile.imwrite(path, grey())
    with tifffile.TiffFile(path, mode="r+") as tiff:
        next_page = tiff.pages.first.offset + 2 + 12 * len(tiff.pages.first.tags)
    data = bytearray(path.read_bytes())
    data[next_page : next_page + 4] = struct.pack("<I", 10**8)
    path.write_bytes(data)
    with tifffile.TiffFile(path) as tiff:
        assert len(tiff.pages) == 1
    assert len(caplog.records) == 1
    caplog.clear()
    read_crop(path)
    assert caplog.records == []
    assert not logging.getLogger("tifffile").disabled
