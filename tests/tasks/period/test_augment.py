import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers.crops import ellipse, stripes
from PIL import Image, ImageChops
from scipy import ndimage, optimize

from srd_jax.imaging.preparation import FRAME, prepare
from srd_jax.support.errors import InputError
from srd_jax.tasks.period import augment
from srd_jax.tasks.period.config import AugmentConfig
from srd_jax.tasks.period.crop_arrays import pad

pytestmark = pytest.mark.hurry

NARROW = (476, 110)
CONFIG = AugmentConfig()
NO_NOISE = AugmentConfig(black=(0.0, 0.0), white=(255.0, 255.0), noise=(0.0, 0.0))
# Enlarged, shrunk in columns, more than 300 rows, the smallest, the frame's own size.
SHAPES = ((120, 150), (90, 700), (360, 300), (330, 610), (2, 30), (25, 2), (300, 476))


@functools.cache
def grana():
    """Striped ellipses of many sizes with whole grey levels, and their crops."""
    images = [stripes(i, shape) / np.float32(255) for i, shape in enumerate(SHAPES)]
    masks = [ellipse(shape) | (min(shape) < 9) for shape in SHAPES]
    return images, masks, pad(images, masks, [20.0] * len(SHAPES))


def one(crops, i=0):
    return jax.tree.map(lambda x: x[i], crops)


def view_of(box, angle=0.0, flip=(False, False), column=0):
    return augment.View(
        jnp.float32(angle), jnp.array(box, jnp.int32), jnp.array(flip), jnp.int32(column)
    )


def compiled(function, frame=FRAME, config=CONFIG):
    return jax.jit(functools.partial(function, frame=frame, config=config))


shown = compiled(augment.transform)
shown_narrow = compiled(augment.transform, NARROW)


@pytest.mark.parametrize("tilt", [3.0, 0.0])
def test_an_unchanged_crop_is_what_prediction_prepares(tilt):
    transform = compiled(augment.transform, config=AugmentConfig(tilt=tilt))
    images, masks, crops = grana()
    for i, (image, mask) in enumerate(zip(images, masks, strict=True)):
        prepared = prepare(image, mask)
        box = np.array(prepared.box).reshape(2, 2)
        frame, inside = transform(one(crops, i), view_of(box))
        np.testing.assert_allclose(frame, prepared.image, rtol=0, atol=2e-6)
        rows, columns = (
            low + (2 * np.arange(476) + 1) * (high - low) // (2 * 476) for low, high in box
        )
        np.testing.assert_array_equal(inside, mask[np.ix_(rows, columns)])


def test_a_window_is_what_prediction_prepares_of_that_part_alone():
    images, masks, crops = grana()
    part = np.s_[100:290, 77:500]
    expected = prepare(images[3][part], np.ones((190, 423), bool) & masks[3][part])
    assert expected.box == (0, 190, 0, 423)
    frame, _ = shown(one(crops, 3), view_of(((100, 290), (77, 500))))
    np.testing.assert_allclose(frame, expected.image, rtol=0, atol=2e-6)


@pytest.mark.parametrize("column", [0, 183, 366])
@pytest.mark.parametrize("flip", [(False, False), (True, False), (False, True)])
def test_a_narrow_frame_is_a_window_of_the_flipped_full_one(column, flip):
    crop = one(grana()[2], 3)
    box, angle = ((60, 290), (12, 600)), np.deg2rad(2.5)
    full, inside = (np.asarray(x) for x in shown(crop, view_of(box, angle)))
    axes = tuple(np.flatnonzero(flip))
    full, inside = (np.flip(x, axes)[:, column : column + 110] for x in (full, inside))
    narrow, shown_mask = shown_narrow(crop, view_of(box, angle, flip, column))
    np.testing.assert_array_equal(shown_mask, inside)
    # Overshoot is clipped at the extremes near the window, not in the whole box.
    error = np.abs(np.asarray(narrow) - full)
    assert error.max() < 0.05
    assert (error > 1e-5).mean() < 1e-3


