import itertools

import numpy as np
import pytest
from PIL import Image

from srd_jax.networks.receptive_field import Geometry
from srd_jax.support.errors import InputError
from srd_jax.tasks.period.attention import (
    attention_figure,
    head_colours,
    spread,
    superimpose,
    title,
    write_figure,
)
from srd_jax.tasks.period.config import ModelConfig

SMALL = Geometry(receptive_field=(20, 8), stride=(16, 2))


def attention_of(pools, heads, grid):
    weights = np.random.default_rng(3).random((pools, heads, *grid)) ** 4
    return weights / weights.sum(axis=(-2, -1), keepdims=True)


def spread_by_hand(weights, geometry):
    """Attention a pixel, each position's weight laid evenly over what it sees."""
    (height, width), (down, right) = geometry.receptive_field, geometry.stride
    rows, columns = weights.shape
    laid = np.zeros(((rows - 1) * down + height, (columns - 1) * right + width))
    for row, column in itertools.product(range(rows), range(columns)):
        part = np.s_[row * down : row * down + height, column * right : column * right + width]
        laid[part] += weights[row, column] / (height * width)
    return laid


def drawn(heads, pools=2, text="a.png\nperiod"):
    attention = attention_of(pools, heads, (3, 9))
    image = np.random.default_rng(4).random((52, 24))
    return attention, attention_figure(image, attention, SMALL, text)


def pictures(figure):
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes]


@pytest.mark.parametrize("heads", [1, 2, 4, 8])
def test_each_head_stands_alone_in_its_colour_before_all_and_the_image(heads):
    attention, figure = drawn(heads)
    *panels, scale = pictures(figure)
    count = heads + 1 + (heads > 1)
    assert len(panels) == 2 * count
    colours = head_colours(heads)
    for pool in range(2):
        own = panels[pool * count : (pool + 1) * count]
        lights = []
        for head in range(heads):
            laid = spread_by_hand(attention[pool, head], SMALL)
            lights.append(np.sqrt(laid / laid.max())[..., None] * colours[head])
            np.testing.assert_allclose(own[head] / 255, lights[-1], atol=0.003)
        if heads > 1:
            np.testing.assert_allclose(own[-2] / 255, np.sum(lights, 0).clip(0, 1), atol=0.003)
        assert (np.ptp(own[-1].astype(int), axis=-1) < 60).any()  # grey of the image shows
    assert scale.shape == (heads, 256, 3)
    np.testing.assert_array_equal(scale[:, -1], np.rint(255 * colours))
    labels = [text.get_text() for text in figure.texts]
    for label in ("attention for the period", "attention for the sd", "head 1", "on the image"):
        assert label in labels
    assert labels.count("all heads") == (2 if heads > 1 else 0)


@pytest.mark.parametrize("heads", [1, 2, 4, 8])
def test_parts_of_the_figure_neither_overlap_nor_leave_it(heads):
    _, figure = drawn(heads, text="a.png\nfirst line\nsecond line")
    figure.canvas.draw()
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    boxes += [text.get_window_extent() for text in figure.texts]
    for box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0
        assert box.x1 <= figure.bbox.width and box.y1 <= figure.bbox.height
    for one, other in itertools.combinations(boxes, 2):
        across = min(one.x1, other.x1) - max(one.x0, other.x0)
        down = min(one.y1, other.y1) - max(one.y0, other.y0)
        assert min(across, down) <= 1  # px of 300 an inch


def test_the_white_frame_is_as_large_as_a_receptive_field():
    geometry = ModelConfig().geometry
    figure = attention_figure(np.zeros((476, 476)), attention_of(1, 2, (5, 220)), geometry, "t")
    framed = [axes for axes in figure.axes if axes.patches]
    assert framed == figure.axes[:1]
    (box,) = framed[0].patches
    assert (box.get_height(), box.get_width()) == (220, 38)
    assert box.get_y() + box.get_height() <= 476
    assert any("220 × 38 px of the frame" in text.get_text() for text in figure.texts)


def test_the_scale_says_which_share_of_the_maximum_has_which_brightness():
    _, figure = drawn(2)
    scale = figure.axes[-1]
    stripe = pictures(figure)[-1][0, :, 0]
    shown = {label.get_text(): label.get_position()[0] for label in scale.get_xticklabels()}
    assert set(shown) == {"0", "1", "10", "25", "50", "100"}
    for percent, x in shown.items():
        assert abs(stripe[round(255 * x)] / 255 - np.sqrt(int(percent) / 100)) < 0.004


def test_a_name_with_dollars_is_no_formula():
    _, figure = drawn(1, pools=1, text="a$_1$.png")
    assert figure.texts[0].get_text() == "a$_1$.png"
    assert not figure.texts[0].get_parse_math()
    assert figure.texts[0].get_weight() == "bold"


def test_a_title_tells_the_periods_in_both_units():
    assert title("a.png", 60.0, 3.0, 63.0, 3.0) == (
        "a.png\n"
        "true period 63.00 px, predicted 60.00 px, sd 3.00 px of the frame\n"
        "true period 21.00 px, predicted 20.00 px, sd 1.00 px of the crop"
    )
    assert title("image 3", 60.0, true=63.0) == (
        "image 3\ntrue period 63.00 px, predicted 60.00 px of the frame"
    )


