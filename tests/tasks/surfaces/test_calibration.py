import jax.numpy as jnp
import numpy as np
import pytest

from srd_jax.tasks.surfaces import calibration, scores
from srd_jax.tasks.surfaces.candidates import Candidates
from srd_jax.tasks.surfaces.scores import Found
from srd_jax.tasks.surfaces.targets import Truth
from srd_jax.tasks.surfaces.weights import Calibration

COUNT = 4000


def drawn(accuracy=1.0, seed=0):
    """Answers whose errors are normal with 2, 3, 0.5 and 1.5 of their sds; (Found, errors)."""
    random = np.random.default_rng(seed)
    kind = random.integers(0, 5, COUNT)
    wrong = random.random(COUNT) >= accuracy
    sd = random.uniform(0.01, 0.1, (COUNT, 1, 4))
    factors = np.array([2.0, 3.0, 0.5, 1.5])
    error = random.normal(size=(COUNT, 4)) * sd[:, 0] * factors
    tilt = random.normal(size=COUNT) * sd[:, 0, 3] * 1.5
    got = np.where(wrong, (kind + 1) % 5, kind)
    found = Candidates(
        got[:, None],
        np.ones((COUNT, 1)),
        3.7 + error[:, :1],
        0.3 + error[:, 1:2],
        np.zeros((COUNT, 1, 3, 3)),
        sd,
    )
    true = Truth(kind, np.full(COUNT, 3.7), np.full(COUNT, 0.3), np.zeros((COUNT, 3, 3)))
    away = np.stack([error[:, 3], tilt, error[:, 2]], axis=-1)[:, None]
    kinds = np.full((COUNT, 5), 0.01)
    kinds[np.arange(COUNT), got] = 0.96
    terms = {"pose": np.arange(COUNT) / COUNT}
    axis = np.linalg.norm(away[..., :2], axis=-1)
    return Found(kinds, found, true, away, axis, terms, 2 * terms["pose"]), error


def test_factors_of_sds_are_found():
    fitted = scores.calibrate(drawn()[0])
    got = [fitted.log_cell, fitted.fraction, fitted.turn, fitted.tilt]
    np.testing.assert_allclose(got, [2, 3, 0.5, 1.5], rtol=0.05)


def test_calibrated_sds_hold_their_shares_of_the_errors():
    found, _ = drawn()
    shares = scores.coverage(found, scores.calibrate(found))
    assert shares.keys() == {"log_cell", "fraction", "turn", "tilt"}
    for one in shares.values():
        assert one["within_68"] == pytest.approx(0.6827, abs=0.02)
        assert one["within_95"] == pytest.approx(0.95, abs=0.01)


def test_the_temperature_makes_probabilities_the_share_of_right_kinds():
    found, _ = drawn(accuracy=0.7)
    fitted = scores.calibrate(found)
    kinds = calibration.tempered(found.kinds, fitted.temperature)
    np.testing.assert_allclose(kinds.sum(axis=1), 1)
    assert kinds.max(axis=1).mean() == pytest.approx(0.7, abs=0.02)
    assert fitted.temperature > 1


def test_few_pictures_fit_nothing():
    few = drawn()[0]
    few = few.replace(
        kinds=few.kinds[:9],
        candidates=Candidates(
            *(getattr(few.candidates, n)[:9] for n in few.candidates.__annotations__)
        ),
        true=Truth(*(getattr(few.true, n)[:9] for n in few.true.__annotations__)),
        away=few.away[:9],
    )
    assert scores.calibrate(few) == Calibration()


def test_a_calibration_is_applied_to_candidates():
    found = Candidates(
        jnp.zeros((1, 3), int),
        jnp.array([[0.8, 0.2, 0.0]]),
        jnp.zeros((1, 3)),
        jnp.zeros((1, 3)),
        jnp.zeros((1, 3, 3, 3)),
        jnp.ones((1, 3, 4)),
    )
    got = calibration.calibrated(found, Calibration(2.0, 1.0, 2.0, 3.0, 4.0))
    np.testing.assert_allclose(got.weight, [[2 / 3, 1 / 3, 0]], rtol=1e-5)
    np.testing.assert_allclose(got.sd[0, 0], [1, 2, 3, 4])


def test_scores_against_hand_made_ones():
    found, error = drawn(accuracy=0.8)
    got = scores.scores(found)
    right = np.asarray(found.candidates.kind)[:, 0] == found.true.kind
    size = np.abs(error[right])
    assert got["accuracy"] == pytest.approx(right.mean())
    assert got["loss"] == pytest.approx(2 * got["pose_loss"])
    assert got["cell_percent"] == pytest.approx(
        100 * np.median(np.abs(np.expm1(error[right, 0]))), rel=1e-6
    )
    assert got["fraction"] == pytest.approx(np.median(size[:, 1]), rel=1e-6)
    assert got["turn_deg"] == pytest.approx(np.degrees(np.median(size[:, 2])), rel=1e-6)
    assert got["axis_deg"] == pytest.approx(
        np.degrees(np.median(np.asarray(found.axis)[right])), rel=1e-6
    )
    angle = np.degrees(np.linalg.norm(np.asarray(found.away)[:, 0], axis=1))
    near = right & (angle < 10) & (np.abs(np.expm1(error[:, 0])) < 0.06)
    assert got["reached"] == pytest.approx(near.mean())
    confused = scores.confusion(found)
    assert sum(sum(row.values()) for row in confused.values()) == COUNT
    assert confused["G"]["G"] + confused["G"]["D"] == sum(confused["G"].values())


def test_scores_without_a_right_kind_are_no_numbers():
    got = scores.scores(drawn(accuracy=0.0)[0])
    assert got["accuracy"] == 0 and np.isnan(got["cell_percent"]) and np.isfinite(got["loss"])
