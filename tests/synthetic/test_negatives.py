import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from srd_jax.imaging.preparation import FRAME, MAX_ROWS
from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked
from srd_jax.synthetic import granum, layers
from srd_jax.synthetic.config import GranaConfig, NegativesConfig, OutlineConfig, QualityConfig
from srd_jax.synthetic.negatives import BLANK, GRANUM, LONG, STEEP, TEXTURE
from srd_jax.tasks.period.config import PeriodConfig

pytestmark = pytest.mark.hurry

SHARES = NegativesConfig(blank=0.1, texture=0.2, steep=0.15, long=0.05)
NO_NOISE = QualityConfig(
    fade=(0, 0), layer_spread=(0, 0), shading_sd=(0, 0), noise_sd=(0, 0), noise=(0.01, 0.01),
    blobs=(0, 0), scratches=0.0, scan_lines=0.0, jpeg=0.0, stretched=0.0,
)  # fmt: skip


@functools.cache
def drawn(count=3000):
    config = GranaConfig(negatives=SHARES)
    keys = jax.random.split(jax.random.key(0), count)
    return jax.device_get(jax.jit(jax.vmap(functools.partial(granum.draw, config=config)))(keys))


def of_kind(kind):
    grana = drawn()
    chosen = np.flatnonzero(grana.disguise.kind == kind)
    return [jax.tree.map(lambda x, i=i: x[i], grana) for i in chosen[:40]]


def always(kind):
    """The config of crops all of one kind, without noise."""
    negatives = NegativesConfig(**{kind: 1.0})
    outline = OutlineConfig(rim=0.0, holes=0.0)
    return GranaConfig(quality=NO_NOISE, outline=outline, negatives=negatives)


def painted(config, seed):
    """The pixels of 96 × 96 px around the middle of a crop."""
    one = granum.draw(jax.random.key(seed), config)
    rows, columns = (size // 2 - 48 + jnp.arange(96.0) for size in one.size)
    grey, mask = granum.paint(one, rows, columns, config)
    return np.asarray(grey), np.asarray(mask)


@pytest.mark.parametrize(
    ("kind", "share"), [(GRANUM, 0.5), (BLANK, 0.1), (TEXTURE, 0.2), (STEEP, 0.15), (LONG, 0.05)]
)
def test_kinds_occur_by_their_shares(kind, share):
    kinds = drawn().disguise.kind
    # Four standard errors.
    assert abs((kinds == kind).mean() - share) < 4 * np.sqrt(share * (1 - share) / len(kinds))


@pytest.mark.hurry(False)
def test_grana_are_those_of_a_config_without_negatives():
    config, plain = GranaConfig(negatives=SHARES), GranaConfig()
    keys = jax.random.split(jax.random.key(0), 3000)
    index = np.flatnonzero(drawn().disguise.kind == GRANUM)[0]
    key, at = keys[index], (jnp.arange(64.0), jnp.arange(48.0))
    # Compiled as a whole, which takes a third of the time of its operations one by one.
    one, other = (jax.jit(functools.partial(granum.draw, config=c))(key) for c in (config, plain))
    assert other.disguise is None
    found, expected = (
        jax.jit(functools.partial(granum.paint, config=c))(drawn_one, *at)
        for drawn_one, c in ((one, config), (other, plain))
    )
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def slopes(one):
    """Angles of the lamellae to the horizontal, degrees, on a grid of the crop."""
    at = jnp.arange(-30.0, 31.0), jnp.arange(-30.0, 31.0)
    phase = np.asarray(layers.phase(one.layers, *at), np.float64)
    down, right = np.gradient(phase)
    return np.rad2deg(np.arctan2(np.abs(right), np.abs(down))), 1 / np.hypot(down, right)


@pytest.mark.parametrize("index", range(0, 40, 4))
def test_steep_lamellae_run_at_an_angle_and_are_as_far_apart(index):
    one = of_kind(STEEP)[index]
    angle, apart = slopes(one)
    # Waves bend them by up to 9 degrees.
    assert 14 < np.median(angle) < 90
    assert 0.7 < np.median(apart) / one.period < 1.4


@pytest.mark.parametrize("index", range(0, 40, 4))
def test_long_periods_are_beyond_what_the_network_sees(index):
    one = of_kind(LONG)[index]
    to_frame = FRAME[0] / min(one.size[0], MAX_ROWS)
    assert 180 < np.median(slopes(one)[1]) * to_frame < 1300


def test_blank_crops_are_even_and_others_are_not():
    spread = {}
    for kind in ("blank", "texture", "steep"):
        parts = [painted(always(kind), seed) for seed in range(6)]
        spread[kind] = [grey[mask].std() for grey, mask in parts if mask.mean() > 0.5]
        assert len(spread[kind]) >= 3
    assert max(spread["blank"]) < 1  # rounding
    assert min(spread["texture"]) > 2
    assert min(spread["steep"]) > 2


def test_textures_have_no_direction():
    energy = np.zeros(2)
    for seed in range(12):
        grey, mask = painted(always("texture"), seed)
        if mask.mean() == 1:
            energy += [np.square(np.diff(grey, axis=axis)).mean() for axis in (0, 1)]
    assert 0.7 < energy[0] / energy[1] < 1.4


@pytest.mark.parametrize("kind", [BLANK, TEXTURE, STEEP, LONG])
def test_the_target_is_the_nominal_period_of_a_granum(kind):
    at = jnp.arange(64.0), jnp.arange(48.0)
    for one in of_kind(kind)[:5]:
        assert granum.mean_period(one, jnp.ones((64, 48), bool), *at) == one.period
        frame = one.period * FRAME[0] / min(one.size[0], MAX_ROWS)
        assert 14.9 < frame < 150.1


def test_shares_of_more_than_all_are_refused():
    source = GranaConfig(negatives=dataclasses.replace(SHARES, blank=0.7))
    with pytest.raises(InputError, match=r"sum to 1\.1; accepted: shares that sum to at most 1"):
        checked(PeriodConfig(source=source))
