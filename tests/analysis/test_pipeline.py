import dataclasses

import numpy as np
import pytest
import tifffile
from helpers.micrographs import Stack, depth, drawn, true_maps

from srd_jax.analysis import pipeline
from srd_jax.analysis.pipeline import analyse_micrograph
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.measuring import methods
from srd_jax.measuring.measure_files import measure_files
from srd_jax.support.errors import InputError

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


def test_two_grana_taken_for_one_are_doubted(method):
    left = Stack(150.0, 200.0, 160.0, 110.0, 0.0, 13.0)
    right = Stack(280.0, 200.0, 110.0, 100.0, 90.0, 13.0)
    masks = np.zeros((400, 500), np.uint16)
    masks[145:255, 70:335] = 1
    found = analyse_micrograph(drawn([left, right]), None, method, masks=masks)
    (granum,) = found.analysis.grana
    assert granum.status == "low_confidence"
    assert "of its lamellae run in another direction, is it one granum?" in granum.reason


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


def granum_of(stack, method, micrograph=None, maps=None, **options):
    """The only granum of a drawn micrograph."""
    found = analyse_micrograph(
        micrograph or drawn([stack]), lambda *_: maps or true_maps([stack]), method, **options
    )
    (granum,) = found.analysis.grana
    return granum


@pytest.mark.parametrize("direction", [0.0, 40.0, 135.0])
def test_a_granum_agrees_with_its_crop_cut_out_by_hand(method, direction, tmp_path):
    stack = Stack(250.0, 200.0, 160.0, 120.0, direction, 13.0)
    micrograph = drawn([stack], noise=0.1)
    granum = granum_of(stack, method, micrograph)
    y, x = np.mgrid[:400, :500] + 0.5
    inside = depth(stack, x, y) > 0
    rows, columns = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    tifffile.imwrite(tmp_path / "cut.tif", micrograph.grey[box])
    tifffile.imwrite(tmp_path / "cut_mask.tif", inside[box].astype(np.uint8))
    (by_hand,) = measure_files(method, [tmp_path / "cut.tif"], 0.67, auto_rotate=True)
    assert by_hand.result.status == granum.status == "ok"
    sd = np.hypot(by_hand.result.sd_px, granum.period_px.sd)
    assert abs(by_hand.result.period_px - granum.period_px.value) < 2 * sd


def test_grey_values_of_16_bits_or_floats_give_the_same_numbers(method):
    stack = Stack(250.0, 200.0, 160.0, 120.0, 40.0, 13.0)
    micrograph = drawn([stack])
    expected = granum_of(stack, method, micrograph)
    for grey in (micrograph.grey.astype(np.uint16) * 257, micrograph.grey / np.float32(255)):
        found = granum_of(stack, method, dataclasses.replace(micrograph, grey=grey))
        assert found.period_px.value == pytest.approx(expected.period_px.value, rel=1e-4)
        assert found.status == expected.status == "ok"


@pytest.mark.parametrize(
    ("stack", "px_per_nm", "probable", "reason"),
    [
        (Stack(250.0, 200.0, 48.0, 36.0, 20.0, 12.0), 0.67, 1.0, "nm² is below 6000 nm²"),
        (Stack(250.0, 200.0, 48.0, 36.0, 20.0, 12.0), None, 1.0, "squared periods is below 15"),
        (Stack(250.0, 200.0, 160.0, 120.0, 20.0, 12.0), 0.2, 1.0, "4.0 px apart, below 4.5 px"),
        (Stack(250.0, 200.0, 160.0, 120.0, 20.0, 12.0), 0.67, 0.56, "is below 0.60"),
    ],
)
def test_a_doubtful_granum_keeps_its_numbers_and_says_why(
    method, stack, px_per_nm, probable, reason
):
    maps = true_maps([stack])
    maps = dataclasses.replace(maps, probability=maps.probability * np.float32(probable))
    granum = granum_of(stack, method, drawn([stack], px_per_nm=px_per_nm), maps)
    assert granum.status == "low_confidence"
    assert reason in granum.reason
    assert granum.area_px2.value > 0 and granum.height_px.value > 0
    assert abs((granum.direction_deg.value - 20 + 90) % 180 - 90) < 3


