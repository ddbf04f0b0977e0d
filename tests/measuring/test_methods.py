import numpy as np
import pytest
from helpers.crops import ellipse, random_weights, stripes, write_crop, write_weights

import srd_jax
from srd_jax.imaging.crop import Crop, read_crop
from srd_jax.measuring import methods
from srd_jax.measuring.autocorrelation import autocorrelation
from srd_jax.measuring.combination import Combined
from srd_jax.measuring.estimator import Estimator
from srd_jax.measuring.measure_files import measure_files
from srd_jax.measuring.measurement import Method
from srd_jax.measuring.spectrum import fft
from srd_jax.support.errors import InputError

CLASSICAL = {"fft": fft, "autocorrelation": autocorrelation}


@pytest.mark.parametrize("name", CLASSICAL)
def test_crops_and_arrays(name, tmp_path):
    method = methods.make(name)
    image = stripes(0)
    (measured,) = method([image], with_attention=True)
    expected = CLASSICAL[name](image / 255, np.ones(image.shape, bool))
    np.testing.assert_allclose((measured.period_px, measured.quality), expected, rtol=1e-5)
    assert (measured.sd_px, measured.attention, measured.scale) == (None, None, 1.0)
    assert measured.box == (0, 120, 0, 150)
    crop = read_crop(write_crop(tmp_path / "crop.png"))
    padded = Crop(np.pad(crop.image, 7, constant_values=0.7), np.pad(crop.mask, 7), None, "")
    first, second = method([crop, padded])
    assert (first.period_px, first.quality) == (second.period_px, second.quality)
    assert second.box == (7, 127, 7, 157)


def test_load_gives_the_best_method_and_others_by_name(tmp_path):
    path = write_weights(tmp_path / "weights.safetensors")
    best = srd_jax.load(path, batch_size=3)
    assert isinstance(best, Combined)
    assert best.batch_size == 3
    assert isinstance(srd_jax.load(), Combined)
    assert isinstance(srd_jax.load(path, method="network"), Estimator)
    without = write_weights(tmp_path / "without.safetensors", confidence=False)
    assert isinstance(srd_jax.load(without), Estimator)
    (expected,) = methods.make("fft")([stripes(0)])
    assert srd_jax.load(method="fft")([stripes(0)]) == [expected]
    with pytest.raises(InputError, match="method is 'best'; accepted are combined, "):
        srd_jax.load(method="best")


def test_make_gives_each_method(tmp_path):
    assert ("combined", "network", *CLASSICAL) == methods.METHODS
    path = write_weights(tmp_path / "weights.safetensors")
    network = methods.make("network", path, 3)
    assert isinstance(network, Estimator)
    assert network.field_rows == random_weights().model.geometry.receptive_field[0]
    combined = methods.make("combined", path, 3)
    assert isinstance(combined, Combined)
    assert isinstance(combined.network, Estimator)
    assert combined.field_rows == network.field_rows
    for method in (combined, network, *(methods.make(name, batch_size=3) for name in CLASSICAL)):
        assert isinstance(method, Method)
        assert method.batch_size == 3
        assert method([]) == []
    assert method.field_rows is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fourier",), "method is 'fourier'; accepted are combined, network, fft, autocorrelation"),
        (("fft", "w.safetensors"), "method fft with the weights w.safetensors"),
        (("fft", None, 0), "batch_size is 0"),
    ],
)
def test_make_refuses(arguments, message):
    with pytest.raises(InputError) as caught:
        methods.make(*arguments)
    assert str(caught.value).startswith(message)
    assert "accepted" in str(caught.value)


@pytest.mark.parametrize("name", CLASSICAL)
def test_a_bad_crop_does_not_stop_the_others(name, tmp_path):
    paths = [write_crop(tmp_path / f"{i}.png", i, period=12 + 4 * i) for i in range(4)]
    write_crop(paths[1], shape=(10, 60))
    paths[2].write_text("no image")
    rows = [one.result for one in measure_files(methods.make(name, batch_size=4), paths, 1.0)]
    assert [row.file for row in rows] == [str(path) for path in paths]
    assert [row.status for row in rows] == ["low_confidence", "error", "error", "ok"]
    assert rows[0].reason.endswith("nm is below 14 nm")
    assert rows[1].reason.startswith("the granum is 10 px high")
    assert rows[3].period_px == pytest.approx(24, rel=0.02)
    assert rows[3].quality > 0.45


@pytest.mark.parametrize("name", CLASSICAL)
def test_one_image_is_no_list(name):
    image = Crop(stripes(0) / np.float32(255), ellipse((120, 150)), None, "")
    with pytest.raises(InputError, match="images is one Crop; accepted is a list of images"):
        methods.make(name)(image)
