import csv

import numpy as np
import pytest
from helpers.crops import ellipse, stripes

from srd_jax.imaging.crop import read_crop
from srd_jax.measuring.autocorrelation import autocorrelation
from srd_jax.measuring.classical import fft
from srd_jax.support.errors import InputError

BOTH = pytest.mark.parametrize("measure", [fft, autocorrelation])


def lamellae(
    period, slope=0.0, bend=0.0, second=0.0, alternate=0.0, noise=0.1, shape=(220, 300), seed=0
):
    """Grey values 0..1 of lamellae whose mean distance perpendicular to them is known.

    Args:
      period: mean distance of adjacent lamellae, px.
      slope: rows per column in the middle.
      bend: by how much the slope at the right edge is greater, that at the left one smaller.
      second, alternate: amplitudes at half of the period and at twice the period, of 1.
      noise: standard deviation, grey values.
    """
    random = np.random.default_rng(seed)
    column = np.linspace(-1, 1, shape[1])
    slopes = slope + bend * column
    # Vertical spacing is the same in all columns, the perpendicular one is less by the cosine.
    vertical = period / np.cos(np.arctan(slopes)).mean()
    shift = np.cumsum(slopes)
    phase = 2 * np.pi * ((np.arange(shape[0])[:, None] - shift) / vertical + random.random())
    wave = np.cos(phase) + second * np.cos(2 * phase) + alternate * np.cos(phase / 2)
    background = 0.1 * np.linspace(-1, 1, shape[0])[:, None] ** 2 + 0.05 * column
    return np.clip(0.5 + 0.15 * wave + background + random.normal(0, noise, shape), 0, 1)


def everywhere(image):
    return np.ones(image.shape, bool)


@BOTH
@pytest.mark.parametrize("period", [7.3, 12.6, 20.4, 35.7, 52.1])
def test_horizontal_lamellae(measure, period):
    image = lamellae(period)
    found = measure(image, everywhere(image))
    assert found.period_px == pytest.approx(period, rel=0.015)
    assert 0.5 < found.quality <= 1


@pytest.mark.parametrize("slope", [-0.25, 0.1, 0.25])
@pytest.mark.parametrize("bend", [0.0, 0.2])
def test_autocorrelation_follows_lamellae_and_measures_across_them(slope, bend):
    image = lamellae(18.0, slope, bend, noise=0.15)
    found = autocorrelation(image, everywhere(image))
    assert found.period_px == pytest.approx(18.0, rel=0.01)
    assert found.quality > 0.45


def test_autocorrelation_of_lamellae_with_a_step():
    image = lamellae(18.0)
    image[:, 150:] = np.roll(image[:, 150:], 9, axis=0)
    found = autocorrelation(image, everywhere(image))
    assert found.period_px == pytest.approx(18.0, rel=0.01)


@BOTH
@pytest.mark.parametrize("structure", [{"second": 0.6}, {"alternate": 0.4}])
def test_neither_half_nor_double(measure, structure):
    image = lamellae(24.0, **structure)
    assert measure(image, everywhere(image)).period_px == pytest.approx(24.0, rel=0.02)


def test_a_second_harmonic_above_the_first_in_the_spectrum():
    image = lamellae(24.0, second=0.9)
    assert fft(image, everywhere(image)).period_px == pytest.approx(24.0, rel=0.02)


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


def test_real_crops(reference_dir):
    folder = reference_dir / "real_grana"
    with (folder / "annotations.csv").open(newline="") as file:
        known = {row["granum_image"]: float(row["period_px"]) for row in csv.DictReader(file)}
    # Nothing repeats visibly in the crop that is left out.
    for name, period in known.items():
        if name != "granum_val_050.png":
            crop = read_crop(folder / name)
            found = autocorrelation(crop.image, crop.mask).period_px
            assert found == pytest.approx(period, rel=0.03), name
