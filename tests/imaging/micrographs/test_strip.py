import numpy as np
import pytest
from helpers.drawn_bars import draw, texture
from PIL import Image
from scipy import ndimage

from srd_jax.imaging.micrographs.strip import Strips, find_strips, note


@pytest.mark.parametrize("seed", range(24))
def test_drawn_strips_are_found_and_nothing_else(seed):
    drawn = draw(seed, bar=seed % 2 == 0)
    found = find_strips(drawn.grey)
    np.testing.assert_allclose(found, (drawn.above, drawn.below), atol=1.5)


def picture(seed, rows=400, columns=600):
    return texture(np.random.default_rng(seed), rows, columns)


def with_strip(grey, value=255):
    rows = np.full((70, grey.shape[1]), value, grey.dtype)
    rows[20:40, 30:150:3] = value // 4
    return np.concatenate([grey, rows])


@pytest.mark.parametrize("dtype, factor", [("u1", 1), ("u2", 17), ("f4", 0.004), ("i2", 3)])
def test_any_type(dtype, factor):
    grey = (with_strip(picture(0)) * factor).astype(dtype)
    assert find_strips(grey) == (0, 70)
    assert find_strips(grey[::-1]) == (70, 0)
    assert find_strips(grey.T) == (0, 0)


def test_hot_pixels_and_a_line_before_the_picture():
    grey = with_strip(picture(1)).astype(np.uint16) * 4
    grey[5:300:41, 7] = 65535
    assert find_strips(grey) == (0, 70)
    grey[398:400] = 0
    assert find_strips(grey) == (0, 72)


def test_strips_on_both_sides():
    grey = with_strip(with_strip(picture(2))[::-1], 0)
    found = find_strips(grey)
    assert found == (70, 70)
    assert note(found) == (
        "an information strip is cut off (70 rows above and 70 rows below the picture)"
    )
    assert note(Strips(0, 9)) == "an information strip is cut off (9 rows below the picture)"


def test_two_dark_rows_are_no_strip():
    grey = picture(2)
    grey[[250, 398, 399]] = 0
    assert find_strips(grey) == (0, 0)
    assert find_strips(grey[::-1]) == (0, 0)


def _resin(seed):
    """Saturated resin below an uneven edge."""
    grey = picture(seed)
    edge = ndimage.gaussian_filter1d(np.random.default_rng(seed).normal(size=600), 20) * 60
    grey[np.arange(400)[:, None] > 320 + edge] = 255
    return grey


def _tilted(seed):
    grey = picture(seed)
    grey[np.arange(400)[:, None] > 300 + 0.06 * np.arange(600)] = 0
    return grey


def _corner(seed):
    grey = picture(seed)
    grey[300:, 200:] = 128
    return grey


def _dead_rows(seed):
    grey = picture(seed)
    grey[250] = 0
    grey[-2:] = 0
    return grey


PICTURES = {
    "resin": _resin,
    "tilted": _tilted,
    "corner": _corner,
    "dead rows": _dead_rows,
    "blank": lambda seed: np.full((400, 600), 7 * seed, np.uint8),
    "noise": lambda seed: np.random.default_rng(seed).integers(0, 256, (400, 600), np.uint8),
    "two levels": lambda seed: np.where(picture(seed) > 128, 255, 0).astype(np.uint8),
    "few levels": lambda seed: picture(seed) // 64 * 64,
    "gradient": lambda seed: np.repeat(np.arange(400)[:, None] // 2, 600, 1).astype(np.uint8),
    "stripes": lambda seed: np.repeat(np.arange(400)[:, None] // 8 % 2, 600, 1) * 255.0,
    "steps": lambda seed: np.repeat(np.arange(400)[:, None] // 80 * 60, 600, 1).astype(np.uint8),
    "dark half": lambda seed: np.concatenate([picture(seed)[:200], picture(seed)[200:] // 50]),
    "tiny": lambda seed: picture(seed)[:3, :5],
    "one": lambda seed: picture(seed)[:1, :1],
    "narrow": lambda seed: picture(seed)[:, :9],
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_not_cut(name):
    for seed in range(4):
        grey = PICTURES[name](seed)
        assert find_strips(grey) == (0, 0), seed


def test_a_strip_after_a_jpeg_and_resizing(tmp_path):
    for seed, quality in ((0, 60), (1, 75), (3, 90)):
        image = Image.fromarray(with_strip(picture(seed)))
        image.save(tmp_path / "a.jpg", quality=quality)
        small = Image.open(tmp_path / "a.jpg").resize((420, 329))
        assert find_strips(np.asarray(Image.open(tmp_path / "a.jpg"))).below == pytest.approx(
            70, abs=2
        )
        assert find_strips(np.asarray(small)).below == pytest.approx(49, abs=2)
