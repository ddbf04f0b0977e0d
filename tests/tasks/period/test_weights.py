import dataclasses
import json
import shutil

import numpy as np
import pytest
import safetensors
from helpers.training_runs import one_line, same_bits, tiny, undisturbed
from safetensors.numpy import save_file

from srd_jax.support.errors import InputError
from srd_jax.tasks.period import weights
from srd_jax.tasks.period.calibration import Calibration
from srd_jax.tasks.period.config import ModelConfig
from srd_jax.tasks.period.weights import PeriodWeights
from srd_jax.training import weights as files

ORIGIN = {"run": "stage1", "step": 120, "val_mae": 2.5, "versions": {"jax": "0.10.2"}}


def example():
    rng = np.random.default_rng(3)
    shapes = {"encoder.convolutions.0.kernel": (3, 3, 1, 4), "period_pool.queries": (2, 4)}
    parameters = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return PeriodWeights(parameters, tiny().model, ORIGIN, Calibration(1.3, 0.8))


def metadata_of(path):
    with safetensors.safe_open(path, framework="np") as file:
        return file.metadata()


def refused(path):
    with pytest.raises(InputError) as error:
        weights.load(path)
    message = one_line(error.value)
    assert message.startswith(f"{path}: ")
    return message


def test_a_round_trip_changes_nothing(tmp_path):
    written = example()
    weights.save(tmp_path / "w.safetensors", written)
    read = weights.load(tmp_path / "w.safetensors")
    assert (read.model, read.origin) == (written.model, written.origin)
    assert read.calibration == written.calibration == Calibration(1.3, 0.8)
    assert read.parameters.keys() == written.parameters.keys()
    for name, value in written.parameters.items():
        assert read.parameters[name].dtype == np.float32
        np.testing.assert_array_equal(read.parameters[name], value)


def test_the_weights_of_a_run_say_all_that_prediction_needs():
    path = undisturbed() / "weights.safetensors"
    metadata = metadata_of(path)
    assert metadata["format"] == files.FORMAT
    about = json.loads(metadata["about"])
    model = about["model"]
    assert about["task"] == "period"
    assert model == json.loads(json.dumps(dataclasses.asdict(tiny().model)))
    assert (model["grey_mean"], model["grey_sd"]) == (0.2845, 0.1447)
    # 1 + (2·1 + 1) + (2·2 + 2) rows and 1 + (2·1 + 1) + 2·2 columns; pools of 2·2 and 2·1.
    assert about["geometry"] == {"receptive_field": [10, 8], "stride": [4, 2]}
    origin = json.loads(metadata["origin"])
    summary = json.loads((undisturbed() / "summary.json").read_text())
    assert origin["run"] == "tiny"
    assert origin["seed"] == 0
    assert origin["step"] == summary["best_step"]
    assert origin["images"] == 4 * summary["best_step"]
    assert origin["val_mae"] == summary["val_mae"]
    assert {"srd-jax", "jax", "jaxlib", "flax", "optax", "numpy"} <= origin["versions"].keys()


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"about": None}, "metadata about, origin and calibration cannot be read (model)"),
        ({"origin": None}, "origin"),
        ({"about": "{"}, "Expecting property name"),
        ({"about": '{"task": "period", "model": {"heads": 2}}'}, "model.encoder is missing"),
        ({"about": '{"task": "period", "model": []}'}, "model is []"),
        ({"about": "[]"}, "metadata about is []; accepted: a JSON object"),
        ({"about": '{"task": "grana"}'}, "of the task 'grana'; accepted: 'period'"),
        ({"calibration": "["}, "calibration cannot be read"),
        ({"calibration": '{"scale": 2.0}'}, "calibration.exponent is missing"),
        ({"calibration": '{"scale": 0.0, "exponent": 1.0}'}, "calibration.scale is 0.0; accepted"),
        ({"calibration": '{"scale": 1.0, "exponent": NaN}'}, "calibration.exponent is nan"),
    ],
)
def test_metadata_that_cannot_be_read_are_one_line(tmp_path, changes, found):
    path = tmp_path / "w.safetensors"
    weights.save(path, example())
    metadata = {k: v for k, v in (metadata_of(path) | changes).items() if v is not None}
    save_file(example().parameters, path, metadata=metadata)
    assert found in refused(path)