def test_grana_that_were_taken_for_one_are_doubted(method):
    # A frame of four long grana, of which one direction is right for half.
    x, y, long = 250.0, 200.0, 300.0
    frame = [
        Stack(x, y - 130, long, 50.0, 0.0, 12.0),
        Stack(x - 125, y, 50.0, long, 0.0, 12.0),
        Stack(x + 125, y, 50.0, long, 0.0, 12.0),
    ]
    maps = true_maps(frame)
    maps = dataclasses.replace(maps, distance=np.where(maps.probability > 0.5, 1.0, 0.0))
    granum = granum_of(None, method, drawn(frame), maps)
    assert granum.gsi.value > 0.5
    assert granum.status == "low_confidence" and "is it one granum?" in granum.reason


def test_a_granum_without_lamellae_is_measured_for_its_size(method):
    stack = Stack(250.0, 200.0, 160.0, 120.0, 0.0, 12.0)
    grey = np.random.default_rng(0).normal(128, 20, (400, 500)).clip(0, 255).astype(np.uint8)
    maps = true_maps([stack])
    none = np.zeros_like(maps.cosine)
    granum = granum_of(
        stack,
        method,
        Micrograph("noise.png", grey, 0.67, "given"),
        dataclasses.replace(maps, cosine=none, sine=none),
    )
    assert granum.status == "low_confidence"
    assert "no direction of lamellae" in granum.reason
    assert granum.direction_deg is None and granum.period_px is None and granum.height_px is None
    assert granum.area_px2.value == pytest.approx(160 * 120, rel=0.05)


class Fragile:
    """A method that can't measure the grana of some heights, and breaks at others."""

    def __init__(self, method, refused, broken):
        self.method, self.refused, self.broken = method, refused, broken
        self.field_rows = method.field_rows

    def prepare(self, crop):
        if abs(len(crop.mask) - self.refused) < 6:
            raise InputError("drawn.png: can't be measured")
        return crop, self.method.prepare(crop)

    def measure_good(self, prepared):
        good = [one for one in prepared if not isinstance(one, str)]
        if any(abs(len(crop.mask) - self.broken) < 6 for crop, _ in good):
            raise ValueError("broken")
        return self.method.measure_good(
            [one if isinstance(one, str) else one[1] for one in prepared]
        )


def test_one_odd_granum_stops_no_other(method, monkeypatch):
    found = analyse_micrograph(drawn(STACKS), perfect, Fragile(method, 90, 150))
    grana = {nearest(one): one for one in found.analysis.grana}
    refused, good, _, broken = (grana[stack] for stack in STACKS)
    assert "could not be measured (an unexpected ValueError" in broken.reason
    assert good.status == "ok" and good.layers is not None
    assert refused.period_px is None and refused.status == broken.status == "low_confidence"
    assert refused.height_px.value == pytest.approx(90, rel=0.05)

    def nothing(*_):
        raise InputError("nothing to be counted")

    monkeypatch.setattr(pipeline, "count_layers", nothing)
    found = analyse_micrograph(drawn(STACKS), perfect, method)
    assert all(one.layers is None for one in found.analysis.grana)
    assert all("layers: nothing to be counted" in one.reason for one in found.analysis.grana)


def test_batches_change_nothing(method, monkeypatch):
    whole = analyse_micrograph(drawn(STACKS), perfect, method)
    monkeypatch.setattr(pipeline, "_AT_ONCE", 1)
    single = analyse_micrograph(drawn(STACKS), perfect, method)
    assert [one.number for one in single.analysis.grana] == [1, 2, 3, 4]
    for one, other in zip(single.analysis.grana, whole.analysis.grana, strict=True):
        assert one.period_px.value == pytest.approx(other.period_px.value, rel=1e-4)
    assert set(single.crops) == set(single.measurements) == {1, 2, 3, 4}


def test_an_empty_micrograph_has_no_grana_and_masks_must_fit(method):
    found = analyse_micrograph(drawn([]), lambda *_: true_maps([]), method)
    assert found.analysis.grana == () and found.analysis.strain is None
    assert (found.analysis.rows, found.analysis.columns) == (400, 500)
    empty = analyse_micrograph(drawn([]), None, method, masks=np.zeros((400, 500), np.uint16))
    assert empty.analysis.grana == ()
    with pytest.raises(InputError, match="masks of shape"):
        analyse_micrograph(drawn([]), None, method, masks=np.zeros((4, 5), np.uint16))
