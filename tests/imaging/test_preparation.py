import csv

import jax.numpy as jnp
import numpy as np
import pytest
from helpers.crops import ellipse, stripes
from skimage.transform import resize

from srd_jax.imaging.crop import read_crop
from srd_jax.imaging.preparation import (
    middle,
    normalised,
    prepare,
    prepare_scales,
    prepare_windows,
    reduced,
    resample,
)
from srd_jax.support.errors import InputError


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((60, 90), (119, 133)),  # both axes grow
        ((150, 140), (47, 61)),  # both shrink
        ((50, 200), (119, 95)),  # rows grow, columns shrink
        ((200, 50), (95, 119)),  # rows shrink, columns grow
        ((119, 119), (119, 119)),  # neither
        ((2, 2), (40, 30)),  # the smallest accepted
        ((300, 650), (476, 476)),
    ],
)
def test_resample_equals_scikit_image(source, target):
    image = np.random.default_rng(0).random(source)
    expected = resize(image, target, order=3)
    np.testing.assert_allclose(resample(image, target), expected, rtol=0, atol=1e-6)


def test_resample_clips_the_overshoot_at_an_edge():
    step = np.repeat([[0.0], [1.0]], 10, axis=0) * np.ones((1, 20))
    result = resample(step, (95, 95))
    assert result.min() == 0.0
    assert result.max() == 1.0


def _reference_box(mask, max_rows):
    """Tight crop, middle rows, tight crop, written with index lists."""
    rows = [r for r in range(mask.shape[0]) if mask[r].any()]
    first, last = rows[0], rows[-1]
    if last - first + 1 > max_rows:
        first += (last - first + 1 - max_rows) // 2
        rows = [r for r in range(first, first + max_rows) if mask[r].any()]
    part = mask[rows[0] : rows[-1] + 1]
    columns = [c for c in range(mask.shape[1]) if part[:, c].any()]
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


@pytest.mark.parametrize("height", [40, 80, 81, 82])
def test_prepare_masks_crops_and_rescales(height):
    rng = np.random.default_rng(height)
    image = rng.random((120, 100)).astype(np.float32)
    mask = np.zeros(image.shape, bool)
    centre = 10 + height / 2
    row, column = np.mgrid[:120, :100]
    # An ellipse whose ends are single pixels, so that its height is exact.
    mask[((row - centre + 0.5) / (height / 2)) ** 2 + ((column - 45) / 30) ** 2 <= 1] = True
    mask[10, 45] = mask[10 + height - 1, 45] = True

    prepared = prepare(image, mask, frame=(96, 70), max_rows=80)

    row0, row1, column0, column1 = _reference_box(mask, 80)
    assert prepared.box == (row0, row1, column0, column1)
    assert row1 - row0 == min(height, 80)
    masked = np.where(mask, image, 0)[row0:row1, column0:column1]
    expected = resize(masked.astype(np.float64), (96, 70), order=3)
    np.testing.assert_allclose(prepared.image, expected, rtol=0, atol=1e-6)
    assert prepared.image.dtype == np.float32
    assert prepared.scale == 96 / (row1 - row0)


def test_middle_rows_are_cropped_tightly_again():
    mask = np.zeros((50, 40), bool)
    mask[:10, :] = mask[-10:, :] = True  # wide ends that the middle rows leave out
    mask[10:40, 15:25] = True
    mask[20, 15:25] = False
    prepared = prepare(np.full(mask.shape, 0.5), mask, frame=(60, 60), max_rows=20)
    assert prepared.box == (15, 35, 15, 25)
    assert prepared.scale == 3.0


