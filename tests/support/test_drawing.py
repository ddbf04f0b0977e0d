import numpy as np

from srd_jax.support.drawing import GAP, font, framed, join, text, title


def test_pictures_are_joined_on_white():
    one, other = np.zeros((4, 6, 3), np.uint8), np.full((2, 3, 3), 9, np.uint8)
    down, right = join([one, other], 0, gap=1), join([one, other], 1)
    assert down.shape == (7, 6, 3)
    assert right.shape == (4, 6 + GAP + 3, 3)
    np.testing.assert_array_equal(down[5:, :3], other)
    assert (down[4] == 255).all()
    assert (down[5:, 3:] == 255).all()
    assert framed(one).shape == (4 + 2 * GAP, 6 + 2 * GAP, 3)
    assert (framed(one) == 0).sum() == one.size


def test_lines_are_broken_between_words_to_the_width():
    line = "a line of many words that is too long for its picture"
    width = int(font(14).getlength("a line of many words"))
    whole, broken = title(f"head\n{line}"), title(f"head\n{line}", width)
    assert whole.shape[1] > width
    assert broken.shape[1] <= width + 2
    assert len(broken) > len(whole)
    # A single long word stays whole.
    assert title("x" * 60, 50).shape[1] > 50
    assert text("x").shape[0] == round(14 * 1.3)
