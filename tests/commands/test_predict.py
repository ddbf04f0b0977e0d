import functools

import numpy as np
import pytest
import tifffile
from helpers.command import numbers, read, refused, run
from helpers.crops import random_weights, stripes, write_crop, write_weights
from PIL import Image

from srd_jax.imaging.crop import read_crop
from srd_jax.imaging.preparation import prepare
from srd_jax.measuring import methods
from srd_jax.measuring.combination import Combined
from srd_jax.measuring.estimator import Estimator
from srd_jax.measuring.tta import Augmented
from srd_jax.tasks.period.model import as_function


@pytest.fixture
def weights(tmp_path):
    return write_weights(tmp_path / "weights.safetensors")


def test_csv_is_what_the_network_says(tmp_path, weights, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shapes = [(80, 150), (150, 120), (333, 100)]
    paths = [write_crop(tmp_path / f"{i}.png", i, shape) for i, shape in enumerate(shapes)]
    # The order of the command line is kept, and paths are shown as they are given.
    options = ("--method", "network", "--weights", weights, "--px-per-nm", 1)
    assert run("predict", "2.png", paths[0], "1.png", *options) == 0
    rows = read("results.csv")
    assert [row["file"] for row in rows] == ["2.png", str(paths[0]), "1.png"]
    crops = [read_crop(path) for path in (paths[2], paths[0], paths[1])]
    frames = np.stack([prepare(crop.image, crop.mask).image for crop in crops])
    found = as_function(random_weights().model)(random_weights().parameters, frames)
    # The middle 300 rows of the largest crop are measured.
    for name, values in (("period", found.period), ("sd", found.sd)):
        expected = np.asarray(values) * [300 / 476, 80 / 476, 150 / 476]
        for unit in ("px", "nm"):
            found_values = numbers(rows, f"{name}_{unit}")[:, 0]
            np.testing.assert_allclose(found_values, expected, rtol=2e-5)
    for row in rows:
        period, sd = numbers([row], "period_nm", "sd_nm")[0]
        assert row["status"] == ("ok" if 14 <= period <= 30 and sd <= 2.5 else "low_confidence")
    assert {row["status"] for row in rows} == {"ok", "low_confidence"}
    out = capsys.readouterr().out
    assert out.splitlines()[2].split()[::5] == ["2.png", rows[0]["status"]]


def test_a_network_and_autocorrelation_are_combined_where_there_is_an_sd(tmp_path, weights, capsys):
    write_crop(tmp_path / "in" / "a.png")
    (expected,) = Combined(one_estimator())([read_crop(tmp_path / "in" / "a.png")])
    (alone,) = one_estimator()([read_crop(tmp_path / "in" / "a.png")])
    assert abs(alone.period_px / expected.period_px - 1) > 1e-3
    without = write_weights(tmp_path / "without.safetensors", confidence=False)
    out = tmp_path / "r.csv"
    for given, period in (
        (("--weights", weights), expected.period_px),
        (("--weights", weights, "--method", "combined"), expected.period_px),
        (("--weights", weights, "--method", "network"), alone.period_px),
    ):
        assert run("predict", tmp_path / "in", "--out", out, *given) == 0
        np.testing.assert_allclose(numbers(read(out), "period_px")[0, 0], period, rtol=1e-5)
    assert run("predict", tmp_path / "in", "--out", out, "--weights", without) == 0
    assert (read(out)[0]["sd_px"], read(out)[0]["reason"]) == ("", "these weights give no sd")
    said = refused(capsys, "predict", tmp_path / "in", "--weights", without, "--method", "combined")
    assert said.startswith(f"{without}: gives no sd, which the method combined needs; accepted")


def test_scale_given_or_of_the_file_or_none(tmp_path, weights):
    crop = stripes(4)
    tifffile.imwrite(tmp_path / "tagged.tif", crop, resolution=(2e7, 2e7), resolutionunit=3)
    tifffile.imwrite(tmp_path / "untagged.tif", crop)
    given, own = tmp_path / "given.csv", tmp_path / "own.csv"
    options = ("predict", tmp_path / "tagged.tif", tmp_path / "untagged.tif", "--weights", weights)
    run(*options, "--out", own)
    tagged, untagged = read(own)
    assert (tagged["px_per_nm"], tagged["px_per_nm_source"]) == ("2", "tiff")
    for column in ("px_per_nm", "period_nm", "sd_nm", "px_per_nm_source"):
        assert untagged[column] == ""
    run(*options, "--out", given, "--px-per-nm", "1.298")
    for row in read(given):
        assert (row["px_per_nm"], row["px_per_nm_source"]) == ("1.298", "given")
    for row, scale in ((tagged, 2), *((row, 1.298) for row in read(given))):
        assert row["period_px"] == untagged["period_px"]
        in_px, in_nm = numbers([row], "period_px", "sd_px"), numbers([row], "period_nm", "sd_nm")
        np.testing.assert_allclose(in_px / in_nm, scale, rtol=1e-5)


def test_weights_without_confidence(tmp_path, capsys):
    weights = write_weights(tmp_path / "weights.safetensors", confidence=False)
    write_crop(tmp_path / "a.png")
    out = tmp_path / "r.csv"
    assert run("predict", tmp_path / "a.png", "--weights", weights, "--out", out) == 0
    (row,) = read(out)
    assert (row["sd_px"], row["status"], row["reason"]) == ("", "ok", "these weights give no sd")
    assert row["quality"] == ""
    assert "sd" not in capsys.readouterr().out.splitlines()[0]


def test_same_names_in_two_folders_keep_their_overlays(tmp_path, weights, capsys):
    for seed, folder in enumerate(("x", "y")):
        write_crop(tmp_path / folder / "a.png", seed)
    # Overlays inside of the measured folder aren't taken for crops the next time.
    overlays = tmp_path / "x" / "overlays"
    arguments = ("predict", tmp_path / "x", tmp_path / "y", "--weights", weights)
    for _ in range(2):
        assert run(*arguments, "--out", tmp_path / "r.csv", "--overlay", overlays) == 0
        assert [row["file"] for row in read(tmp_path / "r.csv")] == [
            str(tmp_path / "x" / "a.png"),
            str(tmp_path / "y" / "a.png"),
        ]
    pictures = [overlays / folder / "a.png.overlay.png" for folder in ("x", "y")]
    assert sorted(path for path in overlays.rglob("*.*")) == pictures
    assert pictures[0].read_bytes() != pictures[1].read_bytes()
    out = capsys.readouterr().out
    assert str(tmp_path / "x" / "a.png") in out
    assert out.splitlines()[-1].endswith(f"overlays in {overlays}")
    message = refused(capsys, "predict", overlays, "--weights", weights)
    assert message.startswith(f"{overlays}: holds pictures of an earlier run only")


@pytest.mark.parametrize("method", ["fft", "autocorrelation"])
def test_methods_without_weights(tmp_path, capsys, method):
    for seed, period in enumerate((16.0, 25.0)):
        write_crop(tmp_path / "in" / f"{seed}.png", seed, period=period)
    out = tmp_path / "r.csv"
    options = ("predict", tmp_path / "in", "--method", method, "--out", out)
    assert run(*options, "--overlay", tmp_path / "overlays", "--px-per-nm", 1) == 0
    rows = read(out)
    np.testing.assert_allclose(numbers(rows, "period_nm")[:, 0], [16, 25], rtol=0.02)
    assert (numbers(rows, "quality") > 0.45).all()
    assert [(row["sd_px"], row["status"], row["reason"]) for row in rows] == [("", "ok", "")] * 2
    assert len(list((tmp_path / "overlays").iterdir())) == 2
    assert "quality" in capsys.readouterr().out.splitlines()[0]
    said = refused(capsys, *options, "--weights", tmp_path / "w.safetensors")
    assert said == (
        f"--weights {tmp_path / 'w.safetensors'}: found with --method {method}; "
        "accepted with --method combined and network only"
    )


def test_overlays_show_attention_on_demand(tmp_path, weights):
    path = write_crop(tmp_path / "a.png")
    widths = []
    for folder, flags in (("plain", ()), ("attention", ("--overlay-attention",))):
        options = ("--out", tmp_path / "r.csv", "--overlay", tmp_path / folder, *flags)
        assert run("predict", path, "--weights", weights, *options) == 0
        with Image.open(tmp_path / folder / "a.png.overlay.png") as picture:
            widths.append(picture.width)
    assert widths[1] >= widths[0] + 6 * 150


@functools.cache
def one_estimator():
    return Estimator(random_weights(), 1)


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--px-per-nm", 1, "--max-sd-nm", 0.1), "nm is above 0.1 nm"),
        (("--max-relative-sd", 0.01), "of the period, above 1.0%"),
        (("--px-per-nm", 1, "--period-nm", 200, 300), "nm is below 200 nm"),
        (("--px-per-nm", 1, "--period-nm", 0.1, 300, "--max-sd-nm", 99), ""),
    ],
)
def test_limits_are_those_of_the_command_line(tmp_path, monkeypatch, flags, reason):
    monkeypatch.setattr(methods, "make", lambda *_: one_estimator())
    weights = tmp_path / "unread.safetensors"
    write_crop(tmp_path / "a.png")
    out = tmp_path / "r.csv"
    assert run("predict", tmp_path / "a.png", "--weights", weights, "--out", out, *flags) == 0
    (row,) = read(out)
    assert row["status"] == ("low_confidence" if reason else "ok")
    assert row["reason"].endswith(reason)
    assert bool(row["reason"]) == bool(reason)


