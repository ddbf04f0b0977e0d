import numpy as np
import pytest

from srd_jax.imaging.micrographs.grey import to_grey
from srd_jax.imaging.picture import Picture
from srd_jax.support.errors import InputError


def values(dtype, high, channels=1):
    return np.random.default_rng(0).integers(0, high, (30, 40, channels)).astype(dtype)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i1", "i2", "i4", "u4", "f4"])
def test_one_channel_keeps_its_type(dtype):
    samples = values(dtype, 120)
    grey, notes = to_grey(Picture(samples, None, None))
    assert np.shares_memory(grey, samples)
    assert (grey.dtype, notes) == (samples.dtype, ())


def test_colours_become_their_luma_and_equal_channels_keep_their_value():
    samples = values("u2", 65536, 3)
    samples[:15, :, 1:] = samples[:15, :, :1]
    grey, _ = to_grey(Picture(samples, None, None))
    assert grey.dtype == np.uint16
    np.testing.assert_array_equal(grey[:15], samples[:15, :, 0])
    luma = samples[15:].astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey[15:] - luma).max() < 0.51


@pytest.mark.parametrize(
    "dtype, full, expected",
    [
        ("u1", 255.0, lambda v: 255 - v),
        ("u2", None, lambda v: 65535 - v),
        ("i2", None, lambda v: -1 - v),
        ("f4", None, lambda v: -v),
    ],
)
def test_white_is_zero(dtype, full, expected):
    samples = values(dtype, 200)
    grey, _ = to_grey(Picture(samples, None, full, inverted=True))
    np.testing.assert_array_equal(grey, expected(samples[..., 0]))


def test_wide_types_become_narrow_ones():
    assert to_grey(Picture(values("f8", 9), None, None))[0].dtype == np.float32
    assert to_grey(Picture(values("?", 2), None, None))[0].dtype == np.uint8
    large = values("i8", 1000) + 2**60
    grey, _ = to_grey(Picture(large, None, None))
    np.testing.assert_array_equal(grey, (large - large.min())[..., 0])


def test_transparent_pixels_and_those_that_are_not_finite_are_blank():
    samples = values("f4", 200)
    samples[:3, 5, 0] = np.nan, np.inf, -np.inf
    grey, notes = to_grey(Picture(samples, None, None))
    assert np.isfinite(grey).all()
    assert grey[0, 5] == pytest.approx(np.median(samples[np.isfinite(samples)]), abs=1)
    assert notes == ("3 of 1200 pixels are NaN or infinite and taken as blank",)
    alpha = np.full((30, 40), 255, np.uint8)
    alpha[:10] = 0
    grey, notes = to_grey(Picture(values("u1", 200), alpha, 255.0))
    assert len(np.unique(grey[:10])) == 1
    assert notes == ("transparent pixels are taken as blank",)
    with pytest.raises(InputError, match="no pixel is opaque and finite"):
        to_grey(Picture(np.full((5, 5, 1), np.nan), None, None))