def measured(image, target):
    """Cycles a px along rows and columns of the strongest wave near a period, by its phases."""
    window = np.outer(np.hanning(image.shape[0]), np.hanning(image.shape[1]))
    weighted = window * (image - np.average(image, weights=window))
    row, column = (np.arange(size) for size in image.shape)

    def power(frequency):
        wave = [np.exp(2j * np.pi * f * x) for f, x in zip(frequency, (row, column), strict=True)]
        return -(np.abs(wave[0] @ weighted @ wave[1]) ** 2)

    start = np.array([1 / target, 0.0])
    simplex = start + np.array([[0, 0], [5e-4, 0], [0, 5e-4]])
    return optimize.minimize(
        power, start, method="Nelder-Mead", options={"initial_simplex": simplex, "xatol": 1e-8}
    ).x


def test_the_target_is_the_period_that_the_image_shows():
    shape, period = (260, 420), 23.0
    wave = 0.5 + 0.4 * np.sin(2 * np.pi * np.arange(shape[0])[:, None] / period)
    image = np.broadcast_to(wave, shape).astype(np.float32)
    crops = pad([image], [np.ones(shape, bool)], [period])
    draw = compiled(augment.draw_view)
    for seed in range(8):
        view = draw(jax.random.key(seed), one(crops))
        frame, _ = shown(one(crops), view)
        size = np.diff(np.asarray(view.box))[:, 0]
        # Cycles a px of the crop, along both axes: the lamellae's normal, of length 1 / period.
        normal = measured(np.asarray(frame), period * 476 / size[0]) * 476 / size
        assert 1 / np.hypot(*normal) == pytest.approx(period, rel=1e-3)
        slope = np.where(view.flip, -1, 1).prod() * normal[1] / normal[0]
        assert slope == pytest.approx(-np.tan(float(view.angle)), abs=2e-3)
    make = compiled(augment.augment, NARROW, NO_NOISE)
    batch = make(jax.random.key(1), crops, jnp.zeros(8, jnp.int32))
    for frame, target in zip(np.asarray(batch.image), np.asarray(batch.target), strict=True):
        # A row's spacing is the period over the cosine of the tilt, at most 3 degrees.
        assert 1 / measured(frame, target)[0] == pytest.approx(target, rel=3e-3)


def test_a_batch_is_its_images_made_one_by_one_and_zero_far_from_the_mask():
    crops = grana()[2]
    index = jnp.array([3, 1, 3])
    make = compiled(augment.augment, NARROW)
    batch = make(jax.random.key(5), crops, index)
    again = make(jax.random.key(5), crops, index)
    jax.tree.map(np.testing.assert_array_equal, batch, again)
    other = make(jax.random.key(6), crops, index)
    assert make._cache_size() == 1
    assert batch.image.shape == batch.mask.shape == (3, *NARROW)
    assert not np.array_equal(batch.image, other.image)
    assert not np.array_equal(batch.image[0], batch.image[2])
    image, mask = np.asarray(batch.image), np.asarray(batch.mask)
    assert image.min() >= 0
    assert image.max() <= 1
    near = ndimage.binary_dilation(mask, np.ones((1, 41, 41)))
    assert image[~near].max(initial=0) < 0.02
    single = compiled(augment._one, NARROW)
    for i, key in enumerate(jax.random.split(jax.random.key(5), 3)):
        alone = single(key, one(crops, index[i]))
        np.testing.assert_allclose(alone.image, batch.image[i], rtol=0, atol=1e-4)
        assert alone.target == pytest.approx(float(batch.target[i]))


def test_every_kind_of_change_occurs_within_its_range():
    crop = one(grana()[2], 3)
    draw = jax.vmap(compiled(augment.draw_view, NARROW), (0, None))
    views = draw(jax.random.split(jax.random.key(0), 400), crop)
    rows, columns = np.diff(np.asarray(views.box), axis=2)[:, :, 0].T
    assert 205 <= rows.min() < 215  # 70 % of 300, less the rows that the tight crop removes
    assert 295 < rows.max() <= 300
    assert 290 <= columns.min() < 320  # half of 610, likewise
    assert 595 < columns.max() <= 612
    degrees = np.rad2deg(views.angle)
    assert -3 <= degrees.min() < -2.8
    assert 2.8 < degrees.max() <= 3
    assert (np.abs(np.mean(views.flip, axis=0) - 0.5) < 0.1).all()
    assert 0 <= views.column.min() < 10
    assert 356 < views.column.max() <= 366