@pytest.mark.parametrize(
    ("height", "count"), [(20, 1), (21, 3), (40, 3), (41, 5), (60, 5), (95, 9)]
)
def test_windows_cover_a_high_granum_and_overlap_by_half(height, count):
    image = np.random.default_rng(0).random((100, 30))
    mask = np.zeros(image.shape, bool)
    mask[3 : 3 + height, 4:26] = True
    mask[3:13, 4:9] = False  # the first window is as wide as its own rows are
    mask[13:23, 4:9] = height < 40
    windows = prepare_windows(image, mask, frame=(50, 40), max_rows=20)
    assert len(windows) == count
    starts, ends = ([one.box[i] for one in windows] for i in range(2))
    assert (starts[0], ends[-1]) == (3, 3 + height)
    assert {end - start for start, end in zip(starts, ends, strict=True)} == {20}
    steps = np.diff(starts)
    assert (steps <= 10).all()
    assert count == 1 or np.ptp(steps) <= 1
    middle = prepare(image, mask, frame=(50, 40), max_rows=20)
    np.testing.assert_array_equal(windows[count // 2].image, middle.image)
    assert windows[count // 2].box == middle.box
    for one in windows:
        rows = np.s_[one.box[0] : one.box[1]]
        alone = prepare(image[rows], mask[rows], frame=(50, 40))
        np.testing.assert_array_equal(one.image, alone.image)
        assert (one.box[2:], one.scale) == (alone.box[2:], alone.scale)
    assert windows[0].box[2] == (9 if height >= 40 else 4)


def test_a_window_without_granum_is_refused():
    mask = np.zeros((100, 10), bool)
    mask[[0, 1, 40, 41, 60, 99]] = True
    with pytest.raises(InputError, match="in rows 10 to 30"):
        prepare_windows(np.ones(mask.shape), mask, max_rows=20)


def test_values_outside_of_the_mask_do_not_matter():
    rng = np.random.default_rng(1)
    image = rng.random((30, 40))
    mask = np.zeros(image.shape, bool)
    mask[5:25, 8:30] = rng.random((20, 22)) < 0.8
    other = np.where(mask, image, np.nan)
    np.testing.assert_array_equal(prepare(image, mask).image, prepare(other, mask).image)


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1)])
def test_too_small_a_granum_is_refused(shape):
    mask = np.zeros((40, 40), bool)
    mask[3 : 3 + shape[0], 4 : 4 + shape[1]] = True
    with pytest.raises(InputError, match=f"{shape[0]} x {shape[1]} px.*at least 2 x 2"):
        prepare(np.full(mask.shape, 0.5), mask)


def test_empty_masks_are_refused():
    with pytest.raises(InputError, match="all pixels are masked"):
        prepare(np.zeros((10, 10)), np.zeros((10, 10), bool))
    with pytest.raises(InputError, match="all pixels are masked"):
        prepare(np.zeros((0, 10)), np.zeros((0, 10), bool))
    ends = np.zeros((100, 10), bool)
    ends[[0, 99]] = True
    with pytest.raises(InputError, match="in rows 40 to 60; accepted is the crop of one"):
        prepare(np.zeros(ends.shape), ends, max_rows=20)


@pytest.mark.parametrize(
    ("image", "mask", "message"),
    [
        (np.zeros((5, 5)), np.ones((5, 6)), "same"),
        (np.zeros((5, 5, 3)), np.ones((5, 5, 3)), "same"),
        (np.full((5, 5), 200, np.uint8), np.ones((5, 5)), "200 to 200; accepted"),
        (np.full((5, 5), -0.5), np.ones((5, 5)), "-0.5 to -0.5; accepted"),
        (np.full((5, 5), np.nan), np.ones((5, 5)), "25 pixels"),
    ],
)
def test_arrays_that_are_no_crop_are_refused(image, mask, message):
    with pytest.raises(InputError, match=message) as caught:
        prepare(image, mask)
    assert "\n" not in str(caught.value)


