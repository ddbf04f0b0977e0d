import dataclasses
import math

import jax
import numpy as np
import pytest
from helpers.training_runs import one_line

from srd_jax.analysis import network
from srd_jax.analysis.network import NetworkDetector, grey_levels
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.micrographs.resampling import Resampled
from srd_jax.networks.unet import reach
from srd_jax.support.errors import InputError
from srd_jax.synthetic.scenes.render import levelled
from srd_jax.tasks.grana import model, weights
from srd_jax.tasks.grana.config import ModelConfig

TINY = ModelConfig(channels=(4, 8, 8))
MARGIN = 40
NAMES = ("probability", "distance", "cosine", "sine", "log_period")
GREY = np.random.default_rng(0).integers(0, 256, (200, 150)).astype(np.uint8)


def tiny(seed=0):
    parameters = jax.device_get(model.random_parameters(TINY, jax.random.key(seed)))
    # As after a training, so that the maps aren't even.
    parameters["unet.head.kernel"] = 10 * parameters["unet.head.kernel"]
    return weights.MicrographWeights(parameters, TINY, {})


def detector(tile=128):
    return NetworkDetector(tiny(), tile, MARGIN)


def micrograph(grey=GREY):
    return Micrograph("leaf.tif", grey)


def test_the_margin_is_as_wide_as_the_network_reaches():
    assert reach(len(TINY.channels)) <= MARGIN


def test_tiles_make_the_maps_of_the_whole():
    tiled, whole = (detector(tile)(micrograph(), 0.4) for tile in (128, 200))
    for name in NAMES:
        found, expected = (np.asarray(getattr(maps, name), np.float32) for maps in (tiled, whole))
        assert found.shape == (100, 75)
        # Beyond the edges of short tiles are zeros, beyond those of long ones the mirrored image.
        inner = np.s_[: 100 - MARGIN // 2, : 75 - MARGIN // 2]
        np.testing.assert_allclose(found[inner], expected[inner], atol=2e-3)
        assert found.std() > 1e-3


def test_the_maps_are_those_of_the_network():
    found = NetworkDetector(tiny(), 200, MARGIN)(micrograph(), 0.4)
    image = np.pad(GREY.astype(np.float32), ((0, 0), (0, 50)), mode="symmetric")
    levels = np.percentile(GREY, [2, 50, 98])
    expected = model.as_function(TINY)(tiny().parameters, levelled(image, levels)[None])
    expected = jax.tree.map(lambda x: np.asarray(x)[0, :, :75], expected)
    probability = 1 / (1 + np.exp(-expected.logit))
    length = np.maximum(1, np.hypot(expected.cosine, expected.sine))
    for name, values in (
        ("probability", probability),
        ("distance", expected.distance * probability),
        ("cosine", expected.cosine / length),
        ("sine", expected.sine / length),
        ("log_period", expected.log_period),
    ):
        np.testing.assert_allclose(getattr(found, name), values, atol=3e-3)


def test_lengths_are_px_of_the_micrograph():
    half = GREY[::2, ::2]
    doubled = half.repeat(2, 0).repeat(2, 1)
    fine, coarse = detector()(micrograph(doubled), 0.8), detector()(micrograph(half), 0.4)
    assert (fine.scale, coarse.scale) == (0.25, 0.5)
    assert fine.log_period.shape == coarse.log_period.shape == (50, 38)
    difference = fine.log_period.astype(float) - coarse.log_period
    np.testing.assert_allclose(difference, math.log(2), atol=3e-3)
    np.testing.assert_allclose(fine.probability, coarse.probability, atol=2e-3)


def test_grey_values_in_other_units_give_the_same_maps():
    first = detector()(micrograph(), 0.4)
    for grey in (GREY * 257.0 - 3000, GREY * 1e-6, GREY.astype(np.uint16) * 200):
        other = detector()(micrograph(grey), 0.4)
        np.testing.assert_allclose(other.probability, first.probability, atol=3e-3)


def test_grey_levels_are_percentiles_at_the_working_scale():
    random = np.random.default_rng(3)
    grey = np.cumsum(random.normal(size=(3000, 40)), axis=0)
    middle, half = grey_levels(Resampled(grey, 1.0))
    low, median, high = np.percentile(grey.astype(np.float32), [2, 50, 98])
    assert (middle, half) == pytest.approx((median, (high - low) / 2), rel=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (8, 8)])
@pytest.mark.parametrize("value", [0, 128])
def test_even_micrographs_of_any_size(shape, value):
    found = detector()(micrograph(np.full(shape, value, np.uint8)), 0.5)
    for name in NAMES:
        assert getattr(found, name).shape == tuple(math.ceil(0.4 * n / 0.5 / 2) for n in shape)
        assert np.isfinite(getattr(found, name)).all()


def test_progress_is_told_after_each_tile():
    told = []
    detector()(micrograph(), 0.4, lambda done, of: told.append((done, of)))
    # Three rows of two tiles.
    assert told == [(n, 6) for n in range(1, 7)]


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_scales_that_are_none(scale):
    with pytest.raises(InputError, match="accepted: a number above 0") as error:
        detector()(micrograph(), scale)
    assert one_line(error.value).startswith("leaf.tif: ")


def test_a_micrograph_too_large_for_its_scale_is_refused():
    huge = np.broadcast_to(np.uint8(0), (30_000, 30_000))
    with pytest.raises(InputError, match="cut the micrograph into parts") as error:
        detector()(micrograph(huge), 0.4)
    assert "30000 x 30000 px at 0.4 px per nm" in one_line(error.value)


def test_weights_of_another_network_are_refused(tmp_path):
    wrong = dataclasses.replace(tiny(), model=ModelConfig(channels=(4, 8, 16)))
    weights.save(tmp_path / "weights.safetensors", wrong)
    with pytest.raises(InputError, match="has shape") as error:
        network.load(tmp_path / "weights.safetensors")
    assert one_line(error.value).startswith(f"{tmp_path}/weights.safetensors: ")


def test_a_saved_network_detects_as_before(tmp_path):
    found = dataclasses.replace(tiny(), calibration=weights.Calibration(0.37))
    weights.save(tmp_path / "weights.safetensors", found)
    loaded = network.load(tmp_path)
    assert loaded.threshold == 0.37
    assert loaded.weights.model == TINY
    assert all((loaded.weights.parameters[k] == v).all() for k, v in found.parameters.items())
