import functools

import numpy as np
import pytest
from helpers.command import read, refused, run
from helpers.crops import random_weights, stripes, write_crop, write_weights
from helpers.image_files import write_png
from PIL import Image

from srd_jax.commands.attention import crop_attention
from srd_jax.imaging.crop import read_crop
from srd_jax.measuring import methods
from srd_jax.measuring.estimator import Estimator
from srd_jax.support.errors import InputError


@functools.cache
def estimator():
    return Estimator(random_weights(), 1)


def texts(figure):
    return [text.get_text() for text in figure.texts]


def test_the_title_of_a_crop_tells_what_prediction_says(tmp_path):
    crop = read_crop(write_crop(tmp_path / "a.png"))
    (found,) = estimator()([crop], with_attention=True)
    figure = crop_attention(estimator(), crop, "a.png", 20.0)
    name, frame, in_crop = texts(figure)[:3]
    assert name == "a.png"
    values = (20.0, found.period_px, found.sd_px)
    for line, factor, unit in ((frame, found.scale, "frame"), (in_crop, 1.0, "crop")):
        true, period, sd = (f"{factor * value:.2f}" for value in values)
        assert line == f"true period {true} px, predicted {period} px, sd {sd} px of the {unit}"
    assert len(figure.axes) == 2 * 4 + 1


def test_a_crop_without_a_known_period_is_drawn_too():
    figure = crop_attention(estimator(), stripes(0), "array")
    assert texts(figure)[1].startswith("predicted ")


def test_a_crop_that_cannot_be_measured_is_refused():
    with pytest.raises(InputError, match="every pixel of the granum has the grey value"):
        crop_attention(estimator(), np.full((60, 70), 0.5), "blank")


def test_a_bad_file_stops_no_other(tmp_path, capsys, monkeypatch):
    # One for all tests: each compiles its network anew.
    monkeypatch.setattr("srd_jax.commands.attention.load", lambda path, batch_size: estimator())
    folder = tmp_path / "crops"
    for name in ("a.png", "b/a.png"):
        write_crop(folder / name)
    (folder / "bad.png").write_text("no picture")
    # Of an earlier run.
    (folder / "a.png.attention.png").write_text("no picture")
    out = tmp_path / "out"
    assert run("attention", folder, "--weights", "any", "--out", out) == 1
    printed, error = capsys.readouterr()
    assert printed == f"2 of 3 crops drawn; figures in {out}\n"
    assert error.startswith(f"{folder / 'bad.png'}: ")
    assert error.count("\n") == 1
    assert error.count(str(folder)) == 1
    files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.*"))
    names = ["a.png.attention.pdf", "a.png.attention.png"]
    assert files == [*names, *(f"b/{name}" for name in names)]
    assert Image.open(out / names[1]).width == 2208


def test_what_cannot_be_used_is_refused(tmp_path, capsys):
    crop = write_crop(tmp_path / "a.png")
    weights = write_weights(tmp_path / "weights.safetensors")
    # A CSV beside an image of that name would mean that one.
    periods = tmp_path / "known" / "periods.csv"
    periods.parent.mkdir()
    periods.write_text("granum_image,period_px\nother.png,20\n")
    given = ("attention", crop, "--weights", weights, "--out")
    error = refused(capsys, *given, tmp_path / "out", "--annotations", periods)
    assert error.startswith(f"{periods}: holds the period of none of the 1 images")
    periods.write_text("granum_image,period_px\na.png,20\n")
    twin = write_crop(tmp_path / "b" / "a.png")
    two = ("attention", twin, *given[1:])
    error = refused(capsys, *two, tmp_path / "out", "--annotations", periods)
    assert "tells images by their names, but 2 of yours are named a.png" in error
    assert refused(capsys, *given, weights) == (f"--out {weights}: is a file; accepted is a folder")
    assert "no such weights file" in refused(
        capsys, "attention", crop, "--weights", tmp_path / "none", "--out", tmp_path / "out"
    )
    earlier = tmp_path / "earlier" / "a.png.attention.png"
    earlier.parent.mkdir()
    earlier.write_bytes(crop.read_bytes())
    given = ("attention", earlier.parent, "--weights", weights, "--out", tmp_path / "out")
    assert "holds pictures of an earlier run only" in refused(capsys, *given)


def test_attention_and_prediction_leave_each_others_pictures_out(tmp_path, monkeypatch):
    monkeypatch.setattr("srd_jax.commands.attention.load", lambda path, batch_size: estimator())
    monkeypatch.setattr(methods, "make", lambda *_: estimator())
    folder, out = tmp_path / "crops", tmp_path / "results.csv"
    for seed, name in enumerate(("a.png", "b/c.png")):
        write_crop(folder / name, seed)

    def draw():
        assert run("attention", folder, "--weights", "any", "--out", folder) == 0
        assert run("predict", folder, "--out", out, "--overlay", folder) == 0
        pictures = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        return {path: path.read_bytes() for path in pictures}, out.read_bytes()

    first = draw()
    assert len(first[0]) == 2 * 4  # the crop, its overlay, its attention as PNG and PDF
    assert [row["file"] for row in read(out)] == [
        str(folder / name) for name in ("a.png", "b/c.png")
    ]
    assert draw() == first


def test_a_drawn_picture_that_is_named_is_passed_over(tmp_path, monkeypatch, capfd):
    monkeypatch.setattr("srd_jax.commands.attention.load", lambda path, batch_size: estimator())
    monkeypatch.setattr(methods, "make", lambda *_: estimator())
    crop = write_crop(tmp_path / "a.png")
    for name in ("a.png.overlay.png", "a.png.attention.png"):
        path = write_crop(tmp_path / name)
        line = f"{path}: is passed over as one of 1 pictures of an earlier run\n"
        assert run("predict", path, crop, "--out", tmp_path / "r.csv") == 0
        assert capfd.readouterr().err == line
        assert [row["file"] for row in read(tmp_path / "r.csv")] == [str(crop)]
        assert run("attention", path, crop, "--weights", "any", "--out", tmp_path / "out") == 0
        assert capfd.readouterr().err == line
        assert run("predict", path, "--out", tmp_path / "r.csv") == 2
        assert "accepted are crops" in capfd.readouterr().err
    figures = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert figures == ["a.png.attention.pdf", "a.png.attention.png"]


def test_each_granum_of_a_mask_has_a_figure(tmp_path, monkeypatch):
    monkeypatch.setattr("srd_jax.commands.attention.load", lambda path, batch_size: estimator())
    crop = write_crop(tmp_path / "a.png")
    labels = np.zeros((120, 150), np.uint8)
    labels[20:100, 20:70], labels[20:100, 80:130] = 1, 2
    write_png(tmp_path / "a_masks.png", labels)
    assert run("attention", crop, "--weights", "any", "--out", tmp_path / "out") == 0
    figures = sorted(path.name for path in (tmp_path / "out").glob("*.png"))
    assert figures == ["a.png.1.attention.png", "a.png.2.attention.png"]
