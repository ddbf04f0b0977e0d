import dataclasses
import pickle
import threading

import numpy as np
import pytest
from helpers.crops import random_weights, stripes, write_crop
from helpers.image_files import with_blue, write_png

from srd_jax.imaging.crop import open_crops, read_crop
from srd_jax.imaging.orientation import rotate
from srd_jax.measuring import methods
from srd_jax.measuring.combination import Combined
from srd_jax.measuring.estimator import Estimator
from srd_jax.measuring.measure_files import measure_files
from srd_jax.measuring.overlays import write_overlay
from srd_jax.measuring.tta import Augmented
from srd_jax.support.errors import InputError


def test_the_next_batch_is_read_meanwhile_and_no_more(tmp_path, monkeypatch):
    paths = [write_crop(tmp_path / f"{i}.png", i) for i in range(9)]
    estimator = Estimator(random_weights(), 2)
    begun, second_batch = [], threading.Event()

    def reading(path):
        begun.append(path)
        if len(begun) == 3:
            second_batch.set()
        return open_crops(path)

    def measuring(prepared, with_attention):
        assert second_batch.wait(30)  # before the first batch is measured
        return measure(prepared, with_attention)

    measure = estimator.measure
    monkeypatch.setattr("srd_jax.measuring.measure_files.open_crops", reading)
    monkeypatch.setattr(estimator, "measure", measuring)
    files = []
    for count, one in enumerate(measure_files(estimator, paths)):
        files.append(one.result.file)
        assert len(begun) <= 2 * (count // 2 + 2)
    assert files == [str(path) for path in paths]
    assert begun == paths


def test_an_answer_that_is_no_number_is_an_error(tmp_path):
    path = write_crop(tmp_path / "crop.png")
    weights = random_weights()
    bias = {"sd_regressor.output.bias": np.full(1, np.inf, np.float32)}
    broken = dataclasses.replace(weights, parameters=weights.parameters | bias)
    (one,) = measure_files(Estimator(broken, 1), [path], with_attention=True)
    assert one.result.status == "error"
    assert "sd inf px" in one.result.reason
    assert (one.result.period_px, one.crop, one.measurement) == (None, None, None)


def test_auto_rotate_turns_a_crop_whose_lamellae_run_steeply(tmp_path):
    image, mask = rotate(stripes(0) / np.float32(255), np.ones((120, 150), bool), 40.0)
    grey = np.round(255 * image).astype(np.uint8)
    tilted = write_png(tmp_path / "tilted.png", with_blue(grey, mask))
    level = write_png(tmp_path / "level.png", stripes(0))
    method = methods.make("autocorrelation")
    flat, plain = measure_files(method, [level, tilted], auto_rotate=False)
    assert (flat.result.status, flat.result.rotated_deg) == ("ok", None)
    assert abs(flat.result.tilt_deg) < 0.5
    assert abs(plain.result.tilt_deg - 40) < 0.5
    assert "lamellae run at 40 degrees" in plain.result.reason
    kept, turned = measure_files(method, [level, tilted], auto_rotate=True)
    assert kept.result == flat.result
    assert abs(turned.result.rotated_deg + 40) < 0.5
    assert abs(turned.result.tilt_deg) < 0.5
    assert turned.result.status == "ok"
    assert abs(turned.result.period_px - 20) < 0.2
    assert turned.crop.mask.shape != mask.shape  # overlays show what was measured


@pytest.mark.parametrize("kind", [lambda one: one, Combined, Augmented])
def test_what_is_sent_to_a_process_prepares_alike_without_weights(tmp_path, kind):
    crop = read_crop(write_crop(tmp_path / "a.png", shape=(400, 120)))
    method = kind(Estimator(random_weights(), 1))
    sent = pickle.dumps(method.preparing())
    assert len(sent) < 2000
    here, there = method.prepare(crop), pickle.loads(sent)(crop)
    pairs = list(zip(arrays(here), arrays(there), strict=True))
    assert pairs
    for one, other in pairs:
        np.testing.assert_array_equal(one, other)


def arrays(prepared):
    """The arrays within what a method has prepared."""
    if isinstance(prepared, np.ndarray):
        return [prepared]
    if isinstance(prepared, tuple):
        return [array for one in prepared for array in arrays(one)]
    return [prepared.image]


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(InputError, match=f"^px_per_nm is {scale}; accepted"):
        list(measure_files(methods.make("fft"), [], scale))


def test_a_mask_of_several_grana_gives_a_row_for_each(tmp_path):
    image = np.full((140, 330), 150, np.uint8)
    image[10:130, 10:160], image[10:130, 170:320] = stripes(0), stripes(1)[::-1]
    labels = np.zeros(image.shape, np.uint8)
    labels[10:130, 10:160], labels[10:130, 170:320], labels[0, 0] = 3, 8, 9
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    write_png(paths[0], image)
    write_png(tmp_path / "a_cp_masks.png", labels)
    write_png(paths[1], image[10:130, 10:160])
    method = methods.make("autocorrelation", batch_size=2)
    first, second, speck, alone = measure_files(method, paths)
    assert [one.result.label for one in (first, second, speck, alone)] == [3, 8, 9, None]
    assert {one.result.file for one in (first, second, speck)} == {str(paths[0])}
    assert first.result.mask == second.result.mask == "a_cp_masks.png"
    assert alone.result.mask == ""
    assert first.crop.image.shape == second.crop.image.shape == (120, 150)
    np.testing.assert_array_equal(first.crop.image, alone.crop.image)
    assert first.result.period_px == alone.result.period_px
    assert abs(second.result.period_px - 20) < 0.2
    assert (speck.result.status, speck.result.period_px) == ("error", None)
    assert "1 x 1 px" in speck.result.reason
    write_overlay(tmp_path / "out", tmp_path, second, None)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png.8.overlay.png"]


def test_a_mask_of_two_large_parts_is_measured_with_doubt(tmp_path):
    path = write_png(tmp_path / "a.png", stripes(0))
    mask = np.zeros((120, 150), np.uint8)
    mask[:, :70], mask[:, 80:] = 255, 255
    write_png(tmp_path / "a_mask.png", mask)
    (one,) = measure_files(methods.make("autocorrelation"), [path])
    assert one.result.status == "low_confidence"
    assert "the mask has 2 parts" in one.result.reason