def test_views_and_an_overlay_of_the_middle_one(tmp_path, weights):
    path, out = write_crop(tmp_path / "a.png", shape=(400, 120)), tmp_path / "r.csv"
    options = ("--weights", weights, "--out", out, "--overlay", tmp_path / "overlays")
    assert run("predict", path, *options, "--tta") == 0
    (alone,) = Combined(one_estimator())([read_crop(path)])
    (expected,) = Combined(Augmented(one_estimator()))([read_crop(path)])
    found = numbers(read(out), "period_px", "sd_px")
    np.testing.assert_allclose(found, [(expected.period_px, expected.sd_px)], rtol=1e-5)
    assert abs(alone.period_px / expected.period_px - 1) > 1e-5
    assert (tmp_path / "overlays" / "a.png.overlay.png").exists()


def test_wrong_limits_are_told_in_one_line(tmp_path, weights, capsys):
    path = write_crop(tmp_path / "a.png")
    network = ("predict", path, "--weights", weights)
    classical = ("predict", path, "--method", "fft")
    for arguments, message in (
        ((*network, "--max-sd-nm", 0), "argument --max-sd-nm: found '0'; accepted is a number"),
        ((*network, "--max-relative-sd", "x"), "argument --max-relative-sd: found 'x'"),
        ((*network, "--period-nm", 14), "argument --period-nm: expected 2 arguments"),
        ((*network, "--period-nm", 14, "nan"), "argument --period-nm: found 'nan'"),
        ((*network, "--period-nm", 30, 14), "--period-nm 30 14: accepted is the shorter one"),
        ((*classical, "--tta"), "--tta: found without a network; accepted with one only"),
        ((*classical, "--max-relative-sd", 1), "--max-relative-sd: found without a network"),
    ):
        assert refused(capsys, *arguments).startswith(message)
