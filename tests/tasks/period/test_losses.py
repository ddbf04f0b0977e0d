import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import huber
from scipy.stats import norm
from scipy.stats import t as student

from srd_jax.support.errors import InputError
from srd_jax.tasks.period import losses
from srd_jax.tasks.period.config import LOSSES, NEEDS_CONFIDENCE


def draws(count=200):
    random = np.random.default_rng(0)
    target = random.uniform(20, 140, count)
    period = target * np.exp(random.normal(0, random.choice([0.005, 0.3], count)))
    sd = np.exp(random.uniform(-3, 3, count))
    return [np.float32(value) for value in (period, sd, target)]


PERIOD, SD, TARGET = draws()


def test_mse_and_mae():
    error = PERIOD.astype(np.float64) - TARGET
    np.testing.assert_allclose(losses.mse(PERIOD, TARGET), error**2, rtol=1e-5)
    np.testing.assert_allclose(losses.mae(PERIOD, TARGET), abs(error), rtol=1e-5)


@pytest.mark.parametrize("knee", [0.02, 0.3])
def test_log_period_is_huber_of_the_log_ratio(knee):
    expected = huber(knee, np.log(PERIOD.astype(np.float64) / TARGET)) / knee
    assert (abs(np.log(PERIOD / TARGET)) < knee).any()
    found = losses.log_period(PERIOD, TARGET, knee=knee)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-7)


def test_doubling_and_halving_weigh_the_same():
    target = jnp.array([20.0, 55.0, 140.0])
    doubled, halved = losses.log_period(2 * target, target), losses.log_period(target / 2, target)
    np.testing.assert_allclose(doubled, halved, rtol=1e-6)
    np.testing.assert_allclose(doubled, math.log(2) - 0.01, rtol=1e-6)


def test_log_period_has_a_gradient_at_the_target_and_at_the_knee():
    target = jnp.full(3, 50.0)
    period = target * jnp.exp(jnp.array([0.0, 0.02, 1.0]))
    slope = jax.grad(lambda logarithm: losses.log_period(jnp.exp(logarithm), target).sum())
    np.testing.assert_allclose(slope(jnp.log(period)), [0, 1, 1], atol=1e-4)


def test_gaussian_nll_is_minus_the_log_density_but_for_a_constant():
    density = norm.logpdf(TARGET.astype(np.float64), PERIOD, SD)
    expected = -density - 0.5 * math.log(2 * math.pi)
    found = losses.gaussian_nll(PERIOD, SD, TARGET)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_gaussian_nll_has_a_floor_of_the_variance():
    period, target = jnp.array([50.0, 50.0, 50.0]), jnp.array([50.0, 50.001, 51.0])
    at_floor = losses.gaussian_nll(period, jnp.full(3, 1e-3), target)
    for sd in (1e-4, 1e-30, 0.0):
        below = losses.gaussian_nll(period, jnp.full(3, sd), target)
        np.testing.assert_allclose(below, at_floor, rtol=1e-6)
    np.testing.assert_allclose(at_floor[0], math.log(1e-3), rtol=1e-6)
    slope = jax.grad(lambda sd: losses.gaussian_nll(period, sd, target).sum())
    np.testing.assert_array_equal(slope(jnp.zeros(3)), 0.0)


@pytest.mark.parametrize("ramp", [30, 7])
@pytest.mark.parametrize("epoch", [0, 6, 7, 15, 29, 30, 100])
def test_schedule_from_mse_to_gaussian_nll(epoch, ramp):
    period, sd, target = (x.astype(np.float64) for x in (PERIOD, SD, TARGET))
    square = (period - target) ** 2
    nll = np.log(sd) + square / (2 * sd**2)
    angle = epoch / ramp * math.pi / 2
    expected = math.cos(angle) * square + math.sin(angle) * nll if epoch < ramp else nll
    found = jax.jit(losses.mse_to_gaussian_nll, static_argnums=4)(
        PERIOD, SD, TARGET, jnp.int32(epoch), ramp
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-4)


def test_ramp_is_30_epochs_long_unless_told():
    for epoch in (15.0, 29.0):
        found = losses.mse_to_gaussian_nll(PERIOD, SD, TARGET, epoch)
        told = losses.mse_to_gaussian_nll(PERIOD, SD, TARGET, epoch, 30)
        np.testing.assert_array_equal(found, told)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("target", [np.ones((4, 1)), np.ones(5), np.float64(1)])
