import numpy as np
import pytest
from scipy import stats

from srd_jax.support.errors import InputError
from srd_jax.tasks.period.calibration import LEAST_ERRORS, Calibration, fit

NORMAL = stats.norm()


def drawn(count, seed, scale=1.0, exponent=1.0, spread=NORMAL, gross=0.0):
    """Errors whose sd is scale · sd^exponent, a share of them ten times as large, and the sds."""
    random = np.random.default_rng(seed)
    sd = random.lognormal(0.5, 0.7, count)
    error = scale * sd**exponent * spread.rvs(count, random_state=random)
    return np.where(random.random(count) < gross, 10.0, 1.0) * error, sd


def shares(calibration, error, sd):
    """The shares of errors within the 68.27 % and the 95 % interval."""
    ratio = np.abs(error) / calibration.apply(sd)
    return np.array([np.mean(ratio <= 1), np.mean(ratio <= stats.norm.ppf(0.975))])


def test_apply_is_a_power_times_a_scale():
    sd = np.array([0.5, 1.0, 9.0], np.float32)
    np.testing.assert_allclose(Calibration(2.0, 0.5).apply(sd), 2 * np.sqrt(sd))
    np.testing.assert_array_equal(Calibration().apply(sd), sd)


@pytest.mark.parametrize(("scale", "exponent"), [(1.0, 1.0), (0.3, 1.0), (2.0, 0.6), (0.8, 1.5)])
def test_fit_finds_what_normal_errors_were_drawn_with(scale, exponent):
    found = fit(*drawn(4000, 1, scale, exponent))
    assert found.exponent == pytest.approx(exponent, abs=0.05)
    assert found.scale == pytest.approx(scale, rel=0.05)


@pytest.mark.parametrize(
    "kind",
    [
        {"exponent": 0.6, "scale": 1.5},
        {"exponent": 1.5, "gross": 0.03},
        {"gross": 0.03},
        {"gross": 0.05, "scale": 0.4},
        {"spread": stats.t(5), "exponent": 0.7},
    ],
)
def test_intervals_hold_68_and_95_percent_of_fresh_errors(kind):
    error, sd = drawn(20_000, 99, **kind)
    low = sd < np.median(sd)
    # By several draws, since the share of 300 errors within 1 sd alone varies by 2.7 points.
    fits = [fit(*drawn(300, seed, **kind)) for seed in range(12)]
    for part, within in ((np.full(sd.shape, True), 0.03), (low, 0.05), (~low, 0.05)):
        found = np.mean([shares(one, error[part], sd[part]) for one in fits], axis=0)
        np.testing.assert_allclose(found, [0.6827, 0.95], atol=within)


def test_the_greatest_normal_likelihood_would_not_do():
    fresh = drawn(20_000, 99, gross=0.03)
    error, sd = drawn(1000, 0, gross=0.03)
    # The greatest normal likelihood of a scale alone, in closed form.
    likely = Calibration(float(np.sqrt(np.mean(np.square(error / sd)))))
    assert shares(likely, *fresh)[0] > 0.85
    assert shares(fit(error, sd), *fresh)[0] < 0.72


def test_the_unit_of_errors_and_sds_changes_only_the_scale():
    error, sd = drawn(200, 3, 1.4, 0.8)
    one, ten = fit(error, sd), fit(10 * error, 10 * sd)
    assert ten.exponent == pytest.approx(one.exponent, abs=1e-3)
    np.testing.assert_allclose(ten.apply(10 * sd), 10 * one.apply(sd), rtol=0.02)
    np.testing.assert_allclose(fit(-error[::-1], sd[::-1]).apply(sd), one.apply(sd), rtol=1e-3)


def test_equal_sds_keep_the_exponent():
    error = np.random.default_rng(0).normal(0, 3.0, 500)
    found = fit(error, np.full(500, 1.5))
    assert found.exponent == pytest.approx(1, abs=1e-6)
    assert found.apply(np.array([1.5])) == pytest.approx(3.0, rel=0.1)


def test_an_sd_that_tells_nothing_becomes_constant():
    error, sd = np.random.default_rng(0).normal(0, 3.0, 500), drawn(500, 1)[1]
    found = fit(error, sd)
    assert found.exponent == pytest.approx(0, abs=0.1)
    np.testing.assert_allclose(found.apply(sd), 3.0, rtol=0.25)
    against = fit(error, np.exp(-np.log(np.abs(error))))
    assert against.exponent == 0


@pytest.mark.parametrize(
    ("error", "sd", "message"),
    [
        (np.ones(29), np.ones(29), f"29 errors to calibrate the sd by; accepted are at least {30}"),
        (np.ones(40), np.ones(39), "errors of shape (40,) and sds of shape (39,)"),
        (np.ones((40, 1)), np.ones((40, 1)), "errors of shape (40, 1)"),
        (np.ones(40), np.append(np.ones(39), 0.0), "error 39 is 1.0, its sd 0.0"),
        (np.append(np.nan, np.ones(39)), np.ones(40), "error 0 is nan, its sd 1.0"),
        (np.ones(40), np.append(np.inf, np.ones(39)), "error 0 is 1.0, its sd inf"),
        (np.append(np.zeros(35), np.ones(5)), np.ones(40), "most errors are exactly 0"),
    ],
)
def test_what_cannot_be_fitted_is_one_line(error, sd, message):
    with pytest.raises(InputError) as caught:
        fit(error, sd)
    assert str(caught.value).startswith(message)
    assert "accepted" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert LEAST_ERRORS == 30
