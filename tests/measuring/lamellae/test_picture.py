import numpy as np
import pytest
from helpers.stacks import stack

from srd_jax.measuring.lamellae.picture import LINE, lamellae_picture


def inked(picture, colour=LINE, within=30):
    """Where a picture has about a colour."""
    away = np.abs(np.asarray(picture).astype(int) - colour).max(axis=2)
    return away <= within


def test_the_crop_stands_untouched_beside_its_traced_lamellae():
    grey, mask, _ = stack(10, 20.0, 250, noise=0.05)
    picture = np.asarray(lamellae_picture(grey, mask, 20.0, 0.3, "one\ntwo", None))
    scale, (rows, columns) = 3, grey.shape
    assert picture.shape[1] == 2 * scale * columns + 30
    first = next(
        row for row in range(20, 80) if (picture[row, 10:] != 255).any(axis=1).mean() > 0.9
    )
    plain = picture[first : first + scale * rows, 10 : 10 + scale * columns]
    means = plain.reshape(rows, scale, columns, scale, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(means, np.repeat(255 * grey[..., None], 3, 2), atol=20)
    traced = inked(picture[first : first + scale * rows, 20 + scale * columns :])
    assert np.corrcoef(means[..., 0].ravel(), grey.ravel())[0, 1] > 0.99
    assert not inked(plain).any()
    # Lines in a column are a period apart.
    column = traced[:, -100]
    starts = np.flatnonzero(np.diff(column.astype(int)) > 0)
    assert 9 <= len(starts) <= 11
    np.testing.assert_allclose(np.diff(starts), scale * 20, atol=3)


@pytest.mark.parametrize(("px_per_nm", "bar"), [(1.0, 50), (0.5, 100), (0.013, 5000)])
def test_the_scale_bar_has_a_round_length(px_per_nm, bar):
    grey, mask, _ = stack(8, 20.0, 220, noise=0.05)
    with_bar, without = (
        np.asarray(lamellae_picture(grey, mask, 20.0, 0.3, "c", scale))
        for scale in (px_per_nm, None)
    )
    runs = [np.count_nonzero((row[10:-10] == 0).all(axis=1)) for row in with_bar[-35:]]
    assert max(runs) == round(3 * bar * px_per_nm)  # 240 rows show as 720
    assert not (without[-35:] == 0).all(axis=2).sum(axis=1).max() > 30


def test_lines_are_fainter_and_layers_are_not_numbered_by_a_doubtful_period():
    grey, mask, _ = stack(10, 20.0, 250, noise=0.05)
    sure, doubtful = (lamellae_picture(grey, mask, 20.0, sd, "c", None) for sd in (0.3, 8.0))
    right = np.s_[:-40, 780:]
    assert inked(np.asarray(sure)[right]).sum() > 5000
    assert inked(np.asarray(doubtful)[right]).sum() < 100
    white = [
        (np.asarray(one)[100:-60, 800:1500] == 255).all(axis=2).sum() for one in (sure, doubtful)
    ]
    assert white[0] > 500 > 100 > white[1]


def test_lamellae_that_cannot_be_followed_leave_the_crop_alone():
    grey, mask, _ = stack(10, 20.0, 250, noise=0.05)
    for period in (1.5, np.nan, np.inf, 2000.0):
        picture = lamellae_picture(grey, mask, period, None, "c", 1.0)
        assert not inked(picture).any()
        assert picture.width < 2 * 3 * 250


def test_a_large_crop_and_more_views():
    grey, mask, _ = stack(8, 260.0, 4000, noise=0.05)
    view = np.full((*grey.shape, 3), (0, 0, 255), np.uint8)
    picture = lamellae_picture(grey, mask, 260.0, 3.0, "c", 0.5, [view])
    assert picture.width == 3 * 1400 + 40
    assert inked(picture).any()
    blue = inked(picture, (0, 0, 255), 3)
    assert blue.any(axis=0).sum() == 1400
