import dataclasses
import json
import pathlib

import numpy as np
import pytest
import safetensors
from helpers.training_runs import one_line, tiny, undisturbed
from safetensors.numpy import save_file

from srd_jax.support.errors import InputError
from srd_jax.tasks.period.calibration import Calibration
from srd_jax.tasks.period.config import ModelConfig
from srd_jax.training import weights

ORIGIN = {"run": "stage1", "step": 120, "val_mae": 2.5, "versions": {"jax": "0.10.2"}}


def example():
    rng = np.random.default_rng(3)
    shapes = {"encoder.convolutions.0.kernel": (3, 3, 1, 4), "period_pool.queries": (2, 4)}
    parameters = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    return weights.Weights(parameters, tiny().model, ORIGIN, Calibration(1.3, 0.8))


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


def test_strided_arrays_are_written_in_their_order(tmp_path):
    array = np.arange(12, dtype=np.float32).reshape(3, 4).T
    written = weights.Weights({"a": array}, ModelConfig(), ORIGIN)
    weights.save(tmp_path / "w.safetensors", written)
    np.testing.assert_array_equal(weights.load(tmp_path / "w.safetensors").parameters["a"], array)


def test_the_weights_of_a_run_say_all_that_prediction_needs():
    path = undisturbed() / "weights.safetensors"
    metadata = metadata_of(path)
    assert metadata["format"] == weights.FORMAT
    model = json.loads(metadata["model"])
    assert model == json.loads(json.dumps(dataclasses.asdict(tiny().model)))
    assert (model["grey_mean"], model["grey_sd"]) == (0.2845, 0.1447)
    # 1 + (2·1 + 1) + (2·2 + 2) rows and 1 + (2·1 + 1) + 2·2 columns; pools of 2·2 and 2·1.
    assert json.loads(metadata["geometry"]) == {"receptive_field": [10, 8], "stride": [4, 2]}
    origin = json.loads(metadata["origin"])
    summary = json.loads((undisturbed() / "summary.json").read_text())
    assert origin["run"] == "tiny"
    assert origin["seed"] == 0
    assert origin["step"] == summary["best_step"]
    assert origin["images"] == 4 * summary["best_step"]
    assert origin["val_mae"] == summary["val_mae"]
    assert {"srd-jax", "jax", "jaxlib", "flax", "optax", "numpy"} <= origin["versions"].keys()


def test_a_missing_file_is_one_line(tmp_path):
    assert "no such weights file" in refused(tmp_path / "w.safetensors")


def test_files_that_are_not_safetensors_are_one_line(tmp_path):
    path = tmp_path / "w.safetensors"
    weights.save(path, example())
    whole = path.read_bytes()
    for content in (b"", b"PK\x03\x04 a zip", whole[:100], whole[:-1], whole + b"0"):
        path.write_bytes(content)
        assert "not a safetensors file" in refused(path)
    assert "not a safetensors file" in refused(tmp_path)


def test_foreign_safetensors_are_told_from_ours(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"a": np.zeros(2)}, path)
    assert "its format is 'unknown'" in refused(path)
    save_file({"a": np.zeros(2)}, path, metadata={"format": "pt"})
    message = refused(path)
    assert "its format is 'pt'" in message
    assert "import-weights" in message


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"model": None}, "model"),
        ({"origin": None}, "origin"),
        ({"model": "{"}, "Expecting property name"),
        ({"model": '{"heads": 2}'}, "model.encoder is missing"),
        ({"model": "[]"}, "model is []"),
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


def test_a_full_disk_is_one_line_and_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    weights.save(path, example())
    before = path.read_bytes()

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "write_bytes", full)
    with pytest.raises(
        InputError, match="cannot be written \\(No space left on device\\)"
    ) as error:
        weights.save(path, example())
    assert one_line(error.value).startswith(f"{path}: ")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_check_shapes_accepts_tuples_and_lists():
    weights.check_shapes({"a": (2, 3)}, {"a": (2, 3)}, "w")
    with pytest.raises(InputError, match="w: missing b; extra a"):
        weights.check_shapes({"a": (2, 3)}, {"b": (2, 3)}, "w")


def test_folded_parameters_give_the_calibrated_sd():
    rng = np.random.default_rng(0)
    kernel, bias = rng.normal(size=(8, 1)).astype(np.float32), np.float32([0.7])
    parameters = {"sd_regressor.output.kernel": kernel, "sd_regressor.output.bias": bias}
    found = weights.Weights(parameters, ModelConfig(), {}, Calibration(1.7, 0.6))
    folded = weights.folded(found)
    hidden = rng.uniform(size=(5, 8))
    sd = np.exp(hidden @ kernel + bias)
    calibrated = np.exp(
        hidden @ folded["sd_regressor.output.kernel"] + folded["sd_regressor.output.bias"]
    )
    np.testing.assert_allclose(calibrated, 1.7 * sd**0.6, rtol=1e-6)
    assert weights.folded(weights.Weights({"a": kernel}, ModelConfig(), {}))["a"] is kernel
