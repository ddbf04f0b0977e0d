import dataclasses
import pathlib

import jax
import numpy as np
import pytest
from helpers.crops import ellipse, random_weights, stripes, write_crop, write_weights
from helpers.training_runs import task_of
from safetensors.numpy import save_file
from skimage.transform import resize

import srd_jax
from srd_jax.imaging.crop import Crop, read_crop
from srd_jax.measuring import methods
from srd_jax.measuring.estimator import Estimator, load
from srd_jax.measuring.measurement import mean_of_views
from srd_jax.networks.receptive_field import Block
from srd_jax.support.errors import InputError
from srd_jax.tasks.period.config import EncoderConfig, ModelConfig, PeriodConfig
from srd_jax.tasks.period.model import as_function, parameter_shapes
from srd_jax.tasks.period.weights import PeriodWeights, save
from srd_jax.training import checkpoint
from srd_jax.training.steps import TrainState

SHAPES = [(100 + 17 * i, 150 + 31 * i) for i in range(7)]
IMAGES = [stripes(i, shape, 12 + 5 * i) for i, shape in enumerate(SHAPES)]


@pytest.fixture(scope="module")
def estimator():
    return Estimator(random_weights(), batch_size=3)


@pytest.fixture(scope="module")
def measured(estimator):
    return estimator(IMAGES)


def answers(measurements):
    return np.array([(one.period_px, one.sd_px) for one in measurements])


def refused(function, *arguments):
    with pytest.raises(InputError) as caught:
        function(*arguments)
    message = str(caught.value)
    assert "accepted" in message
    assert "\n" not in message
    return message


def test_measurements_are_those_of_the_network_on_the_rescaled_crop(measured):
    frames = [resize(image / 255, (476, 476), order=3) for image in IMAGES[:3]]
    weights = random_weights()
    found = as_function(weights.model)(weights.parameters, np.stack(frames).astype(np.float32))
    scale = np.array([476 / rows for rows, _ in SHAPES[:3]])
    expected = np.stack([found.period / scale, found.sd / scale], axis=1)
    np.testing.assert_allclose(answers(measured[:3]), expected, rtol=1e-4)
    assert [one.box for one in measured[:3]] == [(0, r, 0, c) for r, c in SHAPES[:3]]
    np.testing.assert_allclose([one.scale for one in measured[:3]], scale)
    # The answers depend on the image, or nothing here would tell anything.
    in_frame = answers(measured)[:, 0] * [476 / rows for rows, _ in SHAPES]
    assert np.diff(np.sort(in_frame)).max() > 1


def test_calls_and_order_give_the_same_bits(estimator, measured):
    np.testing.assert_array_equal(answers(estimator(IMAGES)), answers(measured))
    order = [4, 0, 6, 5, 2, 1, 3]
    permuted = answers(estimator([IMAGES[i] for i in order]))
    np.testing.assert_array_equal(permuted, answers(measured)[order])


@pytest.mark.parametrize("size", [1, 8])
def test_batch_sizes_agree(measured, size):
    found = answers(Estimator(random_weights(), size)(IMAGES))
    np.testing.assert_allclose(found, answers(measured), rtol=1e-6)


def test_a_padded_batch_does_not_compile_anew(estimator):
    for count in (3, 1, 2, 7):
        assert len(estimator(IMAGES[:count])) == count
    assert estimator._apply._cache_size() == 1
    assert estimator([]) == []


def test_arrays_and_crops_are_the_same(estimator, measured, tmp_path):
    grey = [image / np.float32(255) for image in IMAGES]
    whole = [Crop(image, np.ones(image.shape, bool), None, "") for image in grey]
    for same in (grey, iter(whole), (image for image in IMAGES)):
        np.testing.assert_array_equal(answers(estimator(same)), answers(measured))
    doubles = [image / 255 for image in IMAGES]
    np.testing.assert_allclose(answers(estimator(doubles)), answers(measured), rtol=1e-5)
    stack = np.stack([IMAGES[0], IMAGES[0][::-1]])
    np.testing.assert_array_equal(answers(estimator(stack)), answers(estimator(list(stack))))