def test_files_of_before_calibration_have_none(tmp_path):
    path = tmp_path / "w.safetensors"
    weights.save(path, example())
    metadata = metadata_of(path)
    del metadata["calibration"]
    save_file(example().parameters, path, metadata=metadata)
    assert weights.load(path).calibration == Calibration(1.0, 1.0)


def test_folded_parameters_give_the_calibrated_sd():
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(8, 1)).astype(np.float32), np.float32([0.7])
    parameters = {"sd_regressor.output.kernel": kernel, "sd_regressor.output.bias": bias}
    found = PeriodWeights(parameters, ModelConfig(), {}, Calibration(1.7, 0.6))
    folded = weights.folded(found)
    hidden = rng.uniform(size=(5, 8))
    sd = np.exp(hidden @ kernel + bias)
    calibrated = np.exp(
        hidden @ folded["sd_regressor.output.kernel"] + folded["sd_regressor.output.bias"]
    )
    np.testing.assert_allclose(calibrated, 1.7 * sd**0.6, rtol=1e-6)
    assert weights.folded(PeriodWeights({"a": kernel}, ModelConfig(), {}))["a"] is kernel


@pytest.mark.parametrize("calibrated", [True, False])
def test_files_from_before_there_were_several_tasks_are_read(tmp_path, calibrated):
    written, path = example(), tmp_path / "w.safetensors"
    metadata = {
        "format": "srd_jax weights 1",
        "model": json.dumps(dataclasses.asdict(written.model)),
        "geometry": json.dumps(dataclasses.asdict(written.model.geometry)),
        "origin": json.dumps(written.origin),
    }
    if calibrated:
        metadata["calibration"] = '{"scale": 1.3, "exponent": 0.8}'
    save_file(dict(written.parameters), path, metadata=metadata)
    read = weights.load(path)
    assert (read.model, read.origin) == (written.model, written.origin)
    assert read.calibration == (Calibration(1.3, 0.8) if calibrated else Calibration(1.0, 1.0))


@pytest.mark.parametrize("old", [True, False])
def test_a_workdir_without_a_weights_file_is_read_from_its_best_checkpoint(tmp_path, old):
    shutil.copytree(undisturbed(), tmp_path / "run")
    (tmp_path / "run" / "weights.safetensors").unlink()
    step = json.loads((tmp_path / "run" / "summary.json").read_text())["best_step"]
    path = tmp_path / "run" / "checkpoints" / str(step) / "metadata" / "metadata"
    metadata = json.loads(path.read_text())
    if old:
        del metadata["about"], metadata["config"]["kind"]
        path.write_text(json.dumps(metadata))
    found, expected = weights.load(tmp_path / "run"), weights.load(undisturbed())
    assert (found.model, found.origin) == (tiny().model, {"run": "tiny", "step": step})
    assert same_bits(found.parameters, expected.parameters)
    place = metadata["config"]["model"] if old else metadata["about"]["model"]
    place["gray_mean"] = place.pop("grey_mean")
    path.write_text(json.dumps(metadata))
    with pytest.raises(InputError, match=r"run: model\.gray_mean is unknown") as error:
        weights.load(tmp_path / "run")
    assert one_line(error.value).startswith(f"{tmp_path}/run: ")


def test_weights_from_before_grey_values_were_normalised_see_them_as_they_are(tmp_path):
    written = example()
    about = weights.about(written.model)
    assert about["model"].pop("grey") == "fixed"
    parameters = dict(written.parameters)
    files.save(tmp_path / "old", files.Weights(parameters, about, ORIGIN, {}))
    assert weights.load(tmp_path / "old").model.grey == "fixed"
    robust = dataclasses.replace(written.model, grey="robust")
    weights.save(tmp_path / "new", dataclasses.replace(written, model=robust))
    assert weights.load(tmp_path / "new").model.grey == "robust"
