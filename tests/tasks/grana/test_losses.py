import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from srd_jax.synthetic.scenes.batch import Tiles
from srd_jax.tasks.grana import losses
from srd_jax.tasks.grana.config import DIRECTION_LOSSES, GRANUM_LOSSES, LossConfig
from srd_jax.tasks.grana.model import Prediction

SHAPE = (2, 3, 5)
RANDOM = np.random.default_rng(0)
LOGIT = RANDOM.normal(0, 2, SHAPE)
TRUE = RANDOM.random(SHAPE) < 0.4
WEIGHT = RANDOM.random(SHAPE) < 0.7
P, Y = 1 / (1 + np.exp(-LOGIT[WEIGHT])), TRUE[WEIGHT].astype(float)
P_T = np.where(Y == 1, P, 1 - P)
TP, FN, FP = (P * Y).sum(), ((1 - P) * Y).sum(), (P * (1 - Y)).sum()
BCE = -np.log(P_T).mean()
DICE = 1 - (2 * TP + 1) / (P.sum() + Y.sum() + 1)
TVERSKY = 1 - (TP + 1) / (TP + 0.7 * FN + 0.3 * FP + 1)
FOCAL = -((1 - P_T) ** 2 * np.log(P_T)).mean()
EXPECTED = {
    "bce": BCE,
    "dice": DICE,
    "focal": FOCAL,
    "tversky": TVERSKY,
    "bce_dice": BCE + DICE,
    "bce_tversky": BCE + TVERSKY,
    "focal_dice": FOCAL + DICE,
    "bce_dice_focal": BCE + DICE + 0.15 * FOCAL,
}


def single(*values):
    return [jnp.asarray(value, jnp.float32) for value in values]


@pytest.mark.parametrize("name", GRANUM_LOSSES)
def test_losses_of_granum_or_not_against_their_formulas(name):
    found = losses.GRANUM[name](*single(LOGIT, TRUE, WEIGHT))
    assert float(found) == pytest.approx(EXPECTED[name], rel=1e-4)


def test_registries_hold_the_losses_of_the_config():
    assert losses.GRANUM.keys() == GRANUM_LOSSES.keys() == EXPECTED.keys()
    assert losses.DIRECTION.keys() == set(DIRECTION_LOSSES)


@pytest.mark.parametrize("name", GRANUM_LOSSES)
def test_sure_predictions_stay_finite(name):
    def loss(logit):
        return losses.GRANUM[name](logit, *single(TRUE, WEIGHT))

    for logit in (np.where(TRUE, 1e4, -1e4), np.where(TRUE, -1e4, 1e4)):
        value, gradient = jax.value_and_grad(loss)(*single(logit))
        assert np.isfinite(value) and np.isfinite(gradient).all()
    assert float(loss(*single(np.where(TRUE, 1e4, -1e4)))) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", GRANUM_LOSSES)
def test_where_nothing_counts_the_loss_has_no_gradient(name):
    gradient = jax.grad(losses.GRANUM[name])(*single(LOGIT, TRUE, np.zeros(SHAPE)))
    np.testing.assert_array_equal(gradient, 0)


def maps(seed=1):
    """A prediction and its truth."""
    random = np.random.default_rng(seed)
    logit, distance, cosine, sine, log_period = single(*random.normal(size=(5, *SHAPE)))
    angle = random.uniform(0, 2 * np.pi, SHAPE)
    granum, care, readable = (random.random(SHAPE) < share for share in (0.7, 0.8, 0.6))
    true = Tiles(
        jnp.zeros((2, 6, 10)),
        jnp.asarray(granum),
        jnp.asarray(care),
        *single(random.random(SHAPE), np.cos(angle), np.sin(angle), random.normal(size=SHAPE)),
        jnp.asarray(readable),
    )
    return Prediction(logit, distance, cosine, sine, log_period), true


def smooth_l1(error, knee):
    error = np.abs(error)
    return np.mean(np.where(error < knee, error**2 / 2 / knee, error - knee / 2))


def test_terms_against_their_formulas_over_the_pixels_that_count():
    found, true = maps()
    terms = losses.parts(found, true, LossConfig(granum="bce"))
    granum, care, readable = (np.asarray(x) for x in (true.granum, true.care, true.readable))
    inside, seen = granum & care, granum & readable

    def error(name, where):
        return np.asarray(getattr(found, name) - getattr(true, name), float)[where]

    p = 1 / (1 + np.exp(-np.asarray(found.logit, float)))
    expected = {
        "granum": -np.log(np.where(granum, p, 1 - p))[care].mean(),
        "distance": smooth_l1(error("distance", inside), 0.1),
        "direction": (error("cosine", seen) ** 2 + error("sine", seen) ** 2).mean(),
        "period": smooth_l1(error("log_period", seen), 0.05),
    }
    assert {k: float(v) for k, v in terms.items()} == pytest.approx(expected, rel=1e-4)
    weights = LossConfig(distance_weight=2.0, direction_weight=3.0, period_weight=0.5)
    total = expected["granum"] + 2 * expected["distance"] + 3 * expected["direction"]
    total += 0.5 * expected["period"]
    assert float(losses.total(terms, weights)) == pytest.approx(total, rel=1e-4)


def test_cosine_loss_is_one_minus_the_cosine_of_the_error():
    found, true = maps()
    where = np.asarray(true.granum & true.readable)
    error = np.arctan2(found.sine, found.cosine) - np.arctan2(true.sine, true.cosine)
    value = losses.parts(found, true, LossConfig(direction="cosine"))["direction"]
    assert float(value) == pytest.approx((1 - np.cos(error))[where].mean(), rel=1e-3)


@pytest.mark.parametrize("direction", DIRECTION_LOSSES)
@pytest.mark.parametrize("granum", GRANUM_LOSSES)
def test_pixels_that_do_not_count_do_not_count(granum, direction):
    found, true = maps()
    config = LossConfig(granum, direction)

    def loss(found, true):
        return losses.total(losses.parts(found, true, config), config)

    # Of doubtful pixels nothing counts but direction and period that are readable all the same.
    doubtful = ~(true.care | (true.granum & true.readable))
    unread = ~(true.granum & true.readable)
    assert doubtful.any() and (unread & true.care).any()
    other = dataclasses.replace(
        found,
        logit=jnp.where(true.care, found.logit, 9.0),
        distance=jnp.where(true.granum & true.care, found.distance, -3.0),
        cosine=jnp.where(unread, 5.0, found.cosine),
        sine=jnp.where(unread, -5.0, found.sine),
        log_period=jnp.where(unread, 7.0, found.log_period),
    )
    changed = dataclasses.replace(true, granum=true.granum ^ doubtful)
    assert float(loss(other, changed)) == pytest.approx(float(loss(found, true)), rel=1e-6)
    gradient = jax.grad(loss)(found, true)
    np.testing.assert_array_equal(np.asarray(gradient.logit)[~np.asarray(true.care)], 0)
    np.testing.assert_array_equal(np.asarray(gradient.cosine)[np.asarray(unread)], 0)


@pytest.mark.parametrize("direction", DIRECTION_LOSSES)
def test_a_vector_of_no_length_has_a_finite_gradient(direction):
    found, true = maps()
    nothing = dataclasses.replace(found, cosine=0 * found.cosine, sine=0 * found.sine)
    config = LossConfig(direction=direction)
    gradient = jax.grad(lambda f: losses.parts(f, true, config)["direction"])(nothing)
    assert np.isfinite(gradient.cosine).all() and np.any(gradient.cosine)