def test_the_mask_of_a_crop_is_respected(estimator, tmp_path):
    path = write_crop(tmp_path / "crop.png", 3, (90, 140))
    mask = np.pad(ellipse((90, 140)), 20)
    image = np.pad(read_crop(path).image, 20, constant_values=0.7)
    in_file, padded = estimator([read_crop(path), Crop(image, mask, None, "")])
    assert (padded.period_px, padded.sd_px) == (in_file.period_px, in_file.sd_px)
    assert padded.box == (20, 110, 20, 160)


def test_attention_and_missing_confidence(estimator, measured):
    found = estimator(IMAGES[:2], with_attention=True)
    np.testing.assert_allclose(answers(found), answers(measured[:2]), rtol=1e-6)
    assert measured[0].attention is None
    for one in found:
        assert one.attention.shape == (2, 2, 5, 220)
        np.testing.assert_allclose(one.attention.sum((2, 3)), 1, rtol=1e-5)
    (one,) = Estimator(random_weights(confidence=False), 1)(IMAGES[:1], with_attention=True)
    assert one.sd_px is None
    assert one.attention.shape == (1, 2, 5, 220)


BLANK_IN_THE_MIDDLE = np.vstack([stripes(0), np.full((400, 150), 99, np.uint8), stripes(1)])


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((40, 50, 3), np.uint8), "shape (40, 50, 3)"),
        (np.zeros(40, np.uint8), "shape (40,)"),
        ("crop.png", "str of shape ()"),
        (np.zeros((40, 50), np.uint16), "type uint16"),
        (np.full((40, 50), np.nan), "2000 pixels of the granum aren't finite"),
        (255.0 * np.eye(40), "grey values 0 to 255"),
        (np.zeros((1, 1), np.uint8), "a granum of 1 x 1 px"),
        (np.zeros((0, 9), np.uint8), "nothing is inside"),
        (np.full((40, 50), 51, np.uint8), "every pixel of the granum has the grey value 0.2"),
        (BLANK_IN_THE_MIDDLE, "every pixel of the granum has the grey value 0.388"),
    ],
)
def test_images_that_cannot_be_measured(estimator, image, message):
    found = refused(estimator, [IMAGES[0], image])
    assert found.startswith("image 1: ")
    assert message in found


@pytest.mark.parametrize("one", [pathlib.Path("crop.png"), Crop(IMAGES[0], IMAGES[0], None, "")])
def test_one_image_is_no_list(estimator, one):
    assert f"images is one {type(one).__name__}" in refused(estimator, one)


@pytest.fixture(scope="module")
def robust():
    weights = random_weights()
    model = dataclasses.replace(weights.model, grey="robust")
    return Estimator(dataclasses.replace(weights, model=model), batch_size=3)


HIGH = stripes(0, (700, 90), 40.0) / 255


def test_a_robust_network_sees_a_high_granum_at_several_scales(robust, estimator):
    scales = robust.prepare(HIGH)
    assert [one.box for one in scales] == [(200, 500, 0, 90), (0, 700, 0, 90)]
    (found,) = robust([HIGH])
    assert [(one.box, one.scale) for one in found.views] == [(one.box, one.scale) for one in scales]
    alone = robust.measure_frames(scales)
    np.testing.assert_array_equal(answers(found.views), answers(alone))
    assert (found.period_px, found.sd_px) == mean_of_views(alone)
    # The reference's network sees the middle rows only.
    (fixed,) = estimator([HIGH])
    assert (fixed.views, fixed.box) == ((), (200, 500, 0, 90))


