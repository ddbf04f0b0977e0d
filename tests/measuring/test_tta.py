import dataclasses

import numpy as np
import pytest
from helpers.crops import ellipse, random_weights, stripes, write_crop, write_weights

from srd_jax.imaging.crop import Crop
from srd_jax.measuring import methods, tta
from srd_jax.measuring.estimator import Estimator
from srd_jax.measuring.measure_files import measure_files
from srd_jax.measuring.measurement import Measurement
from srd_jax.measuring.tta import Augmented, combine
from srd_jax.support.errors import InputError
from srd_jax.tasks.period.calibration import Calibration

IMAGES = [stripes(i, shape, 18 + i) for i, shape in enumerate([(120, 150), (330, 100)])]


@pytest.fixture(scope="module")
def estimator():
    return Estimator(random_weights(), batch_size=3)


@pytest.fixture(scope="module")
def measured(estimator):
    return Augmented(estimator)(IMAGES)


def answers(measurements):
    return np.array([(one.period_px, one.sd_px) for one in measurements])


def view(period, sd):
    return Measurement(period, sd, None, 2.0, (0, 90, 0, 90))


def test_views_are_flips_of_the_crop_and_of_its_windows(estimator, measured):
    starts = [[0], [0, 15, 30]]
    for image, found, begins in zip(IMAGES, measured, starts, strict=True):
        parts = [image[row : row + 300] for row in begins]
        flipped = [np.flip(one, axes) for one in parts for axes in ((), (0,), (1,), (0, 1))]
        period, sd = answers(estimator(flipped)).T
        weights = sd**-2.0 / np.sum(sd**-2.0)
        mean = np.sum(weights * period)
        second_moment = np.sum(weights * (sd**2 + period**2))
        np.testing.assert_allclose(found.period_px, mean, rtol=1e-5)
        np.testing.assert_allclose(found.sd_px, np.sqrt(second_moment - mean**2), rtol=1e-3)
        assert np.ptp(period) > 1e-3


def test_attention_box_and_scale_are_those_of_the_middle_view(estimator, measured):
    alone = estimator(IMAGES, with_attention=True)
    found = Augmented(estimator)(IMAGES, with_attention=True)
    np.testing.assert_array_equal(answers(found), answers(measured))
    for one, single in zip(found, alone, strict=True):
        assert (one.box, one.scale) == (single.box, single.scale)
        np.testing.assert_allclose(one.attention, single.attention, rtol=1e-5)
    assert measured[0].attention is None


def test_neither_flips_nor_order_nor_batches_matter(estimator, measured):
    flipped = Augmented(estimator)([np.flip(image, (0, 1)) for image in IMAGES])
    np.testing.assert_allclose(answers(flipped), answers(measured), rtol=1e-4)
    backwards = Augmented(estimator)(IMAGES[::-1])
    np.testing.assert_array_equal(answers(backwards[::-1]), answers(measured))
    other = Augmented(Estimator(random_weights(), 7))(IMAGES)
    np.testing.assert_allclose(answers(other), answers(measured), rtol=1e-6)
    assert estimator._apply._cache_size() <= 2  # with attention and without


def test_weights_without_sd_average_evenly():
    without = Estimator(random_weights(confidence=False), 4)
    (found,) = Augmented(without)(IMAGES[:1])
    views = without([np.flip(IMAGES[0], axes) for axes in ((), (0,), (1,), (0, 1))])
    np.testing.assert_allclose(found.period_px, np.mean([one.period_px for one in views]))
    assert found.sd_px is None


def test_combined_variance_is_that_of_a_mixture():
    random = np.random.default_rng(0)
    period, sd = random.uniform(15, 25, 4), random.uniform(0.5, 3, 4)
    found = combine([view(*one) for one in zip(period, sd, strict=True)])
    weights = sd**-2 / np.sum(sd**-2)
    which = random.choice(4, 400_000, p=weights)
    draws = random.normal(period[which], sd[which])
    assert found.period_px == pytest.approx(draws.mean(), abs=0.02)
    assert found.sd_px == pytest.approx(draws.std(), rel=0.005)


def test_the_sd_grows_by_contradiction_and_never_by_the_number_of_views():
    assert answers([combine([view(20.0, 1.5)] * 4)]) == pytest.approx(np.array([[20.0, 1.5]]))
    twice = [view(20.0, 1.0), view(40.0, 1.0)]
    assert answers([combine(twice)]) == pytest.approx(np.array([[30.0, np.sqrt(101)]]))
    kept = dataclasses.replace(view(30.0, 1.0), box=(5, 9, 0, 3), scale=3.0)
    shown = combine([*twice, kept], shown=2)
    assert (shown.box, shown.scale) == (kept.box, kept.scale)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("sd", [np.inf, np.nan, 0.0])
def test_an_answer_that_is_no_number_stays_none(sd):
    found = combine([view(20.0, 1.0), view(21.0, sd)])
    assert not (np.isfinite(found.period_px) and np.isfinite(found.sd_px))


def test_the_sd_is_calibrated_in_px_of_the_frame(estimator):
    calibration = Calibration(1.7, 0.6)
    weights = dataclasses.replace(random_weights(), calibration=calibration)
    raw, calibrated = estimator(IMAGES[:1]), Estimator(weights, 1)(IMAGES[:1])
    scale = 476 / 120
    np.testing.assert_allclose(calibrated[0].period_px, raw[0].period_px, rtol=1e-6)
    expected = 1.7 * (raw[0].sd_px * scale) ** 0.6 / scale
    np.testing.assert_allclose(calibrated[0].sd_px, expected, rtol=1e-5)


def test_a_crop_with_a_blank_window_does_not_stop_the_others(estimator, tmp_path):
    blank = np.vstack([stripes(0, (300, 90)), np.full((300, 90), 99, np.uint8)])
    with pytest.raises(InputError, match=r"every pixel of the granum has the grey value 0\.388"):
        Augmented(estimator)([blank])
    paths = [write_crop(tmp_path / f"{i}.png", i) for i in range(3)]
    paths[1].write_text("no image")
    rows = [one.result for one in measure_files(Augmented(estimator), paths)]
    assert [row.status == "error" for row in rows] == [False, True, False]


def test_make_augments_networks_only(tmp_path):
    path = write_weights(tmp_path / "w.safetensors")
    method = methods.make("network", path, 2, tta=True)
    assert isinstance(method, Augmented)
    assert (method.batch_size, method.field_rows) == (2, 220)
    with pytest.raises(InputError, match="method fft with tta; accepted with combined"):
        methods.make("fft", tta=True)


def test_the_mask_bounds_the_windows(estimator):
    mask = np.pad(ellipse((400, 90)), 15)
    grey = np.pad(stripes(0, (400, 90)) / np.float32(255), 15, constant_values=0.9)
    (windows,) = Augmented(estimator).prepare(Crop(grey, mask, None, ""))
    assert [one.box[0] for one in windows] == [15, 65, 115]
    assert {one.box[1] - one.box[0] for one in windows} == {300}
    for window, found in ((one, tta.flips(one)) for one in windows):
        np.testing.assert_array_equal(found[3].image, np.rot90(window.image, 2))
        assert {(one.box, one.scale) for one in found} == {(window.box, window.scale)}
