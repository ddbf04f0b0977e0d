import pathlib

import numpy as np
import pytest
from helpers.training_runs import one_line
from safetensors.numpy import save_file

from srd_jax.support.errors import InputError
from srd_jax.training import weights
from srd_jax.training.weights import Weights

ABOUT = {"task": "line", "knots": [1, 2]}
ORIGIN = {"run": "first", "step": 120, "val_r2": 0.5, "versions": {"jax": "0.10.2"}}


def example():
    rng = np.random.default_rng(3)
    shapes = {"layer.0.kernel": (3, 3, 1, 4), "queries": (2, 4), "slope": ()}
    parameters = {name: np.asarray(rng.normal(size=s), np.float32) for name, s in shapes.items()}
    return Weights(parameters, ABOUT, ORIGIN, {"scale": 1.3})


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
    assert (read.about, read.origin, read.calibration) == (ABOUT, ORIGIN, {"scale": 1.3})
    assert read.parameters.keys() == written.parameters.keys()
    for name, value in written.parameters.items():
        assert read.parameters[name].dtype == np.float32
        assert read.parameters[name].shape == value.shape
        np.testing.assert_array_equal(read.parameters[name], value)


def test_strided_arrays_are_written_in_their_order(tmp_path):
    array = np.arange(12, dtype=np.float32).reshape(3, 4).T
    written = Weights({"a": array}, ABOUT, ORIGIN)
    weights.save(tmp_path / "w.safetensors", written)
    np.testing.assert_array_equal(weights.load(tmp_path / "w.safetensors").parameters["a"], array)


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
