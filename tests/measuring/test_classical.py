import numpy as np
import pytest
from helpers.crops import ellipse, stripes
from helpers.lamellae import everywhere, lamellae

from srd_jax.measuring.autocorrelation import autocorrelation
from srd_jax.measuring.spectrum import fft
from srd_jax.support.errors import InputError

BOTH = pytest.mark.parametrize("measure", [fft, autocorrelation])


@BOTH
@pytest.mark.parametrize("period", [7.3, 12.6, 20.4, 35.7, 52.1])
def test_horizontal_lamellae(measure, period):
    image = lamellae(period)
    found = measure(image, everywhere(image))
    assert found.period_px == pytest.approx(period, rel=0.015)
    assert 0.5 < found.quality <= 1


@BOTH
@pytest.mark.parametrize("structure", [{"second": 0.6}, {"alternate": 0.4}])
def test_neither_half_nor_double(measure, structure):
    image = lamellae(24.0, **structure)
    assert measure(image, everywhere(image)).period_px == pytest.approx(24.0, rel=0.02)


@BOTH
def test_the_mask_hides_what_is_outside(measure):
    image = lamellae(17.0)
    mask = ellipse(image.shape)
    inside = measure(image, mask)
    assert inside.period_px == pytest.approx(17.0, rel=0.02)
    other = np.where(mask, image, lamellae(41.0, seed=1))
    assert measure(other, mask) == inside
    assert measure(np.where(mask, image, np.nan), mask) == inside
    assert measure(np.pad(image, 9), np.pad(mask, 9)) == inside


@BOTH
def test_contrast_brightness_and_flips_do_not_matter(measure):
    image = lamellae(21.0, slope=0.05)
    mask = ellipse(image.shape)
    expected = measure(image, mask)
    for same in (0.1 + 0.3 * image, 1 - image, image[::-1], image[:, ::-1]):
        found = measure(same, mask)
        assert found.period_px == pytest.approx(expected.period_px, rel=5e-3)
        assert found.quality == pytest.approx(expected.quality, abs=0.03)


@BOTH
def test_quality_tells_lamellae_from_noise(measure):
    noise = np.random.default_rng(5).random((200, 250))
    assert measure(noise, everywhere(noise)).quality < 0.45
    qualities = [
        measure(image, everywhere(image)).quality
        for image in (lamellae(20.0, noise=sd) for sd in (0.0, 0.15, 0.3))
    ]
    assert sorted(qualities, reverse=True) == qualities
    assert qualities[0] > 0.9


@BOTH
def test_narrow_crops(measure):
    image = lamellae(16.0, noise=0.02, shape=(120, 5))
    assert measure(image, everywhere(image)).period_px == pytest.approx(16.0, rel=0.03)


@BOTH
@pytest.mark.parametrize(
    ("image", "mask", "message"),
    [
        (np.full((40, 50), 0.2), np.ones((40, 50)), "every pixel of the granum has the grey value"),
        (stripes(0), np.zeros((120, 150)), "nothing is inside of the mask"),
        (stripes(0), np.ones((120, 149)), "image of shape (120, 150) with a mask of shape"),
        (np.full((40, 50), np.nan), np.ones((40, 50)), "grey values of the granum aren't finite"),
        (stripes(0)[:11], np.ones((11, 150)), "the granum is 11 px high"),
        (stripes(0)[:, :1], np.ones((120, 1)), "a granum of 120 x 1 px (rows x columns)"),
    ],
)
def test_what_cannot_be_measured(measure, image, mask, message):
    with pytest.raises(InputError) as caught:
        measure(image, mask)
    assert str(caught.value).startswith(message)
    assert "accepted" in str(caught.value)
    assert "\n" not in str(caught.value)


@BOTH
@pytest.mark.parametrize(
    "image",
    [np.linspace(0, 1, 60)[:, None] ** 2 + np.zeros(80), np.zeros((60, 1)) + np.arange(80) % 9 / 9],
    ids=["a ramp", "upright stripes"],
)
def test_what_does_not_repeat_from_row_to_row_is_refused(measure, image):
    with pytest.raises(InputError, match="nothing repeats; accepted are lamellae with a period"):
        measure(image, everywhere(image))