def test_other_shapes_do_not_broadcast(name, target):
    vector = jnp.ones(4)
    with pytest.raises(AssertionError):
        losses.LOSSES[name](vector, vector, jnp.asarray(target), jnp.int32(3), 30)


@pytest.mark.parametrize("pools", [1, 2])
def test_overlap_of_two_queries_is_the_printed_formula(pools):
    queries = np.random.default_rng(1).normal(size=(pools, 2, 32))
    first = np.concatenate([pool[0] for pool in queries])
    second = np.concatenate([pool[1] for pool in queries])
    expected = np.mean((first * second) ** 2)
    np.testing.assert_allclose(losses.query_overlap(jnp.asarray(queries)), expected, rtol=1e-5)


def test_overlap_of_one_and_of_four_queries():
    queries = np.random.default_rng(2).normal(size=(2, 4, 8))
    assert losses.query_overlap(jnp.asarray(queries[:, :1])) == 0
    pairs = itertools.combinations(range(4), 2)
    expected = np.mean([(queries[:, i] * queries[:, j]) ** 2 for i, j in pairs])
    np.testing.assert_allclose(losses.query_overlap(jnp.asarray(queries)), expected, rtol=1e-5)


def test_overlap_is_zero_for_queries_of_disjoint_channels():
    queries = jnp.eye(4)[None, :3]
    assert losses.query_overlap(queries) == 0
    assert losses.query_overlap(jnp.ones((1, 3, 4))) == 1


@pytest.mark.parametrize("degrees", [3.0, 4.0])
def test_student_nll_is_minus_the_log_density_but_for_a_constant(degrees):
    density = student.logpdf(TARGET.astype(np.float64), degrees, PERIOD, SD)
    expected = student.logpdf(0.0, degrees) - density
    found = losses.student_nll(PERIOD, SD, TARGET, degrees=degrees)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_slope_of_student_nll_by_log_sd_stays_within_its_degrees():
    sd = jnp.geomspace(1e-2, 1e4, 61)
    period, target = jnp.full(61, 90.0), jnp.full(61, 30.0)
    total = jax.grad(lambda log_sd: losses.student_nll(period, jnp.exp(log_sd), target).sum())
    slope = total(jnp.log(sd))
    np.testing.assert_allclose((slope.min(), slope.max()), (-4, 1), rtol=1e-3)


def test_the_likelihood_beside_log_period_moves_the_sd_alone():
    def total(period, sd, loss):
        return loss(period, sd, TARGET).sum()

    slope = jax.grad(total, argnums=(0, 1))
    found = slope(PERIOD, SD, losses.log_period_and_student_nll)
    alone = jax.grad(lambda period: losses.log_period(period, TARGET).sum())(PERIOD)
    np.testing.assert_allclose(found[0], alone, rtol=1e-6)
    likelihood = slope(PERIOD, SD, losses.student_nll)[1]
    np.testing.assert_allclose(found[1], 0.1 * likelihood, rtol=1e-6, atol=1e-6)


def test_every_loss_has_its_function_and_its_words():
    assert list(losses.LOSSES) == list(LOSSES)
    assert all(words.strip() for words in LOSSES.values())
    assert set(NEEDS_CONFIDENCE) < set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_registry_computes_the_named_loss(name):
    epoch, ramp = jnp.int32(4), 12
    expected = {
        "mse": losses.mse(PERIOD, TARGET),
        "mae": losses.mae(PERIOD, TARGET),
        "log_period": losses.log_period(PERIOD, TARGET),
        "log_period_and_student_nll": losses.log_period(PERIOD, TARGET)
        + 0.1 * losses.student_nll(PERIOD, SD, TARGET),
        "gaussian_nll": losses.gaussian_nll(PERIOD, SD, TARGET),
        "mse_to_gaussian_nll": losses.mse_to_gaussian_nll(PERIOD, SD, TARGET, 4.0, ramp),
    }[name]
    found = losses.LOSSES[name](jnp.asarray(PERIOD), jnp.asarray(SD), TARGET, epoch, ramp)
    assert (found.shape, found.dtype) == (PERIOD.shape, jnp.float32)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_only_the_losses_that_say_so_need_an_sd(name):
    def compute():
        return losses.LOSSES[name](PERIOD, None, TARGET, jnp.int32(0), 30)

    if name in NEEDS_CONFIDENCE:
        with pytest.raises(InputError, match="needs an sd"):
            compute()
    else:
        assert np.isfinite(compute()).all()
