"""Backgrounds painted blue, as files have them, and pictures that are blue themselves."""

import io

import numpy as np
import pytest
from helpers.crops import ellipse, stripes
from helpers.image_files import some_mask, with_blue
from matplotlib import colormaps
from PIL import Image

from srd_jax.imaging.picture import blue_background

SHAPE = (240, 220)
INSIDE = np.zeros(SHAPE, bool)
INSIDE[20:220, 20:200] = ellipse((200, 180))
TINTS = {"grey": (1, 1, 1), "cool": (0.8, 0.9, 1), "sepia": (1, 0.9, 0.7), "dark": (0.1, 0.1, 0.1)}


def tinted(tint):
    return stripes(0, SHAPE)[..., None] * np.array(tint)


def painted(tint=(1, 1, 1), blue=(0, 0, 255)):
    return np.where(INSIDE[..., None], tinted(tint), blue).astype(np.uint8)


def through_jpeg(rgb, quality):
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def overlap(outside, inside=INSIDE):
    return np.count_nonzero(~outside & inside) / np.count_nonzero(~outside | inside)


def test_pure_blue_is_outside_exactly():
    grey = np.random.default_rng(0).integers(0, 256, (24, 36), np.uint8)
    mask = some_mask()
    for depth, dtype in ((255, np.uint8), (65535, np.uint16), (1, np.float32)):
        values = (grey / 255 * depth).astype(dtype)
        found = blue_background(with_blue(values, mask, depth), depth)
        np.testing.assert_array_equal(found, ~mask)
    assert not blue_background(np.repeat(grey[..., None], 3, axis=-1), 255).any()
    assert blue_background(np.full((5, 6, 3), (0, 0, 255), np.uint8), 255).all()


@pytest.mark.parametrize("tint", TINTS)
@pytest.mark.parametrize(
    "blue", [(0, 0, 254), (1, 0, 255), (10, 24, 245), (30, 40, 240), (86, 35, 236), (46, 49, 146)]
)
def test_a_blue_that_is_not_exact_is_outside(tint, blue):
    rgb = painted(TINTS[tint], blue)
    np.testing.assert_array_equal(blue_background(rgb, 255), ~INSIDE)
    assert overlap(blue_background(through_jpeg(rgb, 90), 255)) > 0.98


@pytest.mark.parametrize("quality", [95, 75, 30])
def test_blue_comes_through_a_jpeg(quality):
    assert overlap(blue_background(through_jpeg(painted(), quality), 255)) > 0.98


def test_blue_comes_through_resizing_and_a_palette():
    picture = Image.fromarray(painted())
    doubled = np.asarray(picture.resize((2 * SHAPE[1], 2 * SHAPE[0]), Image.Resampling.BICUBIC))
    assert overlap(blue_background(doubled, 255), INSIDE.repeat(2, 0).repeat(2, 1)) > 0.98
    quantised = np.asarray(picture.quantize(64).convert("RGB"))
    assert overlap(blue_background(quantised, 255)) > 0.98


@pytest.mark.parametrize("saturated", [0, 10, 30])
@pytest.mark.parametrize(
    "colours",
    ["blue", "viridis", "plasma", "jet", "turbo", "hsv", "cool", "winter", "Blues", "seismic"],
)
def test_a_picture_that_is_blue_or_colourful_itself_is_not_cut(colours, saturated):
    grey = stripes(0, SHAPE, period=22).astype(float)
    low, high = np.percentile(grey, [saturated, 100 - saturated])
    grey = np.clip((grey - low) / (high - low), 0, 1)
    if colours == "blue":
        rgb = grey[..., None] * np.array([0, 0, 1])
    else:
        rgb = colormaps[colours](grey)[..., :3]
    for levels in (256, 8):
        some = (np.floor(rgb * (levels - 1e-6)) / (levels - 1) * 255).astype(np.uint8)
        assert not blue_background(some, 255).any()
    assert not blue_background(through_jpeg((rgb * 255).astype(np.uint8), 90), 255).any()


@pytest.mark.parametrize("tint", [(0.8, 0.9, 1), (0.5, 0.5, 1), (0.2, 0.3, 1), (0, 0.5, 1)])
def test_a_tinted_picture_is_not_cut(tint):
    assert not blue_background(tinted(tint).astype(np.uint8), 255).any()


def test_a_colour_map_with_pure_blue_around_is_cut():
    rgb = (colormaps["viridis"](stripes(0, SHAPE))[..., :3] * 255).astype(np.uint8)
    rgb[~INSIDE] = (0, 0, 255)
    np.testing.assert_array_equal(blue_background(rgb, 255), ~INSIDE)
