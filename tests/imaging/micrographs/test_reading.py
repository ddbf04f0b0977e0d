import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from helpers.dm_files import dm_file
from helpers.drawn_bars import draw
from helpers.image_files import write_png
from helpers.odd_files import formats
from PIL import Image

from srd_jax.imaging.micrographs.reading import read
from srd_jax.imaging.micrographs.scales import ScaleOptions
from srd_jax.support.errors import InputError


def grey(dtype=np.uint8, shape=(90, 130)):
    return np.random.default_rng(0).integers(0, 200, shape).astype(dtype)


def test_the_formats_of_crops_are_read_in_their_own_type(tmp_path):
    for name, data in formats().items():
        if name.startswith(("stack", "alpha")):
            continue
        (tmp_path / name).write_bytes(data)
        found = read(tmp_path / name)
        assert found.grey.ndim == 2
        assert found.grey.dtype in (np.uint8, np.uint16, np.int16, np.float32), name
        assert found.name == str(tmp_path / name)
    (tmp_path / "a.tif").write_bytes(formats()["stack.tif"])
    with pytest.raises(InputError, match="3 pages"):
        read(tmp_path / "a.tif")


def test_orientation_and_white_is_zero(tmp_path):
    values = grey()
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="miniswhite")
    np.testing.assert_array_equal(read(tmp_path / "a.tif").grey, 255 - values)
    tifffile.imwrite(tmp_path / "a.tif", values, extratags=[(274, 3, 1, 6, True)])
    np.testing.assert_array_equal(read(tmp_path / "a.tif").grey, np.rot90(values, 3))


def test_strip_bar_and_scale_of_one_file(tmp_path):
    drawn = next(one for one in map(draw, range(24)) if one.below and "plain" in one.kind)
    path = write_png(tmp_path / "a.png", drawn.grey)
    found = read(path, options=ScaleOptions(bar_nm=200))
    assert found.px_per_nm == pytest.approx(drawn.length / 200, rel=0.01)
    assert found.source.startswith("bar of 200 nm, ")
    assert found.strips == pytest.approx((0, drawn.below), abs=1.5)
    assert len(found.grey) == len(drawn.grey) - found.strips[1]
    assert found.notes == (
        f"an information strip is cut off ({found.strips[1]} rows below the picture)",
    )
    assert read(path, 0.67).source == "given"
    write_png(tmp_path / "b.png", grey())
    with pytest.raises(InputError, match=r"b\.png: no scale bar is found"):
        read(tmp_path / "b.png", options=ScaleOptions(bar_nm=200))


def test_the_scale_of_a_text_file_beside(tmp_path):
    (tmp_path / "a.dm3").write_bytes(dm_file(grey(), scale=1.0, unit=""))
    (tmp_path / "a.txt").write_text("[SemImageFile]\nPixelSize=1.25\n")
    found = read(tmp_path / "a.dm3")
    assert (found.px_per_nm, found.source) == (pytest.approx(0.8), "hitachi")


def test_limits_of_size(tmp_path):
    write_png(tmp_path / "a.png", grey())
    tifffile.imwrite(tmp_path / "a.tif", grey())
    Image.fromarray(grey()).save(tmp_path / "a.jpg")
    for name in ("a.png", "a.tif", "a.jpg"):
        assert read(tmp_path / name, max_pixels=90 * 130).grey.shape == (90, 130)
        with pytest.raises(
            InputError, match=rf"{name}: has 90 x 130 px .* up to 0.0116 megapixels"
        ):
            read(tmp_path / name, max_pixels=11_600)
    with (tmp_path / "a.png").open("ab") as file:
        file.truncate(5_000_000_000)
    with pytest.raises(InputError, match=r"has 5\.0 GB; accepted are at most 4 GB"):
        read(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "tif", "dm3", "dm4", "mrc", "jpg"])
def test_garbage(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    random = np.random.default_rng(0)
    contents = [b"", b"x", b"hello\n", bytes(2000), random.bytes(3000), b"\xff" * 2000]
    contents += [head + random.bytes(3000) for head in (b"\0\0\0\3", b"\0\0\0\4")]
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            read(path)
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert "accepted" in message
        assert "\n" not in message
    path.unlink()
    with pytest.raises(InputError, match="cannot be read"):
        read(path)
    os.mkfifo(path)
    with pytest.raises(InputError, match="is a FIFO"):
        read(path)


MEASURE = """
import resource, sys
from srd_jax.imaging.micrographs.reading import read
from srd_jax.imaging.micrographs.scales import ScaleOptions
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = read(sys.argv[1], options=ScaleOptions(px_per_nm=1.0))
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(found.grey.nbytes / 1024, after - before)
"""


@pytest.mark.parametrize("kind", ["tif", "png", "dm4", "mrc"])
def test_memory_is_a_few_times_the_picture(tmp_path, kind):
    values = np.tile(grey(np.uint16, (600, 600)), (10, 10))
    path = tmp_path / f"a.{kind}"
    if kind == "tif":
        tifffile.imwrite(path, values)
    elif kind == "png":
        write_png(path, values)
    elif kind == "dm4":
        path.write_bytes(dm_file(values, 4))
    else:
        import mrcfile

        mrcfile.write(path, values)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, path], capture_output=True, text=True, check=True
    )
    picture, more = map(float, done.stdout.split())
    assert picture == 6000 * 6000 * 2 / 1024
    assert more < 4 * picture
