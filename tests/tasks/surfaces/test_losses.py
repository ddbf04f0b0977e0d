import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from scipy.spatial.transform import Rotation

from srd_jax.synthetic.surfaces.names import KINDS
from srd_jax.tasks.surfaces import grid, losses
from srd_jax.tasks.surfaces.config import ERROR_LOSSES, POSE_LOSSES, GridConfig, LossConfig
from srd_jax.tasks.surfaces.model import NUMBERS, Prediction
from srd_jax.tasks.surfaces.targets import Truth, told_fraction

GRID = grid.make(GridConfig(axes=4, turns=6))
SHAPE = (1, 6, len(GRID.kind))
D, L = KINDS.index("D"), KINDS.index("L")
SPREAD = math.radians(12.0)


def prediction(seed=0):
    random = np.random.default_rng(seed)

    def normal(*more):
        return jnp.asarray(random.normal(size=(*SHAPE, *more)), jnp.float32)

    return Prediction(normal(), normal(), normal(), 0.2 * normal(3), normal(4))


def truth(kind, rotation):
    numbers = (jnp.array([kind]), jnp.array([3.7]), jnp.array([0.2]))
    return Truth(*numbers, jnp.asarray(rotation, jnp.float32)[None])


def equivalents(kind, seed=3):
    """All rotations of one picture, (48 or 24, 3, 3), by SciPy's groups."""
    rotation = Rotation.random(random_state=seed).as_matrix()
    group = Rotation.create_group("D6" if kind == L else "O").as_matrix()
    back = np.diag([-1.0, -1.0, 1.0])
    return np.array([b @ rotation @ w for b in (np.eye(3), back) for w in group])


def cells(kind):
    """Rotation and number of each cell of a kind: turn, axis."""
    for turn in range(SHAPE[1]):
        cosine, sine = np.cos(GRID.turn[turn]), np.sin(GRID.turn[turn])
        about_beam = np.array([[cosine, sine, 0], [-sine, cosine, 0], [0, 0, 1]])
        for axis in np.flatnonzero(GRID.kind == kind):
            yield (turn, axis), about_beam, GRID.base[axis]


def in_numpy(found, kind, config):
    """The terms of the loss with all equivalents enumerated."""
    all_of_it = equivalents(kind)
    close, offset = {}, {}
    for cell, about_beam, base in cells(kind):
        away = [about_beam.T @ one @ base.T for one in all_of_it]
        nearest = max(away, key=np.trace)
        close[cell] = (np.trace(nearest) - 1) / 2
        offset[cell] = Rotation.from_matrix(nearest).as_rotvec()
    spread = math.radians(config.spread_deg)
    share = {cell: math.exp((value - 1) / spread**2) for cell, value in close.items()}
    logit = np.asarray(found.logit[0], float)
    log_p = logit - np.log(np.exp(logit).sum())
    whole = sum(share.values())
    weights = {cell: value / whole for cell, value in share.items()}
    best = max(close, key=close.__getitem__)
    pose = {
        "soft": sum(w * (np.log(w) - log_p[cell]) for cell, w in weights.items() if w > 0),
        "nearest": -log_p[best],
        "focal": -sum(w * (1 - np.exp(log_p[c])) ** 2 * log_p[c] for c, w in weights.items()),
    }
    chosen = sorted(close, key=close.__getitem__)[-4:]
    near = sum(share[cell] for cell in chosen)
    terms = dict.fromkeys(NUMBERS, 0.0)
    for cell in chosen:
        log_sd = np.asarray(found.log_sd[0][cell], float)
        away = np.asarray(found.offset[0][cell], float) - offset[cell]
        errors = {
            "log_cell": [float(found.log_cell[0][cell]) - 3.7],
            "fraction": [float(found.fraction[0][cell]) - 0.2],
            "turn": [away[2]],
            "tilt": [away[0], away[1]],
        }
        for number, name in enumerate(NUMBERS):
            value = sum(density(config.error, e, math.exp(log_sd[number])) for e in errors[name])
            terms[name] += share[cell] / near * value
    return {"pose": pose[config.pose]} | terms


