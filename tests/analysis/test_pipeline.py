import numpy as np
import pytest
from helpers.micrographs import Stack, depth, drawn, true_maps

from srd_jax.analysis.pipeline import analyse_micrograph
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.measuring import methods

STACKS = (
    Stack(120.0, 90.0, 110.0, 90.0, 20.0, 13.0),
    Stack(300.0, 120.0, 140.0, 75.0, 75.0, 15.0),
    Stack(150.0, 280.0, 150.0, 120.0, 130.0, 12.5),
    Stack(390.0, 280.0, 100.0, 150.0, 150.0, 16.0),
)


@pytest.fixture(scope="module")
def method():
    return methods.make()


def perfect(micrograph, px_per_nm):
    return true_maps(STACKS, micrograph.grey.shape)


def nearest(granum):
    return min(STACKS, key=lambda one: np.hypot(one.x - granum.x_px, one.y - granum.y_px))


@pytest.mark.parametrize("px_per_nm", [0.67, None])
def test_the_numbers_of_drawn_grana(method, px_per_nm):
    found = analyse_micrograph(drawn(STACKS, px_per_nm=px_per_nm), perfect, method)
    assert len(found.analysis.grana) == len(STACKS)
    for granum in found.analysis.grana:
        true = nearest(granum)
        assert granum.status == "ok", granum.reason
        assert abs((granum.direction_deg.value - true.direction + 90) % 180 - 90) < 1
        assert granum.period_px.value == pytest.approx(true.period, rel=0.015)
        assert granum.height_px.value == pytest.approx(true.height, rel=0.04)
        assert granum.diameter_px.value == pytest.approx(true.width, rel=0.04)
        assert granum.area_px2.value == pytest.approx(true.width * true.height, rel=0.05)
        assert granum.thylakoids == round(granum.height_px.value / granum.period_px.value)
        assert abs(granum.layers.value - true.height / true.period) < 1.2
        assert not granum.touches_border
        assert granum.number in found.crops


def test_the_same_granum_by_a_mask_and_by_the_maps_agree(method):
    micrograph = drawn(STACKS)
    y, x = np.mgrid[:400, :500] + 0.5
    masks = np.zeros((400, 500), np.uint16)
    for number, stack in enumerate(STACKS, 3):
        masks[depth(stack, x, y) > 0] = number
    by_mask = analyse_micrograph(micrograph, perfect, method, masks=masks).analysis.grana
    assert [one.number for one in by_mask] == [3, 4, 5, 6]
    by_maps = {
        nearest(one): one for one in analyse_micrograph(micrograph, perfect, method).analysis.grana
    }
    for one in by_mask:
        other = by_maps[nearest(one)]
        assert one.detection is None
        sd = np.hypot(one.period_px.sd, other.period_px.sd)
        assert abs(one.period_px.value - other.period_px.value) < 3 * sd
        assert one.height_px.value == pytest.approx(other.height_px.value, rel=0.05)


def test_a_granum_at_the_border_is_doubted(method):
    stack = Stack(40.0, 200.0, 120.0, 90.0, 0.0, 13.0)
    found = analyse_micrograph(drawn([stack]), lambda micrograph, scale: true_maps([stack]), method)
    (granum,) = found.analysis.grana
    assert granum.touches_border and granum.status == "low_confidence"
    assert "border" in granum.reason
    assert granum.period_px.value == pytest.approx(13, rel=0.02)


@pytest.mark.parametrize("shape", [(1, 1), (5, 300), (300, 300)])
def test_nothing_to_be_measured_is_never_ok(method, shape):
    for grey in (
        np.zeros(shape, np.uint8),
        np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8),
    ):
        # Even if a detector finds a granum everywhere.
        def everywhere(micrograph, scale):
            rows, columns = micrograph.grey.shape
            stack = Stack(columns / 2, rows / 2, columns + 20.0, rows + 20.0, 0.0, 12.0)
            return true_maps([stack], (rows, columns))

        micrograph = Micrograph("x.png", grey, 0.67, "given")
        found = analyse_micrograph(micrograph, everywhere, method)
        assert all(one.status != "ok" for one in found.analysis.grana)
