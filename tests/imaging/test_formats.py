import os
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


def test_special_files_are_refused_unopened(tmp_path):
    os.mkfifo(tmp_path / "fifo.png")
    (tmp_path / "link.png").symlink_to("fifo.png")
    (tmp_path / "device.png").symlink_to("/dev/zero")
    for name, kind in (("fifo", "a FIFO"), ("link", "a FIFO"), ("device", "a device")):
        assert f"is {kind}; accepted are PNG" in refusal(tmp_path / f"{name}.png")


@pytest.mark.parametrize(
    ("colours", "depth"),
    [
        *((0, depth) for depth in (1, 2, 4, 8, 16)),
        *((3, depth) for depth in (1, 2, 4, 8)),
        *((colours, depth) for colours in (2, 4, 6) for depth in (8, 16)),
    ],
)
@pytest.mark.parametrize("interlaced", [False, True])
def test_png_of_every_type(tmp_path, depth, colours, interlaced):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colours]
    random = np.random.default_rng(depth)
    samples = random.integers(0, 2**depth, (13, 11, channels))
    if colours in (4, 6):
        samples[..., -1] = 2**depth - 1
    if colours in (2, 6):
        samples[..., 1:3] = samples[..., :1]
    # Column and row of the first pixel, and the steps, of each pass (PNG specification, 8.1).
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
    passes = [*passes, (0, 1, 1, 2)] if interlaced else [(0, 0, 1, 1)]
    rows = b""
    for x, y, dx, dy in passes:
        for row in samples[y::dy, x::dx]:
            bits = "".join(f"{value:0{depth}b}" for value in row.flat)
            bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
            rows += b"\0" + int(bits, 2).to_bytes(len(bits) // 8)
    header = struct.pack(">IIBBBBB", 11, 13, depth, colours, 0, 0, interlaced)
    palette = random.integers(0, 256, 2**depth, dtype=np.uint8) if colours == 3 else np.arange(0)
    chunks = [(b"IHDR", header), (b"PLTE", np.repeat(palette, 3).tobytes())][: 1 + (colours == 3)]
    # Bytes that follow the stream are no data of the picture.
    chunks += [(b"IDAT", zlib.compress(rows) + b"more"), (b"IEND", b"")]
    path = tmp_path / "crop.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        )
    )
    expected = samples[..., 0] / (2**depth - 1)
    if colours == 3:
        expected = palette[samples[..., 0]] / 255
    np.testing.assert_allclose(read_crop(path).image, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("fault", ["data", "checksum of zlib", "transparency", "height"])
def test_what_libpng_warns_of_is_refused_in_silence(tmp_path, fault):
    path = write_png(tmp_path / "crop.png", grey())
    data = path.read_bytes()
    start = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[start - 4 : start])
    head, packed = data[8:33], data[start + 4 : start + 4 + length]
    extra = b""
    if fault == "data":
        packed = zlib.compress(zlib.decompress(packed) + bytes(100))
    elif fault == "checksum of zlib":
        packed = packed[:-1] + bytes([packed[-1] ^ 1])
    elif fault == "transparency":
        extra = struct.pack(">I4s9xI", 9, b"tRNS", zlib.crc32(b"tRNS" + bytes(9)))
    else:
        head = head[:12] + struct.pack(">I", 12) + head[16:21]
        head += struct.pack(">I", zlib.crc32(head[4:]))
    checked = struct.pack(">I", zlib.crc32(b"IDAT" + packed))
    chunk = struct.pack(">I", len(packed)) + b"IDAT" + packed + checked
    path.write_bytes(data[:8] + head + extra + chunk + data[-12:])
    chunk = "tRNS" if fault == "transparency" else "IDAT"
    assert f"damaged or truncated PNG (its chunk '{chunk}')" in refusal(path)
    code = (
        "import sys; from srd_jax.imaging.crop import read_crop\n"
        "try: read_crop(sys.argv[1])\nexcept ValueError: pass"
    )
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True)
    assert run.stdout + run.stderr == b""


def test_a_jpeg_of_many_scans_is_refused(tmp_path):
    path = tmp_path / "crop.jpg"
    Image.fromarray(grey()).save(path, progressive=True)
    read_crop(path)
    data = path.read_bytes()
    last = data.rindex(b"\xff\xda")
    path.write_bytes(data[:last] + data[last:-2] * 200 + data[-2:])
    assert "scans; accepted are at most 100" in refusal(path)
