import math

import numpy as np
import pytest
from helpers.micrographs import Stack, depth, drawn
from scipy import ndimage

from srd_jax.analysis import classical
from srd_jax.imaging.micrographs.micrograph import Micrograph

SHAPE, PX_PER_NM = (620, 700), 0.67
STACKS = (
    Stack(170.0, 160.0, 190.0, 110.0, 20.0, 13.0),
    Stack(480.0, 170.0, 200.0, 150.0, 75.0, 16.0),
    Stack(180.0, 440.0, 220.0, 130.0, 130.0, 10.5),
    Stack(500.0, 450.0, 160.0, 190.0, 160.0, 18.5),
)


def centres(maps):
    rows, columns = maps.probability.shape
    return (np.mgrid[:rows, :columns] + 0.5) / maps.scale


def share(maps, where):
    """The share of a part of the maps that is taken for granum."""
    return float((maps.probability >= 0.5)[where].mean())


@pytest.mark.parametrize("noise", [0.02, 0.12])
def test_stripes_are_found_with_direction_and_period(noise):
    maps = classical.detect(drawn(STACKS, SHAPE, PX_PER_NM, noise), PX_PER_NM)
    y, x = centres(maps)
    for stack in STACKS:
        inner = depth(stack, x, y) > 15
        assert share(maps, inner) > 0.9
        doubled = (maps.cosine + 1j * maps.sine)[inner].mean()
        turn = math.degrees(np.angle(doubled)) / 2 - stack.direction
        assert abs((turn + 90) % 180 - 90) < 3
        assert np.exp(np.median(maps.log_period[inner])) == pytest.approx(stack.period, rel=0.05)
    outside = np.max([depth(stack, x, y) for stack in STACKS], axis=0) < -25
    assert share(maps, outside) < 0.01


def test_maps_lie_on_the_micrograph_and_their_distance_is_that_to_the_outline():
    stack = Stack(350.0, 310.0, 260.0, 260.0, 0.0, 14.0)
    maps = classical.detect(drawn([stack], SHAPE, PX_PER_NM, 0.02), PX_PER_NM)
    y, x = centres(maps)
    found = maps.probability >= 0.5
    assert x[found].mean() == pytest.approx(350, abs=4)
    assert y[found].mean() == pytest.approx(310, abs=4)
    assert maps.distance[~found].max() == 0
    near = found & (depth(stack, x, y) < 20) & (depth(stack, x, y) > 10)
    assert maps.distance[near].mean() < 0.75
    assert maps.distance[depth(stack, x, y) > 70].min() == 1


@pytest.mark.parametrize(("px_per_nm", "factor"), [(1.6, 2.4), (0.3, 0.45)])
def test_the_scale_changes_nothing(px_per_nm, factor):
    stack = Stack(300.0 * factor, 250.0 * factor, 200 * factor, 160 * factor, 40.0, 14.0 * factor)
    shape = round(500 * factor), round(600 * factor)
    maps = classical.detect(drawn([stack], shape, px_per_nm, 0.05), px_per_nm)
    y, x = centres(maps)
    inner = depth(stack, x, y) > 20 * factor
    assert share(maps, inner) > 0.9
    assert np.exp(np.median(maps.log_period[inner])) == pytest.approx(14 * factor, rel=0.05)


def test_blocks_join_without_a_seam(monkeypatch):
    stack = Stack(420.0, 420.0, 500.0, 300.0, 30.0, 14.0)
    micrograph = drawn([stack], (900, 900), 0.45, 0.05)
    maps = classical.detect(micrograph, 0.45)
    monkeypatch.setattr(classical, "_BLOCK", 1152)
    classical._bank.cache_clear()
    whole = classical.detect(micrograph, 0.45)
    classical._bank.cache_clear()
    assert np.abs(maps.probability - whole.probability).max() < 0.1
    assert np.abs(maps.probability - whole.probability).mean() < 0.005


def lines(distances, radius):
    """Rings around the middle, dark lines of 4 px."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    away = np.hypot(y - SHAPE[0] / 2, x - SHAPE[1] / 2)
    return sum(np.exp(-(((away - radius - one) / 3) ** 2)) for one in distances)


def micrograph(grey):
    return Micrograph("drawn", np.clip(np.round(grey), 0, 255).astype(np.uint8), PX_PER_NM)


@pytest.mark.parametrize("blur", [0, 1, 3, 8])
def test_noise_is_no_granum(blur):
    noise = np.random.default_rng(3).normal(size=SHAPE)
    if blur:
        noise = ndimage.gaussian_filter(noise, blur)
    maps = classical.detect(micrograph(128 + 30 * noise / noise.std()), PX_PER_NM)
    assert share(maps, ...) < 0.003


@pytest.mark.parametrize("distances", [(0,), (0, 13)])
@pytest.mark.parametrize("radius", [60, 150, 250])
def test_a_double_membrane_is_no_granum(distances, radius):
    noise = np.random.default_rng(4).normal(0, 8, SHAPE)
    maps = classical.detect(micrograph(150 - 70 * lines(distances, radius) + noise), PX_PER_NM)
    assert share(maps, ...) < 0.003


@pytest.mark.parametrize("grey", [np.full((300, 200), 7), np.zeros((1, 1)), np.full((3, 900), 9.0)])
@pytest.mark.parametrize("px_per_nm", [0.05, 0.67, 40.0])
def test_nothing_is_no_granum(grey, px_per_nm):
    maps = classical.detect(Micrograph("blank", grey, px_per_nm), px_per_nm)
    assert np.isfinite([maps.cosine, maps.sine, maps.log_period, maps.distance]).all()
    assert maps.probability.max() < 0.5
