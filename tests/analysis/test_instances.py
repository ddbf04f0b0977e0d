import dataclasses

import numpy as np
from helpers.micrographs import Stack, true_maps

from srd_jax.analysis import outlines
from srd_jax.analysis.instances import instances

LONG = Stack(250.0, 200.0, 400.0, 50.0, 25.0, 12.0)
TOUCHING = (
    Stack(150.0, 200.0, 120.0, 130.0, 0.0, 12.0),
    Stack(272.0, 200.0, 120.0, 130.0, 0.0, 13.0),
)


def test_a_long_granum_stays_whole_and_touching_ones_come_apart():
    assert instances(true_maps([LONG])).labels.max() == 1
    found = instances(true_maps(TOUCHING))
    assert found.labels.max() == 2
    # In reading order, about as large as they are.
    sizes = np.bincount(found.labels.ravel())[1:] / 0.3**2
    np.testing.assert_allclose(sizes, 120 * 130, rtol=0.06)


def test_noise_of_the_maps_makes_no_grana_and_no_cuts():
    random = np.random.default_rng(0)
    maps = true_maps([LONG])
    for name, sd in (("probability", 0.15), ("distance", 0.08)):
        values = getattr(maps, name) + random.normal(0, sd, maps.probability.shape)
        maps = dataclasses.replace(maps, **{name: np.clip(values, 0, 1)})
    found = instances(maps)
    assert found.labels.max() == 1
    assert 0.7 < found.detection[0] < 1


def test_specks_are_dropped_by_their_area():
    maps = true_maps([Stack(100.0, 100.0, 50.0, 40.0, 0.0, 10.0)])
    assert instances(maps, px_per_nm=0.67).labels.max() == 1
    assert instances(maps, px_per_nm=2.0).labels.max() == 0


def test_empty_maps_have_no_grana():
    found = instances(true_maps([]))
    assert found.labels.max() == 0
    assert found.detection.shape == (0,)


def test_an_outline_lies_on_the_granum():
    maps = true_maps([LONG])
    found = instances(maps)
    best, wide, narrow = outlines.outlines(maps, found, 1, (0.5, 0.3, 0.7), (400, 500))
    assert abs(outlines.area(best) / (400 * 50) - 1) < 0.04
    assert outlines.area(wide) > outlines.area(best) > outlines.area(narrow)
    mask, box = outlines.rasterised(best, (400, 500))
    assert abs(mask.sum() / outlines.area(best) - 1) < 0.01
    y, x = np.nonzero(mask)
    np.testing.assert_allclose(
        (x.mean() + box[1].start + 0.5, y.mean() + box[0].start + 0.5), (250, 200), atol=1
    )


def test_an_outline_beyond_the_border_is_cut_off():
    square = np.array([[-10.0, -5.0], [20.0, -5.0], [20.0, 15.0], [-10.0, 15.0]])
    mask, box = outlines.rasterised(square, (30, 12))
    assert box == (slice(0, 15), slice(0, 12))
    assert mask.all()
