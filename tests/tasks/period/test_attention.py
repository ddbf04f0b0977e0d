import itertools

import numpy as np
import pytest
from PIL import Image

from srd_jax.measuring.overlays import head_colours
from srd_jax.networks.receptive_field import Geometry
from srd_jax.support.errors import InputError
from srd_jax.tasks.period.attention import attention_figure, title, write_figure
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
