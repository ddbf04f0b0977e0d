import numpy as np
import pytest
from helpers.drawn_bars import KINDS, draw, texture
from PIL import Image, ImageDraw

from srd_jax.imaging.micrographs.scale_bar import find_bars, measure_bar
from srd_jax.imaging.micrographs.strip import find_strips
from srd_jax.support.errors import InputError


def length(grey):
    """The length that is found, 0 for none, -1 for several."""
    above, below = find_strips(grey)
    last = len(grey) - below
    try:
        strips = [part for part in (grey[:above], grey[last:]) if len(part)]
        bar = measure_bar(grey[above:last], strips)
    except InputError as error:
        assert "accepted" in str(error)
        return -1.0
    return 0.0 if bar is None else bar.length


def test_drawn_bars_are_measured():
    drawn = [draw(seed) for seed in range(60)]
    assert {one.kind.rsplit(" ", 2)[0] for one in drawn} == set(KINDS)
    found = np.array([length(one.grey) for one in drawn])
    true = np.array([one.length for one in drawn])
    right = np.abs(found - true) <= np.maximum(1, 0.005 * true)
    # Of 120, one on a ground of its own colour is refused, and two blurred ones are off by 1.4 px.
    assert right.mean() >= 0.97
    wrong = ~right & (found > 0)
    assert (np.abs(found - true)[wrong] <= 0.02 * true[wrong]).all()


def test_pictures_without_a_bar_have_none():
    found = [length(draw(seed, bar=False).grey) for seed in range(120)]
    assert not any(found)


def canvas(seed=0, value=None, shape=(500, 700)):
    random = np.random.default_rng(seed)
    grey = texture(random, *shape) // 4 + 96 if value is None else np.full(shape, value, np.uint8)
    image = Image.fromarray(grey)
    return image, ImageDraw.Draw(image)


@pytest.mark.parametrize("dtype, factor", [("u2", 257), ("u2", 13), ("f4", 1e-3), ("i2", 7)])
def test_any_type(dtype, factor):
    image, pen = canvas()
    pen.rectangle([440, 450, 639, 457], 255)
    assert length((np.asarray(image).astype(float) * factor).astype(dtype)) == pytest.approx(
        200, abs=0.6
    )


def test_parts_of_pixels_at_the_ends():
    image, pen = canvas(value=150, shape=(2000, 2800))
    random = np.random.default_rng(0)
    for _ in range(10):
        left, wide = random.integers(100, 900), random.integers(600, 1300)
        image, pen = canvas(value=150, shape=(2000, 2800))
        pen.rectangle([left, 1500, left + wide - 1, 1560], 0)
        small = image.resize((700, 500), Image.Resampling.BOX)
        assert length(np.asarray(small)) == pytest.approx(wide / 4, abs=0.05)


def test_several_bars_are_refused():
    image, pen = canvas()
    pen.rectangle([440, 450, 639, 457], 255)
    pen.rectangle([40, 450, 139, 457], 255)
    grey = np.asarray(image)
    with pytest.raises(
        InputError, match=r"has 2 scale bars \(100\S* px .*200\S* px .*; accepted is one"
    ):
        measure_bar(grey)
    # That of a strip counts.
    strip = np.full((60, 700), 255, np.uint8)
    strip[20:28, 300:420] = 0
    found = measure_bar(grey, [strip])
    assert found is not None
    assert found.length == 120


@pytest.mark.parametrize("value", [0, 90, 255])
def test_a_blank_picture_has_none(value):
    grey = np.full((300, 400), value, np.uint8)
    assert find_bars(grey) == []
    assert find_bars(grey[:1, :1]) == []
    grey[100, 50] = 17
    assert find_bars(grey) == []


def test_pictures_of_two_levels_take_no_longer_and_have_none():
    random = np.random.default_rng(0)
    grey = np.repeat(random.integers(0, 2, (500, 40)), 40, axis=1).astype(np.uint8) * 255
    assert length(grey) in (0.0, -1.0)
    grey = np.repeat(np.arange(400)[:, None] // 8 % 2 * 255, 600, 1).astype(np.uint8)
    assert length(grey) == 0


def test_level_lamellae_and_frames_are_no_bars():
    image, pen = canvas()
    pen.rectangle([0, 0, 699, 499], None, 255)
    pen.rectangle([3, 3, 696, 496], None, 0, 2)
    pen.rectangle([100, 100, 300, 180], None, 255, 2)
    pen.line([(0, 300), (699, 300)], 0, 3)
    assert length(np.asarray(image)) == 0


def test_a_segment_that_a_jpeg_spoilt_is_not_left_out():
    image, pen = canvas(value=128)
    image.paste(Image.fromarray(texture(np.random.default_rng(0), 500, 700) // 4 + 96))
    for index in range(5):
        left = 300 + 40 * index
        pen.rectangle([left, 440, left + 39, 449], 0 if index % 2 == 0 else 255)
    whole = np.array(image)
    assert length(whole) == pytest.approx(200, abs=1)
    # Uneven within, so that it is no segment of one value.
    for spoilt in (0, 4):
        grey = whole.copy()
        grey[440:450, 300 + 40 * spoilt + 5 : 300 + 40 * spoilt + 35 : 7] = 125
        assert length(grey) <= 0
