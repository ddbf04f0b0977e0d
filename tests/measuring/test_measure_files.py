import dataclasses
import threading

import numpy as np
import pytest
from helpers.crops import random_weights, stripes, write_crop
from helpers.image_files import with_blue, write_png

from srd_jax.imaging.crop import read_crop
from srd_jax.imaging.orientation import rotate
from srd_jax.measuring import methods
from srd_jax.measuring.estimator import Estimator
from srd_jax.measuring.measure_files import measure_files
from srd_jax.support.errors import InputError


def test_the_next_batch_is_read_meanwhile_and_no_more(tmp_path, monkeypatch):
    paths = [write_crop(tmp_path / f"{i}.png", i) for i in range(9)]
    estimator = Estimator(random_weights(), 2)
    begun, second_batch = [], threading.Event()

    def reading(path):
        begun.append(path)
        if len(begun) == 3:
            second_batch.set()
        return read_crop(path)

    def measuring(prepared, with_attention):
        assert second_batch.wait(30)  # before the first batch is measured
        return measure(prepared, with_attention)

    measure = estimator.measure
    monkeypatch.setattr("srd_jax.measuring.measure_files.read_crop", reading)
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


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan"), float("inf")])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(InputError, match=f"^px_per_nm is {scale}; accepted"):
        list(measure_files(methods.make("fft"), [], scale))