def test_figures_are_written_for_screen_and_page(tmp_path):
    _, figure = drawn(2)
    write_figure(tmp_path / "new" / "a.b.png", figure)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.b.pdf", "a.b.png"]
    with Image.open(tmp_path / "new" / "a.b.png") as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert picture.width == pytest.approx(300 * figure.get_figwidth(), abs=1)
    first = (tmp_path / "new" / "a.b.pdf").read_bytes()
    assert first.startswith(b"%PDF")
    assert b"/Type3" not in first
    write_figure(tmp_path / "b.png", figure)
    assert (tmp_path / "b.pdf").read_bytes() == first


def test_figures_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_figure(tmp_path / "file" / "a.png", drawn(1)[1])


def test_what_is_no_attention_of_the_frame_is_refused():
    attention = attention_of(2, 2, (3, 9))
    with pytest.raises(ValueError, match=r"image has shape \(52, 26\), but attention \(52, 24\)"):
        attention_figure(np.zeros((52, 26)), attention, SMALL, "t")
    attention[1, 1, 2, 3] = np.nan
    with pytest.raises(InputError, match="attention: has values"):
        attention_figure(np.zeros((52, 24)), attention, SMALL, "t")


@pytest.mark.parametrize(
    ("grid", "receptive_field", "stride"),
    [((5, 220), (220, 38), (64, 2)), ((3, 4), (7, 3), (2, 5)), ((1, 1), (6, 9), (64, 2))],
)
def test_spread_equals_adding_one_rectangle_a_position(grid, receptive_field, stride):
    (attention,) = attention_of(1, 2, grid)
    height, width = receptive_field
    shape = [(n - 1) * s + f for n, s, f in zip(grid, stride, receptive_field, strict=True)]
    expected = np.zeros((2, *shape))
    for row in range(grid[0]):
        for column in range(grid[1]):
            top, left = row * stride[0], column * stride[1]
            share = attention[:, row, column, None, None] / (height * width)
            expected[:, top : top + height, left : left + width] += share
    found = spread(attention, receptive_field, stride)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=0)
    np.testing.assert_allclose(found.sum(axis=(1, 2), dtype=float), 1.0, rtol=1e-6)


def test_spread_keeps_leading_axes():
    attention = attention_of(2, 3, (5, 4))
    found = spread(attention, (220, 38), (64, 2))
    assert found.shape == (2, 3, 476, 44)
    np.testing.assert_array_equal(found[1, 2], spread(attention[1, 2], (220, 38), (64, 2)))


def test_heads_are_red_green_and_then_far_from_each_other():
    colours = head_colours(12)
    np.testing.assert_array_equal(colours[:2], [[1, 0, 0], [0, 1, 0]])
    distances = np.abs(colours[:, None] - colours[None]).max(axis=2) + 9 * np.eye(12)
    assert distances.min() >= 0.5
    np.testing.assert_array_equal(head_colours(3), colours[:3])


def test_attention_of_a_head_shows_in_its_colour_where_it_looks():
    heads = np.zeros((2, 40, 60))
    heads[0, :10, :10] = 1.0
    heads[1, -10:, -10:] = 1.0
    image = np.full((40, 60), 0.5)
    for rgb in (superimpose(heads), superimpose(heads, image)):
        red, green = rgb[5, 5].astype(int), rgb[-5, -5].astype(int)
        assert red[0] > red[1] + 100
        assert green[1] > green[0] + 100
        assert np.ptp(rgb[20, 30]) == 0  # grey where nobody looks
    np.testing.assert_array_equal(superimpose(heads)[20, 30], [0, 0, 0])
    np.testing.assert_array_equal(superimpose(heads, image)[20, 30], [128, 128, 128])


def test_brightness_is_the_root_of_the_share_of_the_heads_own_maximum():
    heads = np.array([[[4.0, 1.0, 0.04]], [[1e-6, 4e-6, 0.0]]])
    rgb = superimpose(heads)
    np.testing.assert_array_equal(rgb[0, :, 0], np.rint(255 * np.array([1.0, 0.5, 0.1])))
    np.testing.assert_array_equal(rgb[0, :, 1], np.rint(255 * np.array([0.5, 1.0, 0.0])))


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e-3])
def test_values_that_are_no_attention_are_refused(value):
    heads = np.ones((2, 4, 5))
    heads[1, 2, 3] = value
    with pytest.raises(InputError, match=r"^attention: has values from .*; it must be finite"):
        superimpose(heads)


def test_a_head_that_looks_nowhere_is_refused():
    with pytest.raises(InputError, match="positive somewhere in every head"):
        superimpose(np.stack([np.ones((4, 5)), np.zeros((4, 5))]))


def test_image_and_attention_of_different_sizes_are_refused():
    with pytest.raises(ValueError, match=r"image has shape \(4, 6\), but attention \(4, 5\)"):
        superimpose(np.ones((2, 4, 5)), np.ones((4, 6)))


def test_where_many_heads_add_up_on_a_light_image_no_value_wraps_around():
    heads = np.linspace(0, 1, 60).reshape(1, 5, 12) * np.ones((8, 1, 1))
    rgb = superimpose(heads, np.ones((5, 12))).astype(int).reshape(60, 3)
    # All heads look alike, and their colours add up to white: the image stays light.
    assert (head_colours(8).sum(axis=0) >= 1).all()
    assert (rgb >= 100).all()
    np.testing.assert_array_equal(rgb[[0, -1]], 255)


def test_heads_have_the_colours_that_are_asked_for():
    heads = np.random.default_rng(2).random((4, 6, 7)) + 0.1
    alone = superimpose(heads[3:], colours=np.array([[0.0, 0.0, 1.0]]))
    assert not alone[..., :2].any()
    expected = np.rint(255 * np.sqrt(heads[3] / heads[3].max()))
    np.testing.assert_array_equal(alone[..., 2], expected)
