import pathlib
import struct
import zlib

import numpy as np
import tifffile
from helpers.command import numbers, read, run
from helpers.crops import ellipse, stripes, write_crop, write_weights
from helpers.image_files import with_blue, write_png
from PIL import Image


def _truncated(path):
    data = write_crop(path).read_bytes()
    path.write_bytes(data[: len(data) // 2])


def _one_pixel(path):
    write_png(path, np.full((1, 1), 7, np.uint8))


def _all_masked(path):
    write_png(path, with_blue(stripes(0), np.zeros((120, 150), bool)))


def _other_mask(path):
    write_crop(path)
    write_png(path.with_name(f"{path.stem}_mask.png"), np.ones((120, 149), np.uint8))


def _blank(path):
    write_png(path, with_blue(np.full((120, 150), 128, np.uint8), ellipse((120, 150))))


def _not_a_number(path):
    array = stripes(0) / np.float32(255)
    array[4, 5] = np.nan
    tifffile.imwrite(path, array)


def _huge(path):
    data = bytearray(write_crop(path).read_bytes())
    data[16:24] = struct.pack(">II", 50_000, 50_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)


def _cmyk(path):
    Image.fromarray(stripes(0)).convert("CMYK").save(path)


def _animated(path):
    frames = [Image.fromarray(stripes(seed)) for seed in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:])


BAD = {
    "text.png": (lambda path: path.write_text("hello"), "isn't an image"),
    "truncated.png": (_truncated, "damaged or truncated"),
    "empty.png": (pathlib.Path.touch, "is empty"),
    "one_pixel.png": (_one_pixel, "a granum of 1 x 1 px"),
    "masked.png": (_all_masked, "nothing is inside of the mask"),
    "other.png": (_other_mask, "other_mask.png: the mask has 120 x 149 px"),
    "blank.png": (_blank, "has the grey value 0.502"),
    "nan.tif": (_not_a_number, "1 of the granum's 18000 pixels are NaN"),
    "huge.png": (_huge, "has 50000 x 50000 px"),
    "cmyk.jpg": (_cmyk, "CMYK"),
    "animated.png": (_animated, "animated PNG"),
    "dangling.png": (lambda path: path.symlink_to("nowhere.png"), "No such file"),
}


def test_bad_files_cost_their_own_rows_only(tmp_path, capfd):
    weights = write_weights(tmp_path / "weights.safetensors")
    folder = tmp_path / "grana"
    good = [write_crop(folder / "a.png", 1), write_crop(folder / "z.png", 2, (200, 90), 31)]
    for name, (make, _) in BAD.items():
        make(folder / name)
    out, overlays = tmp_path / "results.csv", tmp_path / "overlays"
    options = ("--weights", weights, "--out", out, "--batch-size", 3)
    assert run("predict", folder, *options, "--overlay", overlays) == 1
    stdout, stderr = capfd.readouterr()
    assert stderr == ""
    assert f"2 of {2 + len(BAD)} measured (2 ok, {len(BAD)} error); results in {out}" in stdout
    rows = {pathlib.Path(row["file"]).name: row for row in read(out)}
    assert list(rows) == sorted([*BAD, "a.png", "z.png"])
    for name, (_, message) in BAD.items():
        row = rows[name]
        assert row["status"] == "error", name
        assert message in row["reason"]
        assert "accepted" in row["reason"]
        assert "\n" not in row["reason"]
        assert str(folder / name) not in row["reason"]
        others = {key: value for key, value in row.items() if value}
        assert sorted(others) == ["file", "reason", "status"]
    assert sorted(path.name for path in overlays.iterdir()) == [
        "a.png.overlay.png",
        "z.png.overlay.png",
    ]
    assert run("predict", *good, *options) == 0
    for alone in read(out):
        row = rows[pathlib.Path(alone["file"]).name]
        assert [row[c] for c in ("file", "status", "reason")] == [alone["file"], "ok", ""]
        found, expected = (numbers([one], "period_px", "sd_px") for one in (row, alone))
        # The file has six digits.
        np.testing.assert_allclose(found, expected, rtol=2e-5)
