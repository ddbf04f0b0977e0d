import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from srd_jax.synthetic import outline
from srd_jax.synthetic.config import OutlineConfig

HEIGHT, WIDTH, PERIOD = 150, 420, 20.0
ROWS, COLUMNS = jnp.arange(float(HEIGHT)), jnp.arange(float(WIDTH))


@functools.cache
def functions(config_name):
    config = {
        "any": OutlineConfig(),
        "rough": OutlineConfig(ragged=1.0, notches=2.0, joined=1.0, holes=2.0),
        "plain": OutlineConfig(
            cut_rows=(0, 0),
            cut_columns=(0, 0),
            ragged=0.0,
            notches=0.0,
            joined=0.0,
            holes=0.0,
            follows=0.0,
        ),
    }[config_name]

    def draw(key):
        bend = 10 * jnp.sin(jnp.linspace(0, 5, outline.SAMPLES))
        size = jnp.float32(HEIGHT), jnp.float32(WIDTH)
        found = outline.draw_outline(key, size, jnp.float32(PERIOD), bend, config)
        return found, outline.inside(found, ROWS, COLUMNS)

    return jax.jit(draw)


def drawn(config, seed):
    found, mask = functions(config)(jax.random.key(seed))
    return found, np.asarray(mask)


def test_a_plain_outline_is_the_whole_crop():
    _, mask = drawn("plain", 0)
    assert mask.all()


@pytest.mark.parametrize("config", ["any", "rough"])
@pytest.mark.parametrize("seed", range(8))
def test_the_granum_fills_its_crop_and_is_nowhere_thin(config, seed):
    found, mask = drawn(config, seed)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    # The edges touch the crop's before the corners are cut, which may take a few px.
    assert rows[0] <= 0.45 * HEIGHT
    assert rows[-1] >= 0.55 * HEIGHT
    assert columns[0] <= 0.2 * WIDTH
    assert columns[-1] >= 0.8 * WIDTH
    assert np.all(found.lower - found.upper >= 2 * PERIOD - 1e-3)
    assert mask.mean() > 0.2


def test_outlines_differ_and_cover_many_shares():
    shares = [drawn("any", seed)[1].mean() for seed in range(40)]
    assert min(shares) < 0.65
    assert max(shares) > 0.85


@pytest.mark.parametrize("seed", range(4))
def test_a_part_of_the_mask_is_that_part_of_the_whole(seed):
    found, whole = drawn("rough", seed)
    part = outline.inside(found, ROWS[30:90], COLUMNS[100:260])
    np.testing.assert_array_equal(part, whole[30:90, 100:260])
    beyond = outline.inside(found, ROWS - HEIGHT, COLUMNS)
    assert not np.asarray(beyond).any()


def test_holes_are_turned_rectangles():
    found, _ = drawn("plain", 0)
    found = found.replace(holes=jnp.array([[70.0, 200.0, 40.0, 6.0, 0.25], [0.0, 0, 0, 0, 0]]))
    mask = np.asarray(outline.inside(found, ROWS, COLUMNS))
    # 80 x 12 px along a diagonal.
    assert np.count_nonzero(~mask) == pytest.approx(80 * 12, rel=0.03)
    assert not mask[70 + 20, 200 + 20]
    assert mask[70 + 20, 200 - 20]
    first, second = outline.hole_distances(found, ROWS, COLUMNS)
    assert float(first[70, 200]) == pytest.approx(-6)
    assert np.isinf(second).all()
