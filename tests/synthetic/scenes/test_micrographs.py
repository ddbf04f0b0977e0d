import dataclasses

import jax
import numpy as np
import pytest

from srd_jax.imaging.masks import slices, tight_box
from srd_jax.imaging.orientation import orientation, rotate
from srd_jax.measuring.autocorrelation import autocorrelation
from srd_jax.support import compiling
from srd_jax.synthetic.scenes import micrographs, render
from srd_jax.synthetic.scenes.config import ScenesConfig, StacksConfig
from srd_jax.synthetic.scenes.scene import draw_scene

# Clear pictures, so that the classical methods find what was drawn.
CLEAR = ScenesConfig(
    stacks=StacksConfig(
        density=(0.9, 0.9),
        period=(18.0, 28.0),
        lamellae=(6.0, 20.0),
        oblique=0.0,
        turned=0.5,
        fan=0.02,
        stripes=(40, 48),
    ),
    without=0.0,
    px_per_nm=(0.6, 0.8),
    size=(512, 640),
    noise=(0.05, 0.06),
    noise_sd=(1.0, 3.0),
    defocus=(1.0, 1.5),
    coarse=0.0,
    marked=0.0,
    jpeg=0.0,
)


@pytest.fixture(scope="module")
def drawn():
    return [micrographs.draw(seed, CLEAR) for seed in range(8)]


def inner(labels, number):
    """The bounding box of a granum and its pixels, without those at its outline."""
    mask = labels == number
    box = slices(tight_box(mask))
    return box, mask[box]


def test_the_same_seed_draws_the_same_bits(drawn):
    again = micrographs.draw(2, CLEAR)
    np.testing.assert_array_equal(again.grey, drawn[2].grey)
    np.testing.assert_array_equal(again.labels, drawn[2].labels)
    assert again.grana == drawn[2].grana
    assert not np.array_equal(drawn[1].grey, drawn[2].grey)


def test_directions_and_periods_are_those_of_the_pixels(drawn):
    directions, periods = [], []
    for one in drawn:
        for granum in one.grana:
            box, mask = inner(one.labels, granum.number)
            grey = one.grey[box] / 255
            # Parts at the border may show few layers.
            if not granum.certain or granum.touches_border or mask.sum() < 4000:
                continue
            found = orientation(grey, mask)
            away = (found.degrees - granum.direction_deg + 90) % 180 - 90
            directions.append(abs(away))
            image, turned = rotate(grey, mask, -((granum.direction_deg + 90) % 180 - 90))
            periods.append(abs(autocorrelation(image, turned).period_px / granum.period_px - 1))
    assert len(directions) >= 12
    assert np.median(directions) < 1.5
    assert np.mean(np.array(directions) < 6) > 0.85
    assert np.median(periods) < 0.03


def test_labels_and_numbers_agree(drawn):
    for one in drawn:
        assert one.grey.dtype == np.uint8 and one.grey.shape == one.labels.shape == CLEAR.size
        numbers = [granum.number for granum in one.grana]
        assert numbers == list(range(1, len(numbers) + 1))
        assert set(np.unique(one.labels)) - {0} == set(numbers)
        for granum in one.grana:
            where = np.argwhere(one.labels == granum.number)
            at_edge = (where == 0).any() or (where == np.array(CLEAR.size) - 1).any()
            assert granum.touches_border == at_edge
            assert granum.layers >= 2 and 0 <= granum.direction_deg < 180
            nm = granum.period_px / one.px_per_nm
            assert 8 < nm < 40


@pytest.mark.hurry
def test_a_scene_may_have_no_grana():
    config = dataclasses.replace(CLEAR, without=1.0)
    scene = compiling.jit(lambda key: draw_scene(key, config))(jax.random.key(0))
    assert not scene.stacks.exists.any()


def test_grey_values_are_levelled_whatever_their_unit():
    grey = np.random.default_rng(0).normal(100, 20, (64, 64)).astype(np.float32)
    first = render.levelled(grey, render.percentiles(grey))
    other = render.levelled(300 * grey + 7, render.percentiles(300 * grey + 7))
    np.testing.assert_allclose(first, other, atol=1e-3)
    low, middle, high = np.percentile(np.asarray(first)[::4, ::4], [2, 50, 98])
    assert middle == pytest.approx(0, abs=1e-3) and high - low == pytest.approx(2, rel=1e-3)


@pytest.mark.hurry
def test_tiles_and_their_truth(drawn):
    tiles = jax.device_get(
        compiling.jit(lambda key: render.render(key, 4, 64, CLEAR))(jax.random.key(3))
    )
    assert tiles.image.shape == (4, 64, 64)
    for name in ("granum", "care", "distance", "cosine", "sine", "log_period", "readable"):
        values = getattr(tiles, name)
        assert values.shape == (4, 32, 32) and np.isfinite(values).all(), name
    assert tiles.granum.any() and not tiles.granum.all()
    inside = tiles.granum & tiles.readable
    length = np.hypot(tiles.cosine, tiles.sine)[inside]
    np.testing.assert_allclose(length, 1, atol=1e-4)
    # 18 to 28 nm at 0.4 px/nm, with spread and strain.
    assert np.all(np.abs(np.exp(tiles.log_period[inside]) - 9.2) < 5)
    assert np.all(tiles.distance[~tiles.granum & (tiles.distance > 0)] < 0.1)