def test_only_a_robust_network_measures_alike_whatever_the_contrast(robust, estimator):
    faint = 0.3 + 0.1 * HIGH[:300]
    assert answers(robust([faint])) == pytest.approx(answers(robust([HIGH[:300]])), rel=1e-3)
    assert answers(estimator([faint])) != pytest.approx(answers(estimator([HIGH[:300]])), rel=1e-3)


def test_exhausted_memory_names_the_batch_size(monkeypatch):
    def apply(*_, **__):
        raise jax.errors.JaxRuntimeError(message)

    estimator = Estimator(random_weights(), 2)
    monkeypatch.setattr(estimator, "_apply", apply)
    message = "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes."
    assert "batch_size is 2" in refused(estimator, IMAGES[:1])
    message = "INTERNAL: something else"
    with pytest.raises(jax.errors.JaxRuntimeError, match="something else"):
        estimator(IMAGES[:1])


def assert_weights(estimator, expected):
    assert estimator.weights.model == expected.model
    assert sorted(estimator.weights.parameters) == sorted(expected.parameters)
    for name, value in expected.parameters.items():
        np.testing.assert_array_equal(estimator.weights.parameters[name], value)


def test_load_of_a_file_and_of_a_workdir(tmp_path):
    path = write_weights(tmp_path / "run" / "weights.safetensors")
    for given in (path, str(path), tmp_path / "run"):
        assert_weights(load(given), random_weights())
        assert_weights(srd_jax.load(given, method="network"), random_weights())
        assert_weights(srd_jax.load(given).network, random_weights())
    assert load(path, batch_size=5).batch_size == 5
    assert srd_jax.load is methods.load
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        _ = srd_jax.laod


def test_load_of_a_workdir_takes_the_average_of_its_best_checkpoint(tmp_path):
    average = random_weights()
    config = PeriodConfig(name="mine", model=average.model)
    with checkpoint.manager(tmp_path) as checkpoints:
        for step, error, shift in ((5, 2.0, 0.0), (10, 3.0, 1.0)):
            state = TrainState(
                step=np.int32(step),
                parameters={name: value + 7 for name, value in average.parameters.items()},
                average={name: value + shift for name, value in average.parameters.items()},
                optimizer={"count": np.int32(step)},
            )
            rows = [{"val_mae": error, "val_loss": error}]
            checkpoint.save(checkpoints, state, config, task_of(config), rows)
    found = load(tmp_path)
    assert_weights(found, average)
    assert found.weights.origin == {"run": "mine", "step": 5}
    # Weights written at the end of a run go before its checkpoints.
    write_weights(tmp_path / "weights.safetensors", sd=3.0)
    assert_weights(load(tmp_path), random_weights(sd=3.0))


def test_load_refuses(tmp_path):
    weights = random_weights()
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("no weights")
    save_file({"seq.0.weight": np.zeros(3, np.float32)}, tmp_path / "torch")
    save(
        tmp_path / "few",
        PeriodWeights(dict(list(weights.parameters.items())[1:]), weights.model, {}),
    )
    for name, message in (
        ("none", "no such weights file"),
        ("empty", "holds no checkpoints"),
        ("text", "not a safetensors file"),
        ("torch", "its format is 'unknown'"),
        ("few", f"missing {next(iter(weights.parameters))}"),
    ):
        with pytest.raises(InputError) as caught:
            load(tmp_path / name)
        assert str(caught.value).startswith(f"{tmp_path / name}: ")
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)
    assert "batch_size is 0" in refused(Estimator, weights, 0)


def test_an_encoder_that_does_not_fit_the_frame_is_refused():
    blocks = (Block(1, (16, 16)), Block(1, (16, 16)))
    config = ModelConfig(encoder=EncoderConfig(blocks=blocks, channels=2))
    shapes = parameter_shapes(config)
    parameters = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    with pytest.raises(InputError, match="frame 476x476 does not align"):
        Estimator(PeriodWeights(parameters, config, {}))
