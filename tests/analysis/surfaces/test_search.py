import numpy as np
import pytest
from helpers.cubic_membranes import NM_PER_PX, region, rendered, stripes

from srd_jax.analysis.surfaces.axes import apart
from srd_jax.analysis.surfaces.framing import SIZE, frame
from srd_jax.analysis.surfaces.search import search
from srd_jax.analysis.surfaces.shifts import Hypothesis, with_shifts
from srd_jax.analysis.surfaces.spectrum import find_lattice, strongest


@pytest.mark.hurry
def test_the_search_finds_a_rendered_diamond():
    grey, rotation = rendered("D")
    framed = frame(region(grey, 0.7))
    best = search(framed, 3, ("D",))[0]
    assert best.score > 0.7
    np.testing.assert_allclose(best.cell / framed.scale * NM_PER_PX, 78, rtol=0.03)
    assert apart(best.rotation, rotation, "D") < np.radians(5)


@pytest.mark.hurry
def test_a_hypothesis_gets_the_shift_that_fits():
    # The gyroid's c and -c look different for one rotation.
    grey, rotation = rendered("G")
    framed = frame(region(grey, 0.3))
    cell = 78 / NM_PER_PX * framed.scale
    found = with_shifts(framed, [Hypothesis("G", rotation, cell, 0.3)], 1)
    assert found[0].score > 0.85


def test_the_spectrum_finds_spacing_and_place():
    rng = np.random.default_rng(0)
    grey = rng.normal(size=(150, 420))
    y, x = np.mgrid[:150, :420]
    lattice = np.cos(2 * np.pi * x / 13) + np.cos(2 * np.pi * (0.5 * x + 0.866 * y) / 13)
    grey[:, 300:] += lattice[:, 300:]
    found = find_lattice(grey, np.ones(grey.shape, bool))
    assert found.clearness > 20
    assert found.centre[1] > 280
    np.testing.assert_allclose(found.spacing, 13, rtol=0.03)


def test_noise_is_unclear_and_stripes_less_clear_than_a_lattice():
    inside = np.ones((96, 96), bool)
    noise = np.random.default_rng(1).normal(size=(96, 96))
    lattice = stripes() + stripes().T[:, ::-1]
    clear = [strongest(one + noise, inside)[1] for one in (0 * noise, stripes(), lattice)]
    assert clear[0] < 15 < clear[1] < 0.7 * clear[2]


def test_the_frame_resamples_a_region_around_its_middle():
    y, x = np.mgrid[:96, :96]
    wave = np.cos(2 * np.pi * x / 24) + np.cos(2 * np.pi * y / 24)
    framed = frame(region(wave))
    assert framed.scale == pytest.approx(0.5, rel=0.05)
    at = (np.arange(SIZE) - (SIZE - 1) / 2) / framed.scale + 47.5
    expected = np.cos(2 * np.pi * at[None, :] / 24) + np.cos(2 * np.pi * at[:, None] / 24)
    inner = np.s_[32:64, 32:64]
    found = (framed.grey[inner] - 128) / 20
    assert np.corrcoef(found.ravel(), expected[inner].ravel())[0, 1] > 0.999
    assert framed.mask.sum() == pytest.approx((96 * framed.scale) ** 2, rel=0.06)
