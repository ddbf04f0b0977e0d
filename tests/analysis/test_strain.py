import json

import numpy as np
import pytest
from scipy import stats

from srd_jax.analysis import strain


def section(amount, axis, count=24, scatter=0.02, sd=0.01, seed=0):
    """Periods, sds and directions of the grana of a section with a strain."""
    random = np.random.default_rng(seed)
    direction = random.uniform(0, 180, count)
    log = np.log(20) + random.normal(0, scatter, count) + random.normal(0, sd, count)
    log += np.log1p(amount * np.cos(2 * np.deg2rad(direction - axis)))
    return np.exp(log), np.full(count, sd * 20), direction


@pytest.mark.parametrize("axis", [0.0, 70.0, 160.0])
@pytest.mark.parametrize("amount", [0.05, 0.11])
def test_a_known_strain_is_found(amount, axis):
    away = []
    for seed in range(20):
        found = strain.fit(*section(amount, axis, seed=seed))
        assert found is not None and found.probability < strain.SIGNIFICANT
        off = (found.axis_deg.value - axis + 90) % 180 - 90
        away.append(
            (abs(found.amount.value - amount) / found.amount.sd, abs(off) / found.axis_deg.sd)
        )
    # Within one sd in about 68 %, within three nearly always.
    shares = np.mean(np.array(away) < 1, axis=0)
    assert np.all((shares > 0.4) & (shares < 0.95))
    assert np.max(away) < 4


@pytest.mark.parametrize("count", [7, 20])
@pytest.mark.parametrize("sds", [[0.01], [0.005, 0.01, 0.06]])
def test_without_a_strain_few_are_significant(count, sds):
    random = np.random.default_rng(0)
    significant, fits = 0, 300
    for _ in range(fits):
        sd = random.choice(sds, count)
        log = random.standard_t(4, count) * 0.02 + random.normal(0, sd)
        found = strain.fit(np.exp(log), sd * np.exp(log), random.uniform(0, 180, count))
        significant += found is not None and found.probability < strain.SIGNIFICANT
    # As many or more happen in one of 2000 cases.
    assert significant <= stats.binom.ppf(0.9995, fits, strain.SIGNIFICANT)


def test_the_probability_is_even_without_a_strain():
    found = [strain.fit(*section(0.0, 0.0, count=12, seed=seed)) for seed in range(200)]
    assert stats.kstest([one.probability for one in found], "uniform").pvalue > 0.001


@pytest.mark.parametrize("squeeze", [0.8, 0.9, 0.6])
def test_planes_under_a_strain_come_apart_as_the_factor_says(squeeze):
    # Parallel lines n · x = k p become n · F⁻¹ x' = k p: their distance is p / |F⁻ᵀ n|.
    axis = np.deg2rad(25.0)
    along = np.array([np.cos(axis), np.sin(axis)])
    across = np.array([-along[1], along[0]])
    strained = squeeze * np.outer(along, along) + np.outer(across, across) / squeeze
    turns = np.deg2rad(np.linspace(0, 180, 30, endpoint=False))
    normals = np.stack([np.cos(turns), np.sin(turns)])
    after = np.linalg.inv(strained).T @ normals
    period = 20 / np.hypot(*after)
    # Lamellae run across their normals; here y runs upwards.
    direction = np.rad2deg(np.arctan2(after[1], after[0])) + 90
    found = strain.fit(period, np.full(30, 1e-4), direction % 180)
    assert found.amount.value == pytest.approx((1 - squeeze**2) / (1 + squeeze**2), rel=1e-3)
    # Longest across the squeeze: where normals lie across it, lamellae run along it.
    assert abs((found.axis_deg.value - 25 + 90) % 180 - 90) < 0.1
    for one, angle in zip(period, direction, strict=True):
        assert one / found.factor(angle) == pytest.approx(20, rel=1e-3)
    assert found.probability < 1e-3


def test_one_odd_granum_makes_no_strain():
    period, sd, direction = section(0.0, 0.0, seed=3)
    period[0] *= 1.5
    found = strain.fit(period, sd, direction)
    assert found is not None and found.probability > strain.SIGNIFICANT


def test_few_grana_or_one_direction_tell_nothing():
    period, sd, direction = section(0.1, 30.0)
    assert strain.fit(period[:5], sd[:5], direction[:5]) is None
    assert strain.fit(period, sd, 40 + direction / 100) is None


def test_the_factor_is_the_period_over_the_one_before():
    found = strain.fit(*section(0.11, 70.0, scatter=0.001, sd=0.001))
    assert found is not None
    # The section's area is preserved.
    assert found.factor(70.0) * found.factor(160.0) == pytest.approx(1, rel=1e-6)
    assert found.factor(70.0) / found.factor(160.0) == pytest.approx(1.11 / 0.89, rel=0.01)


def test_the_periods_of_a_real_field_show_its_strain(reference_dir):
    path = reference_dir / "micrographs" / "chloroplast_1.json"
    grana = [
        one
        for one in json.loads(path.read_text(encoding="utf-8"))["grana"]
        if one["certainty"] == "sure" and one["period_px"] is not None
    ]
    found = strain.fit(
        *(
            [one[name] for one in grana]
            for name in ("period_px", "period_uncertainty_px", "direction_deg")
        )
    )
    # Annotated: 12.9 px along an axis near 70 degrees and 16.1 px across it; lamellae that run
    # along this axis are measured across it.
    assert found is not None and found.probability < strain.SIGNIFICANT
    assert abs((found.axis_deg.value - 70 + 90) % 180 - 90) < 15
    assert found.factor(70.0) / found.factor(160.0) == pytest.approx(16.1 / 12.9, abs=0.1)