def test_scales_of_real_crops_equal_the_reference(reference_dir):
    folder = reference_dir / "real_grana"
    with (folder / "annotations.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 8
    for row in rows:
        crop = read_crop(folder / row["granum_image"])
        assert crop.image.shape == (int(row["height"]), int(row["width"]))
        prepared = prepare(crop.image, crop.mask)
        assert prepared.image.shape == (476, 476)
        assert prepared.scale == pytest.approx(float(row["reference_scale"]), abs=1e-6)


@pytest.mark.parametrize(
    ("height", "shown"),
    [
        (20, [20]),
        (25, [20]),
        (26, [20, 26]),
        (64, [20, 64]),
        (65, [20, 36, 65]),
        (300, [20, 49, 122, 300]),
    ],
)
def test_scales_go_from_the_middle_rows_to_all_of_them(height, shown):
    image = np.random.default_rng(0).random((320, 30))
    mask = np.zeros(image.shape, bool)
    mask[7 : 7 + height, 4:26] = True
    scales = prepare_scales(image, mask, frame=(50, 40), max_rows=20)
    assert [one.box[1] - one.box[0] for one in scales] == shown
    first = prepare(image, mask, frame=(50, 40), max_rows=20)
    np.testing.assert_array_equal(scales[0].image, first.image)
    assert (scales[0].box, scales[0].scale) == (first.box, first.scale)
    for one, rows in zip(scales, shown, strict=True):
        assert one.scale == 50 / rows
        assert abs(one.box[0] + one.box[1] - (14 + height)) <= 1  # around the middle
        whole = prepare(image[slice(*one.box[:2])], mask[slice(*one.box[:2])], (50, 40), height)
        np.testing.assert_array_equal(one.image, whole.image)
    if len(shown) > 1:
        assert scales[-1].box == (7, 7 + height, 4, 26)


def drawn():
    """Grey values of float64 whose ranks are the percentiles', and an odd mask of them."""
    image = np.random.default_rng(2).gamma(4.0, 0.1, (101, 120))
    mask = ellipse(image.shape)
    mask[50, 60] = np.count_nonzero(mask) % 2 == 0
    return image, mask


def test_normalised_grey_values_have_their_percentiles():
    image, mask = drawn()
    found = normalised(image, mask)
    low, median, high = np.percentile(image[mask], (2, 50, 98), method="nearest")
    expected = 0.45 + 0.35 * (image - median) / (high - low)
    far = mask & ((expected < 0) | (expected > 1))
    assert far.any()
    np.testing.assert_allclose(found[mask & ~far], expected[mask & ~far], atol=1e-6)
    np.testing.assert_array_equal(found[far], np.clip(expected[far], 0, 1))
    assert np.all(found[~mask] == 0)
    assert found.dtype == np.float32
    # Of a large image, percentiles of a grid are nearly those of all.
    large = np.random.default_rng(3).normal(0.5, 0.1, (900, 800))
    given = normalised(large, np.ones(large.shape, bool))
    low, median, high = np.percentile(given, (2, 50, 98))
    assert median == pytest.approx(0.45, abs=0.005)
    assert high - low == pytest.approx(0.35, rel=0.02)


def test_numpy_and_jax_normalise_alike():
    image, mask = (part[:40, :50] for part in drawn())
    image = image.astype(np.float32)
    found = normalised(jnp.asarray(image), jnp.asarray(mask), jnp)
    np.testing.assert_allclose(found, normalised(image, mask), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("gain", "offset"), [(0.01, 0.2), (3.0, -1.0), (65535.0, 100.0)])
def test_a_linear_change_of_grey_values_is_undone(gain, offset):
    image, mask = drawn()
    expected = normalised(image, mask)
    np.testing.assert_allclose(normalised(gain * image + offset, mask), expected, atol=2e-5)
    within = normalised(np.clip(image, *np.percentile(image[mask], (1, 99))), mask)
    np.testing.assert_allclose(normalised(within, mask), within, atol=1e-6)


def test_broken_pixels_and_the_bit_depth_hardly_matter():
    image, mask = stripes(0) / 255, ellipse((120, 150))
    expected = normalised(image, mask)
    for value in (-50.0, 100.0):
        broken = image.copy()
        broken.flat[::201] = value
        good = mask & (broken == image)
        np.testing.assert_allclose(normalised(broken, mask)[good], expected[good], atol=0.02)
    fine = np.random.default_rng(0).random((120, 150))
    for levels in (255, 4095, 65535):
        coarse = normalised(np.round(fine * levels) / levels, mask)
        np.testing.assert_allclose(coarse, normalised(fine, mask), atol=1.5 * 0.4 / levels)


def test_one_grey_value_becomes_the_middle_one():
    mask = ellipse((20, 30))
    for image in (np.zeros(mask.shape), np.full(mask.shape, 255, np.uint8)):
        np.testing.assert_array_equal(normalised(image, mask), np.where(mask, np.float32(0.45), 0))


@pytest.mark.parametrize("factor", [1, 2, 3, 7])
def test_large_pixels_are_means_over_the_mask(factor):
    rng = np.random.default_rng(factor)
    image, mask = rng.random((23, 31)), rng.random((23, 31)) < 0.6
    found, inside = reduced(image, mask, factor)
    rows, columns = 23 // factor, 31 // factor
    assert found.shape == inside.shape == (rows, columns)
    top, left = (23 - rows * factor) // 2, (31 - columns * factor) // 2
    for row, column in np.ndindex(rows, columns):
        part = np.s_[top + row * factor :, left + column * factor :]
        values, valid = (array[part][:factor, :factor] for array in (image, mask))
        assert inside[row, column] == (valid.mean() >= 0.5)
        if inside[row, column]:
            assert found[row, column] == pytest.approx(values[valid].mean(), rel=1e-12)


@pytest.mark.parametrize(("most", "kept"), [(10, [(0, 5), (1, 11)]), (3, [(1, 4), (4, 7)])])
def test_the_middle_is_cut_out(most, kept):
    image = np.arange(60.0).reshape(5, 12)
    part = tuple(slice(*ends) for ends in kept)
    grey, inside = middle(image, image > 20, most)
    np.testing.assert_array_equal(grey, image[part])
    np.testing.assert_array_equal(inside, image[part] > 20)
