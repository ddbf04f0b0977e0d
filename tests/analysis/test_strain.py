import json

import numpy as np
import pytest

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


def test_without_a_strain_few_are_significant():
    found = [strain.fit(*section(0.0, 0.0, count=12, seed=seed)) for seed in range(400)]
    assert all(one is not None for one in found)
    share = np.mean([one.probability < strain.SIGNIFICANT for one in found])
    assert share <= 0.03


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
