import itertools

import numpy as np
import pytest
from helpers.crops import ellipse
from scipy import optimize, stats

from srd_jax.evaluation import traits
from srd_jax.tasks.period import losses, scores


def test_errors_have_their_closed_forms():
    ranks = np.arange(101)
    found = scores.error_scores(np.random.default_rng(0).permutation((-1.0) ** ranks * ranks))
    # 0 - 1 + 2 - … + 100 = 50.
    assert found == pytest.approx({"mae": 50, "median": 50, "p95": 95, "bias": 50 / 101})
    assert set(scores.error_scores(np.array([])).values()) == {None}


def test_mistakes_by_kind():
    ratios = [1, 1.14, 0.86, 1.16, 0.84, 2, 1.71, 2.29, 2.31, 1.69, 0.5, 0.43, 0.57, 0.42, 3, 0.1]
    true = np.random.default_rng(0).uniform(10, 30, len(ratios))
    found = scores.mistakes(true, true * ratios)
    expected = {"beyond_15_percent": 13, "doubling": 3, "halving": 3, "other": 7}
    assert found == pytest.approx({kind: count / 16 for kind, count in expected.items()})
    assert set(scores.mistakes(true[:0], true[:0]).values()) == {None}


def test_classes_of_the_sd_hold_those_below():
    errors, sd = np.array([1.0, -2.0, 3.0, -10.0]), np.array([0.5, 1.0, 4.5, 60.0])
    rows = scores.by_sd(errors, sd)
    assert [row["sd_below"] for row in rows] == [1, 2, 3, 4, 5, None]
    assert [row["count"] for row in rows] == [1, 2, 2, 2, 3, 4]
    assert [row["mae"] for row in rows] == [1, 1.5, 1.5, 1.5, 2, 4]
    assert [row["mae"] for row in scores.by_sd(errors[3:], sd[3:])] == [None] * 5 + [10]


def test_fifths_of_the_sd_lie_between_its_quantiles():
    errors, sd = drawn(1003)
    rows = scores.by_quintile(errors, sd)
    edges = np.quantile(sd, np.linspace(0, 1, 6))
    expected = stats.binned_statistic(sd, np.abs(errors), "mean", edges)
    assert [row["count"] for row in rows] == [201, 201, 201, 200, 200]
    np.testing.assert_allclose([row["mae"] for row in rows], expected.statistic, rtol=0.01)
    # The errors are drawn with these sds.
    assert (np.diff([row["mae"] for row in rows]) > 0).all()
    ends = [(row["sd_from"], row["sd_to"]) for row in rows]
    assert (ends[0][0], ends[-1][1]) == (sd.min(), sd.max())
    assert all(one[1] <= next_one[0] for one, next_one in itertools.pairwise(ends))
    assert [row["count"] for row in scores.by_quintile(errors[:3], sd[:3])] == [1, 1, 1]


def drawn(count, seed=0):
    """Errors that are normal with the sds beside them."""
    random = np.random.default_rng(seed)
    sd = random.lognormal(0, 0.8, count)
    return random.normal(0, sd), sd


def test_likelihood_is_that_of_scipy_and_of_the_loss():
    errors, sd = drawn(50)
    sd[:2], errors[0] = 0, 0.003
    found = scores.gaussian_nll(errors, sd)
    expected = -stats.norm.logpdf(errors, scale=np.maximum(sd, 1e-3)) - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    single = np.float32
    loss = losses.gaussian_nll(single(errors), single(sd), np.zeros(50, single))
    np.testing.assert_allclose(found, loss, rtol=1e-4)


def test_a_true_sd_covers_what_it_says_and_explains_more_than_a_constant():
    errors, sd = drawn(20_000)
    found = scores.sd_scores(errors, sd)
    assert found["coverage_68"] == pytest.approx(stats.chi2.cdf(1, 1), abs=0.013)
    assert found["coverage_95"] == pytest.approx(0.95, abs=0.006)
    assert (found["mean"], found["sd"]) == pytest.approx((sd.mean(), sd.std()))
    # E[log sd] + 1/2, here with log sd around 0.
    assert found["nll"] == pytest.approx(0.5, abs=0.04)
    best = optimize.minimize_scalar(
        lambda one: scores.gaussian_nll(errors, np.full_like(sd, one)).mean(),
        bounds=(0.1, 10),
        method="bounded",
    )
    assert found["best_constant_sd"] == pytest.approx(best.x, rel=1e-4)
    assert found["nll_of_constant_sd"] == pytest.approx(best.fun)
    assert found["nll"] < found["nll_of_constant_sd"] - 0.3
    assert set(scores.sd_scores(errors[:0], sd[:0]).values()) == {None}


