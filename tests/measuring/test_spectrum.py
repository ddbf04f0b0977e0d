import pytest
from helpers.lamellae import everywhere, lamellae

from srd_jax.measuring.spectrum import fft


def test_a_second_harmonic_above_the_first_in_the_spectrum():
    image = lamellae(24.0, second=0.9)
    assert fft(image, everywhere(image)).period_px == pytest.approx(24.0, rel=0.02)
