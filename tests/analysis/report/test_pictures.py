import dataclasses
import math

import numpy as np
import pytest
from helpers import analyses
from PIL import Image

from srd_jax.analysis.granum import Value
from srd_jax.analysis.output.outlines import COLOURS
from srd_jax.analysis.report import annotated, granum_picture
from srd_jax.imaging.micrographs.micrograph import Micrograph


@pytest.mark.parametrize("shape, most", [((7, 10), 10), ((7, 10), 4), ((33, 5), 8), ((1, 1), 3)])
def test_reduction_is_the_mean_over_blocks(shape, most):
    grey = np.random.default_rng(0).integers(0, 2**16, shape, np.uint16)
    found, side = annotated.reduced(grey, most)
    assert max(found.shape) <= most
    rows, columns = (range(0, length, side) for length in shape)
    means = [[grey[r : r + side, c : c + side].mean() for c in columns] for r in rows]
    np.testing.assert_allclose(found, means, rtol=1e-6)


def test_stretching():
    values = np.linspace(-5, 5, 10_001).reshape(137, 73)
    found = annotated.stretched(values)
    assert (found.min(), found.max()) == (0, 255)
    assert np.mean(found == 0) == pytest.approx(0.006, abs=0.002)
    values[0, :2] = np.nan, np.inf
    assert annotated.stretched(values)[0, 1] == 0
    assert np.all(annotated.stretched(np.full((3, 3), 7.0)) == 128)
    assert np.all(annotated.stretched(np.full((3, 3), np.nan)) == 0)


def near(picture, colour):
    """Where a picture has about a colour."""
    return np.abs(np.asarray(picture, int) - colour).max(axis=-1) < 12


@pytest.mark.parametrize("factor", [1, 4])
def test_outline_and_direction_lie_where_they_are(factor):
    """Also on a reduced micrograph; the line within runs counter-clockwise as seen."""
    one = analyses.granum(1, 220.0 * factor, 190.0 * factor, 30.0)
    one = dataclasses.replace(
        one,
        outline=analyses.ellipse(220 * factor, 190 * factor, 90 * factor, 45 * factor, 30.0),
        diameter_px=Value(180.0 * factor, 1.0),
    )
    grey = np.full((800 * factor, 1000 * factor), 128, np.uint8)
    found = analyses.analysis("a.png", [one], px_per_nm=None, rows=grey.shape[0])
    shown = annotated.picture(Micrograph("a.png", grey), found)
    assert 800 <= max(shown.size) <= 1600
    scale = shown.width / grey.shape[1] * factor
    y, x = np.nonzero(near(shown, COLOURS["ok"])) + np.array([[0.5], [0.5]])
    x, y = x / scale - 220, y / scale - 190
    along = x * np.cos(np.radians(30)) - y * np.sin(np.radians(30))
    across = x * np.sin(np.radians(30)) + y * np.cos(np.radians(30))
    radius = np.hypot(along / 90, across / 45)
    on_outline, inside = abs(radius - 1) < 0.06, radius < 0.94
    assert on_outline.sum() > 300
    assert np.all(abs(across[inside]) < 3)
    assert np.ptp(along[inside]) == pytest.approx(0.7 * 180, abs=6)
    assert np.mean(on_outline | inside) > 0.8  # the rest is the number


def test_each_status_has_its_colour_and_its_mark():
    grana = [
        analyses.granum(n, 100 + 130 * n, 200, status=status) for n, status in enumerate(COLOURS)
    ]
    grey = np.full((400, 700), 128, np.uint8)
    shown = annotated.picture(Micrograph("a", grey), analyses.analysis("a", grana, columns=700))
    for colour in COLOURS.values():
        assert near(shown, colour).sum() > 100
    assert len(set(annotated._MARKS.values())) == len(COLOURS) == 4
    assert set(annotated._MARKS) == set(COLOURS)


@pytest.mark.parametrize(
    "most, length", [(1.0, 1), (4.9, 2), (5, 5), (99, 50), (1234, 1000), (0.3, 0.2)]
)
def test_round_lengths(most, length):
    assert annotated.round_length(most) == pytest.approx(length)


def test_a_scale_bar_is_as_long_as_it_says():
    shown = Image.new("RGB", (1000, 700), (90, 90, 90))
    annotated.draw_bar(shown, 0.37)  # 250 px are 676 nm
    row = np.asarray(shown)[:, :, 0]
    longest = max(np.count_nonzero(line == 255) for line in row)
    assert longest == pytest.approx(500 * 0.37, abs=4)


@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (2000, 3)])
def test_odd_micrographs_can_be_drawn(tmp_path, shape):
    micrograph = Micrograph("a", np.zeros(shape, np.float32))
    found = analyses.analysis("a", [analyses.granum(1, 5, 5)], rows=shape[0], columns=shape[1])
    assert annotated.write(tmp_path / "a.jpg", micrograph, found) == []
    assert max(Image.open(tmp_path / "a.jpg").size) <= annotated.MOST_PX
    one = found.grana[0]
    granum_picture.write(tmp_path / "a.png", micrograph, found, one, None)


def test_a_granum_with_period_is_traced_and_another_one_cut_out(tmp_path, monkeypatch):
    asked = []

    def traced(crop, granum, words, px_per_nm):
        asked.append((granum.number, words, px_per_nm))
        return analyses.traced(crop, granum, words, px_per_nm)

    monkeypatch.setattr(granum_picture, "_traced", traced)
    grey = np.random.default_rng(0).integers(0, 255, (400, 500), np.uint8)
    grana = [analyses.granum(1, 100, 100), analyses.granum(2, 300, 200, period_px=None)]
    micrograph, found = Micrograph("a/b.png", grey), analyses.analysis("a/b.png", grana)
    for one, crop in zip(grana, (analyses.stripes(), analyses.stripes()), strict=True):
        path = tmp_path / f"{one.number}.png"
        assert granum_picture.write(path, micrograph, found, one, crop) == []
        assert Image.open(path).info["Software"] == "srd_jax"
    ((number, words, scale),) = asked
    assert (number, scale) == (1, 0.6)
    assert words.splitlines() == [
        "b.png granum 1",
        "SRD 20.00 nm, sd 0.67 nm, 3.1 layers, sd 0.3, ok",
    ]
    width, height = Image.open(tmp_path / "2.png").size
    sides = [2 * math.hypot(40 * a, 20 * b) for a, b in ((0.866, 0.5), (0.5, 0.866))]
    assert width / height == pytest.approx((sides[0] + 16) / (sides[1] + 16), rel=0.05)


def test_a_picture_that_cannot_be_drawn_is_said(tmp_path, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(granum_picture, "picture", broken)
    found = analyses.analysis("a.png", [analyses.granum(7, 5, 5)])
    micrograph = Micrograph("a.png", np.zeros((9, 9)))
    (said,) = granum_picture.write(tmp_path / "x.png", micrograph, found, found.grana[0], None)
    assert said.startswith("a.png: granum 7 couldn't be drawn (an unexpected ZeroDivisionError")
    assert not (tmp_path / "x.png").exists()