def density(name, error, sd):
    """Negative log density of an error, less a constant, by SciPy."""
    if name == "gaussian":
        return -stats.norm.logpdf(error, scale=sd) - math.log(2 * math.pi) / 2
    if name == "laplace":
        return -stats.laplace.logpdf(error, scale=sd / math.sqrt(2)) - math.log(2) / 2
    return -stats.t.logpdf(error, 4, scale=sd) + stats.t.logpdf(0, 4)


@pytest.mark.parametrize(
    ("pose", "error", "kind"),
    [
        ("soft", "student", D),
        ("nearest", "gaussian", D),
        ("focal", "laplace", D),
        ("soft", "student", L),
    ],
)
def test_terms_against_numpy_with_all_equivalents_enumerated(pose, kind, error):
    weights = dict(cell_weight=1.0, fraction_weight=0.3, turn_weight=0.3, tilt_weight=0.2)
    config = LossConfig(pose, error, spread_deg=12.0, **weights)
    found = prediction()
    terms = jax.jit(lambda *given: losses.parts(*given, GRID, config))(
        found, truth(kind, equivalents(kind)[0])
    )
    got = {name: float(value[0]) for name, value in terms.items()}
    assert got == pytest.approx(in_numpy(found, kind, config), rel=2e-3, abs=2e-3)
    total = losses.total(terms, config)
    assert float(total[0]) == pytest.approx(
        got["pose"] + got["log_cell"] + 0.3 * (got["fraction"] + got["turn"]) + 0.2 * got["tilt"],
        rel=1e-4,
    )


@pytest.mark.parametrize("kind", [D, L])
def test_the_loss_is_the_same_for_all_equivalents(kind):
    config = LossConfig(cell_weight=1.0, fraction_weight=0.3, turn_weight=0.3, tilt_weight=0.2)
    found = prediction(1)

    def loss(rotation):
        true = Truth(jnp.array([kind]), jnp.array([3.7]), jnp.array([0.2]), rotation[None])
        return losses.total(losses.parts(found, true, GRID, config), config)[0]

    losses_of = jax.jit(jax.vmap(loss))
    values = losses_of(jnp.asarray(equivalents(kind), jnp.float32))
    assert len(values) == (24 if kind == L else 48)
    np.testing.assert_allclose(values, values[0], rtol=1e-3)
    others = losses_of(jnp.asarray(equivalents(kind, seed=8), jnp.float32))
    assert abs(float(others[0] - values[0])) > 0.01


def test_registries_hold_the_losses_of_the_config():
    assert losses.POSE.keys() == POSE_LOSSES.keys()
    assert losses.ERROR.keys() == ERROR_LOSSES.keys()


@pytest.mark.parametrize("pose", POSE_LOSSES)
def test_sure_predictions_have_finite_gradients(pose):
    config = LossConfig(pose)
    true = truth(D, equivalents(D)[0])
    sure = jnp.zeros(SHAPE).at[0, 0, 0].set(1e3)

    def loss(logit):
        return losses.total(
            losses.parts(prediction().replace(logit=logit), true, GRID, config), config
        )[0]

    value, gradient = jax.jit(jax.value_and_grad(loss))(sure)
    assert np.isfinite(value) and np.isfinite(gradient).all()


def test_the_soft_loss_is_least_where_the_probabilities_are_the_shares():
    @jax.jit
    def of(rotation):
        close = grid.closeness(GRID, jnp.int32(D), rotation)
        shares = losses.shares(close, SPREAD)
        return shares, losses.soft(jnp.log(shares + 1e-30), close, SPREAD)

    shares, loss = of(jnp.asarray(equivalents(D)[0], jnp.float32))
    assert float(shares.sum()) == pytest.approx(1, abs=1e-5)
    assert float(loss) == pytest.approx(0, abs=1e-4)


def test_the_fraction_that_can_be_told():
    kinds = jnp.array([KINDS.index(kind) for kind in ("G", "D", "P", "I-WP", "L")])
    found = told_fraction(kinds, jnp.full(5, 0.7))
    np.testing.assert_allclose(found, [0.3, 0.3, 0.3, 0.7, 0.7], atol=1e-6)
