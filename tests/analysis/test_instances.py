import dataclasses

import numpy as np
import pytest
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


def test_the_levels_of_an_outline_are_as_far_apart_as_its_sd():
    maps = true_maps([LONG])
    best, wide, narrow = outlines.outlines(maps, instances(maps), 1, outlines.LEVELS, (400, 500))
    # The maps' transition is logistic: its 30 % and 70 % lie ln(7 / 3) px of the maps apart; they
    # are blurred by 0.5 px, too.
    apart = np.hypot(np.log(7 / 3), 0.5 * outlines.SDS_APART) / 0.3
    sides = outlines.area(wide) - outlines.area(narrow)
    assert sides == pytest.approx(apart * 2 * (400 + 50), rel=0.15)
    assert outlines.area(narrow) < outlines.area(best) < outlines.area(wide)


def bent(inner=150.0, outer=200.0, half=1.0, scale=0.3, shape=(300, 500)):
    """Perfect maps of a sector of a ring, its lamellae along it."""
    maps = true_maps([], shape, scale=scale)
    rows, columns = maps.probability.shape
    y, x = (np.mgrid[:rows, :columns] + 0.5) / scale
    right, down = x - 250, y - 260
    radius, angle = np.hypot(right, down), np.arctan2(right, -down)
    near = np.minimum(radius - inner, outer - radius)
    near = np.minimum(near, (half - abs(angle)) * radius)
    turn = -2 * angle
    return dataclasses.replace(
        maps,
        probability=1 / (1 + np.exp(np.clip(-near * scale * 2, -60, 60))),
        distance=np.clip(near / 40, 0, 1),
        cosine=np.where(near > -5, np.cos(turn), 0),
        sine=np.where(near > -5, np.sin(turn), 0),
    )


def noisy(maps, seed, sd=0.1):
    random = np.random.default_rng(seed)
    values = {
        name: np.clip(getattr(maps, name) + random.normal(0, sd, maps.probability.shape), 0, 1)
        for name in ("probability", "distance")
    }
    return dataclasses.replace(maps, **values)


@pytest.mark.parametrize("seed", range(4))
def test_a_bent_granum_stays_whole(seed):
    assert instances(noisy(bent(), seed)).labels.max() == 1


def shallow(second):
    """Two grana whose distance hardly falls between them; the second one's direction is given."""
    maps = true_maps([Stack(250.0, 200.0, 240.0, 60.0, 0.0, 12.0)])
    middle = maps.distance.shape[1] // 2
    distance = maps.distance.copy()
    distance[:, middle - 2 : middle + 2] *= 0.8
    turn = np.deg2rad(2 * second) * (np.arange(maps.distance.shape[1]) >= middle)
    inside = maps.probability > 0.05
    return dataclasses.replace(
        maps, distance=distance, cosine=np.cos(turn) * inside, sine=np.sin(turn) * inside
    )


@pytest.mark.parametrize(("second", "number"), [(0.0, 1), (20.0, 1), (60.0, 2), (90.0, 2)])
def test_a_shallow_valley_parts_lamellae_of_other_directions(second, number):
    assert instances(shallow(second)).labels.max() == number


def test_a_neck_parts_grana_where_the_distance_is_flat():
    stacks = [
        Stack(150.0, 200.0, 120.0, 130.0, 0.0, 12.0),
        Stack(330.0, 200.0, 120.0, 130.0, 0.0, 12.0),
    ]
    neck = Stack(240.0, 200.0, 80.0, 30.0, 0.0, 12.0)
    maps = true_maps([*stacks, neck])
    maps = dataclasses.replace(maps, distance=np.where(maps.probability > 0.5, 0.8, 0.0))
    assert instances(maps).labels.max() == 2
    assert instances(noisy(maps, 0)).labels.max() == 2
    long = true_maps([LONG])
    long = dataclasses.replace(long, distance=np.where(long.probability > 0.5, 0.8, 0.0))
    assert instances(long).labels.max() == 1


def test_small_holes_are_filled_and_what_lies_in_large_ones_is_kept():
    maps = true_maps([Stack(250.0, 200.0, 200.0, 160.0, 0.0, 12.0)])
    whole = int((instances(maps).labels == 1).sum())
    probability = maps.probability.copy()
    probability[55:65, 65:80] = 0
    found = instances(dataclasses.replace(maps, probability=probability))
    assert found.labels.max() == 1
    assert int((found.labels == 1).sum()) == whole


def test_without_a_scale_specks_are_dropped_by_their_period():
    speck = [Stack(100.0, 100.0, 50.0, 40.0, 0.0, 10.0)]
    assert instances(true_maps(speck)).labels.max() == 1
    maps = true_maps(speck)
    coarse = dataclasses.replace(maps, log_period=np.full_like(maps.log_period, np.log(25.0)))
    assert instances(coarse).labels.max() == 0


def test_grana_are_numbered_from_the_top():
    stacks = [Stack(x, y, 80.0, 60.0, 0.0, 12.0) for x, y in ((400, 300), (100, 200), (250, 60))]
    found = instances(true_maps(stacks))
    centres = [np.mean(np.nonzero(found.labels == number)[0]) for number in (1, 2, 3)]
    assert centres == sorted(centres)
    assert [found.inside(number).sum() for number in (1, 2, 3)] == [
        (found.labels == number).sum() for number in (1, 2, 3)
    ]


def test_grana_of_which_the_detector_isnt_certain_are_dropped():
    plain = true_maps((LONG, Stack(400.0, 330.0, 120.0, 80.0, 0.0, 12.0)))
    below = plain.probability.copy()
    below[75:, 95:] *= 0.8
    maps = dataclasses.replace(plain, probability=below)
    assert len(instances(maps).boxes) == 2
    assert len(instances(dataclasses.replace(maps, certain=0.4)).boxes) == 2
    (box,) = instances(dataclasses.replace(maps, certain=0.6)).boxes
    assert box[1].start < 40
    # Of another threshold, the same share.
    assert len(instances(dataclasses.replace(maps, certain=0.6), 0.2).boxes) == 2