def test_coverage_of_another_distribution():
    scale = np.random.default_rng(1).lognormal(0, 0.5, 40_000)
    errors = np.random.default_rng(2).laplace(0, scale)
    reach = stats.norm.interval(np.array(scores.LEVELS))[1]
    found = scores.coverage(errors, scale)
    np.testing.assert_allclose(found, 1 - np.exp(-reach), atol=0.011)
    assert (np.diff(found) > 0).all()


def test_bins_are_those_of_scipy():
    values, errors = np.random.default_rng(0).normal(size=(2, 300))
    edges = (-1.0, 0.0, 0.5, 5.0, 50.0)
    rows = scores.binned(values, errors, edges)
    assert [(row["from"], row["to"]) for row in rows] == [(-1, 0), (0, 0.5), (0.5, 5)]
    for name, statistic, of in (
        ("count", "count", errors),
        ("mean", "mean", values),
        ("mae", "mean", np.abs(errors)),
        ("median", "median", np.abs(errors)),
        ("bias", "mean", errors),
    ):
        expected = stats.binned_statistic(values, of, statistic, edges).statistic[:3]
        np.testing.assert_allclose([row[name] for row in rows], expected)
    (last,) = scores.binned(np.array([50.0, 1e9]), np.array([1.0, 3.0]), edges)
    assert (last["from"], last["to"], last["count"], last["mae"]) == (50, None, 2, 2)


def test_height_of_a_granum():
    mask = np.zeros((90, 60), bool)
    mask[10:70, 5:55] = True
    mask[30:40, 20:30] = False  # a hole doesn't lower it
    assert traits.height(mask) == 60
    # A fifth of an ellipse's columns lie within a fifth of its half width.
    assert traits.height(ellipse((400, 600))) == pytest.approx(400 * np.sqrt(1 - 0.2**2), abs=1.5)


def wave(period, light=0.6, contrast=0.3, slope=0.0, shape=(160, 200)):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return light * (1 + contrast * np.sin(2 * np.pi * (rows + slope * columns) / period))


@pytest.mark.parametrize("period", [8.0, 21.3])
@pytest.mark.parametrize("inside", [np.ones((160, 200), bool), ellipse((160, 200))])
def test_contrast_of_a_sinusoid(period, inside):
    for contrast in (0.03, 0.3):
        found = traits.contrast(wave(period, contrast=contrast) * inside, inside, period)
        assert found == pytest.approx(contrast, rel=0.06)
    tilted = wave(period, slope=np.tan(np.radians(5))) * inside
    assert traits.contrast(tilted, inside, period) == pytest.approx(0.3, rel=0.1)
    assert traits.contrast(tilted / 3, inside, period) == pytest.approx(
        traits.contrast(tilted, inside, period)
    )


def test_contrast_of_stripes_and_of_noise():
    inside, noise = np.ones((160, 200), bool), np.random.default_rng(0).normal(0, 0.1, (160, 200))
    # The fundamental of stripes, light for a third of the period, is 2/π sin(π/3) high.
    stripes = (np.arange(160) % 21 < 7)[:, None] * np.ones(200)
    expected = 2 / np.pi * np.sin(np.pi / 3) / (1 / 3)
    assert traits.contrast(stripes, inside, 21.0) == pytest.approx(expected, rel=0.05)
    for period in (10.0, 20.0):
        noisy = wave(period, contrast=0.1) + noise
        assert traits.contrast(noisy, inside, period) == pytest.approx(0.1, rel=0.15)
        assert traits.contrast(0.6 + noise, inside, period) < 0.02


@pytest.mark.parametrize("period", [10.0, 21.3])
def test_noise_over_a_sinusoid(period):
    inside = ellipse((160, 200))
    grain = np.random.default_rng(1).normal(size=(160, 200))
    for contrast, sd in ((0.1, 0.05), (0.3, 0.3)):
        image = (wave(period, contrast=contrast) + sd * grain) * inside
        expected = sd / (0.6 * contrast / np.sqrt(2))
        # The sinusoid takes the little of the noise that looks like it.
        assert traits.noise(image, inside, period) == pytest.approx(expected, rel=0.1)
        assert traits.noise(7 * image, inside, period) == pytest.approx(
            traits.noise(image, inside, period)
        )
    assert traits.noise(wave(period) * inside, inside, period) < 0.12


def test_overtones_count_as_noise():
    inside = np.ones((160, 200), bool)
    both = wave(20.0, contrast=0.2) + 0.5 * (wave(10.0, contrast=0.2) - 0.6)
    assert traits.noise(both, inside, 20.0) == pytest.approx(0.5, rel=0.1)