def thin_and_notched():
    diagonal = np.abs(np.subtract.outer(np.arange(150), np.arange(200) * 0.75)) < 2
    notched = np.ones((180, 260), bool)
    notched[30:, 60:220] = False
    dots = np.zeros((120, 140), bool)
    dots[[0, 60, 119], [70, 0, 139]] = True
    return diagonal, notched, dots, np.eye(2, dtype=bool)


def test_no_image_is_empty_however_odd_the_mask():
    masks = thin_and_notched()
    images = [np.full(mask.shape, 0.5, np.float32) for mask in masks]
    crops = pad(images, masks, [20.0] * len(masks))
    index = jnp.arange(48) % len(masks)
    batch = compiled(augment.augment, config=NO_NOISE)(jax.random.key(0), crops, index)
    assert np.asarray(batch.mask).any(axis=(1, 2)).all()
    assert np.isfinite(batch.image).all()
    assert np.asarray(batch.image).max(axis=(1, 2)).min() > 0.1
    # 70 % of the height, and half of that; 2 rows at least.
    shortest = np.maximum(2, np.floor(0.35 * np.asarray(crops.size[index, 0])))
    assert (batch.target <= 20 * 476 / shortest).all()


def test_a_frame_wider_than_that_of_prediction_is_refused():
    with pytest.raises(InputError, match="frame of 478 columns; accepted are at most 476"):
        augment.augment(jax.random.key(0), grana()[2], jnp.zeros(1, jnp.int32), (476, 478), CONFIG)


def test_stretch_clips_and_maps_inside_of_the_mask_alone():
    image = np.random.default_rng(0).random((30, 40), np.float32)
    mask = ellipse(image.shape)
    result = np.asarray(augment.stretch(image, mask, 30.0, 225.0))
    levels = np.interp(255 * image, [30, 225], [0, 1])
    np.testing.assert_allclose(result[mask], levels[mask], atol=1e-6)
    np.testing.assert_array_equal(result[~mask], image[~mask])
    np.testing.assert_allclose(augment.stretch(image, mask, 0.0, 255.0), image, atol=1e-6)


def test_soft_light_equals_pillow_but_for_its_rounding():
    image, light = np.meshgrid(np.arange(256, dtype=np.uint8), np.arange(256, dtype=np.uint8))
    expected = ImageChops.soft_light(Image.fromarray(image), Image.fromarray(light))
    levels = 255 * np.asarray(augment.soft_light(jnp.asarray(image / 255), light / 255))
    assert np.abs(levels - np.asarray(expected, float)).max() < 2.5


def test_noise_has_the_sd_of_its_layers_and_stays_inside_of_the_mask():
    image, mask = jnp.full((300, 300), 0.5), ellipse((300, 300))
    noise = functools.partial(augment.soft_light_noise, jax.random.key(0), image, mask)
    np.testing.assert_array_equal(noise(0.0), image)
    changed = np.asarray(noise(0.5)) - 0.5
    assert not changed[~mask].any()
    random = np.random.default_rng(0)
    layers = np.zeros(image.shape)
    for sd, blur in ((76, 3), (23, 2), (15, 0)):
        layers = ndimage.gaussian_filter(
            layers + random.normal(0, sd * 0.5 / 255, mask.shape), blur
        )
    # Soft light on a = 1/2 adds half of the light above 1/2.
    assert changed[mask].std() == pytest.approx(layers.std() / 2, rel=0.05)
    along, expected = (
        np.corrcoef(x[:, :-1].ravel(), x[:, 1:].ravel())[0, 1]
        for x in (changed[70:230, 70:230], layers)
    )
    assert along == pytest.approx(expected, abs=0.05)
