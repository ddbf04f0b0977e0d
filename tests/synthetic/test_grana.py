import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from srd_jax.imaging.preparation import FRAME, MAX_ROWS, prepare
from srd_jax.support.compiling import jit
from srd_jax.synthetic import grana, granum, layers
from srd_jax.synthetic.config import (
    GranaConfig,
    LayersConfig,
    OutlineConfig,
    ProfileConfig,
    QualityConfig,
)
from srd_jax.synthetic.crops import draw_grana

pytestmark = pytest.mark.hurry

# No noise and straight layers, in crops of few px: the image follows from the drawn numbers.
CLEAN = GranaConfig(
    frame_period=(45.0, 120.0),
    period=(9.0, 40.0),
    rows=(80, 330),
    columns=(100, 220),
    layers=LayersConfig(
        tilt=0.0, bend=(0, 0), fan=0.0, variation=(0, 0), faults=(0, 0), endings=(0, 0)
    ),
    profile=ProfileConfig(overtone=(0.05, 0.1)),
    quality=QualityConfig(
        fade=(0, 0), layer_spread=(0, 0), shading_sd=(0, 0), noise_sd=(0, 0), noise=(0.01, 0.01),
        blobs=(0, 0), scratches=0.0, scan_lines=0.0, jpeg=0.0, stretched=0.0,
    ),
    outline=OutlineConfig(holes=0.0),
)  # fmt: skip
NARROW = (476, 62)


@functools.cache
def renderer(size, frame, clean=False):
    config = CLEAN if clean else GranaConfig()
    return jit(functools.partial(grana.render, size=size, frame=frame, config=config))


@functools.cache
def narrow(seed):
    return jax.device_get(renderer(24, NARROW)(jax.random.key(seed)))


def test_a_batch_has_the_stated_shapes_and_ranges():
    batch = narrow(0)
    assert batch.image.shape == batch.mask.shape == (24, *NARROW)
    assert batch.image.dtype == np.float32
    assert batch.mask.dtype == bool
    assert np.isfinite(batch.image).all()
    assert batch.image.min() >= 0
    assert batch.image.max() <= 1
    assert np.isfinite(batch.target).all()
    # Each frame shows something of its granum; only its rim lies around it.
    assert batch.mask.mean(axis=(1, 2)).min() > 0.2
    outside = np.where(batch.mask, 0, batch.image)
    assert (outside > 0.02).mean() < 0.02


def test_the_same_key_gives_the_same_bits_and_another_another_batch():
    again = renderer(24, NARROW)(jax.random.key(0))
    np.testing.assert_array_equal(again.image, narrow(0).image)
    np.testing.assert_array_equal(again.target, narrow(0).target)
    assert not np.isclose(narrow(1).target, narrow(0).target).any()


def test_bright_and_dark_crops_occur():
    means = [
        255 * image[mask].mean()
        for seed in (0, 1)
        for image, mask in zip(narrow(seed).image, narrow(seed).mask, strict=True)
    ]
    assert np.quantile(means, 0.1) < 90
    assert np.quantile(means, 0.9) > 150


def test_frame_periods_are_uniform_in_their_logarithm_and_crops_have_their_sizes():
    config = GranaConfig()
    sizes = jit(jax.vmap(lambda key: granum._draw_size(key, config)))
    period, rows, columns = map(np.asarray, sizes(jax.random.split(jax.random.key(0), 4000)))
    frame_period = period * FRAME[0] / np.minimum(rows, MAX_ROWS)
    low, high = np.log(config.frame_period)
    uniform = stats.kstest((np.log(frame_period) - low) / (high - low), "uniform")
    assert uniform.pvalue > 0.01
    for values, (least, most) in (
        (period, config.period),
        (rows, config.rows),
        (columns, config.columns),
    ):
        assert least * 0.99 <= values.min() < least * 1.15
        assert most * 0.85 < values.max() <= most * 1.01
    np.testing.assert_array_equal(rows, np.floor(rows))
    shown = np.minimum(rows, MAX_ROWS) / period
    assert shown.min() < 3.5
    assert shown.max() > 28


def measured(image):
    """The period of an image's rows, px, from the highest line of their spectrum."""
    rows = image.mean(axis=1)
    rows = (rows - rows.mean()) * np.hanning(len(rows))
    power = np.abs(np.fft.rfft(rows, 1 << 16)) ** 2
    power[: (1 << 16) // len(rows)] = 0
    return (1 << 16) / power.argmax()


@pytest.mark.parametrize("seed", range(3))
def test_the_target_is_the_period_that_is_seen(seed):
    batch = renderer(8, (476, 62), clean=True)(jax.random.key(seed))
    compared = 0
    for image, mask, target in zip(*map(np.asarray, jax.tree.leaves(batch)), strict=True):
        runs = np.flatnonzero(np.diff(mask[:, 24:38].all(axis=1), prepend=0, append=0))
        first, last = max(zip(runs[::2], runs[1::2], strict=True), key=lambda run: run[1] - run[0])
        part = image[first + 6 : last - 6, 24:38]
        if len(part) > 3.5 * target:
            assert measured(part) == pytest.approx(target, rel=0.02)
            compared += 1
    assert compared >= 3


@functools.cache
def whole_crop():
    """A function of a key: the granum that grana._image draws of it, its crop and its mask."""
    rows, columns = jnp.arange(336.0), jnp.arange(224.0)

    def paint(key):
        one = granum.draw(jax.random.split(key)[0], CLEAN)
        return one, *granum.paint(one, rows, columns, CLEAN)

    return jit(paint)


@functools.cache
def whole_frame():
    return jit(functools.partial(grana._image, frame=FRAME, config=CLEAN))


@pytest.mark.parametrize("seed", range(3))
def test_the_frame_is_what_preparation_makes_of_the_painted_crop(seed):
    """Compares the generator with the host's steps: crop, middle rows, rescaling."""
    key = jax.random.key(seed)
    image, mask, target = whole_frame()(key)
    one, grey, inside = whole_crop()(key)
    height, width = map(int, one.size)
    grey, inside = np.asarray(grey), np.asarray(inside)
    grey, inside = grey[:height, :width], inside[:height, :width]
    # What prepare takes for the granum's extent must be the whole crop, whose corners may be cut.
    first = max(0, (height - MAX_ROWS) // 2)
    part = np.s_[first : first + min(height, MAX_ROWS)]
    whole = np.ones_like(inside[part])
    expected = prepare(grey[part] / 255 * inside[part], whole)
    np.testing.assert_allclose(image, expected.image, atol=5e-6)
    assert float(target) == pytest.approx(float(one.layers.period) * expected.scale, rel=1e-4)
    assert mask.mean() == pytest.approx(inside[part].mean(), abs=0.01)


def test_a_narrow_frame_is_a_part_of_the_whole():
    draw = jit(functools.partial(grana._image, frame=(476, 94), config=CLEAN))
    part, whole = (np.asarray(f(jax.random.key(5))[0]) for f in (draw, whole_frame()))
    differences = [
        np.abs(whole[:, start : start + 94] - part).max() for start in range(FRAME[1] - 94 + 1)
    ]
    assert min(differences) < 5e-6
    assert np.sort(differences)[1] > 1e-3


@functools.cache
def measured_granum():
    """A function of a key: a granum, its mean period, that of an empty mask, its layers' course."""
    config = GranaConfig()
    rows, columns = (jnp.arange(float(most)) for _, most in (config.rows, config.columns))

    def measure(key):
        one = granum.draw(key, config)
        height, width = one.size
        inside = (rows < height)[:, None] & (columns < width)[None]
        y, x = rows - height / 2, columns - width / 2
        return (
            one,
            granum.mean_period(one, inside, rows, columns),
            granum.mean_period(one, jnp.zeros_like(inside), rows, columns),
            layers.phase(one.layers, y, x),
            layers.deflection(one.layers, x),
        )

    return jit(measure)


@pytest.mark.parametrize("seed", range(4))
def test_the_mean_period_is_the_height_over_the_number_of_layers(seed):
    """With tilt, bends, fans, faults and endings: layers are counted down each column."""
    one, found, empty, turns, deflection = jax.device_get(measured_granum()(jax.random.key(seed)))
    height, width = map(int, one.size)
    turns = turns[:height, :width].astype(np.float64)
    across = (height - 1) / np.mean(turns[-1] - turns[0])
    slope = np.gradient(deflection[:width].astype(np.float64))
    assert found == pytest.approx(across * np.mean(1 / np.hypot(1, slope)), rel=0.01)
    assert empty == one.layers.period


def test_a_part_of_a_granum_has_no_dark_rim_where_the_granum_goes_on():
    config = dataclasses.replace(
        CLEAN, outline=OutlineConfig(holes=0.0, rim=1.0, rim_darkness=(1.0, 1.0))
    )
    rows, columns = jnp.arange(80.0), jnp.arange(104.0)

    def paint(key):
        one = granum.draw(key, config)
        whole = granum.paint(one, rows, columns, config)
        return whole[0][40:72], granum.paint(one, rows[40:72], columns, config)[0]

    whole, part = map(np.asarray, jit(paint)(jax.random.key(0)))
    np.testing.assert_array_equal(whole == 0, part == 0)
    assert (part > 0).mean() > 0.3


def test_written_crops_are_tight_repeatable_and_of_true_period():
    config = GranaConfig(rows=(100, 260), columns=(200, 300), frame_period=(30.0, 150.0))
    first = list(draw_grana(3, 3, config))
    again = list(draw_grana(3, 2, config))
    for one, same in zip(first, again, strict=False):
        np.testing.assert_array_equal(one[0], same[0])
        assert one[2:] == same[2:]
    for image, mask, period, scale in first:
        assert image.dtype == np.float32
        np.testing.assert_array_equal(np.round(image * 255), image * 255)
        assert not image[~mask].any()
        assert all(mask.any(axis=axis)[[0, -1]].all() for axis in (0, 1))
        assert 8 < period < 40
        assert 14 / 1.2 < period / scale < 30 * 1.2
