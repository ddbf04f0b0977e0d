import dataclasses

import jax
import numpy as np
import pytest
from helpers.micrograph_runs import on_stripes, tiny
from helpers.training_runs import one_line

from srd_jax.cli import main
from srd_jax.support.errors import InputError
from srd_jax.tasks.grana import model, weights
from srd_jax.tasks.grana.config import ModelConfig
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import weights as period_weights
from srd_jax.training import train
from srd_jax.training import weights as weights_files

TINY = ModelConfig(channels=(4, 8))


def found(threshold=0.4):
    parameters = jax.device_get(model.random_parameters(TINY, jax.random.key(0)))
    origin = {"run": "tiny", "step": 3}
    return weights.MicrographWeights(parameters, TINY, origin, weights.Calibration(threshold))


def test_what_is_saved_is_loaded(tmp_path):
    weights.save(tmp_path / "weights.safetensors", found())
    for path in (tmp_path, tmp_path / "weights.safetensors"):
        loaded, expected = weights.load(path), found()
        assert (loaded.model, loaded.origin) == (TINY, {"run": "tiny", "step": 3})
        assert loaded.calibration == expected.calibration
        assert loaded.parameters.keys() == expected.parameters.keys()
        for name, value in expected.parameters.items():
            np.testing.assert_array_equal(loaded.parameters[name], value)


def test_the_weights_of_another_task_are_refused():
    with pytest.raises(InputError, match="of the task 'period'; accepted: 'micrographs'") as error:
        weights.load(period_weights.RELEASED)
    assert one_line(error.value).startswith(str(period_weights.RELEASED))


def test_the_period_does_not_take_them(tmp_path):
    weights.save(tmp_path / "weights.safetensors", found())
    with pytest.raises(InputError, match="of the task 'micrographs'; accepted: 'period'"):
        period_weights.load(tmp_path)


@pytest.mark.parametrize("fitted", [{"threshold": 1.5}, {"threshold": "high"}, {"level": 0.5}])
def test_a_calibration_that_is_none_is_named(tmp_path, fitted):
    path = tmp_path / "weights.safetensors"
    one = found()
    described = weights.about(one.model)
    weights_files.save(path, weights_files.Weights(one.parameters, described, one.origin, fitted))
    with pytest.raises(InputError, match="calibration") as error:
        weights.load(path)
    assert one_line(error.value).startswith(str(path))


def test_a_file_without_calibration_has_the_middle_threshold(tmp_path):
    one = dataclasses.replace(found())
    path = tmp_path / "weights.safetensors"
    weights_files.save(path, weights_files.Weights(one.parameters, weights.about(TINY), {}))
    assert weights.load(path).calibration.threshold == 0.5


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(InputError, match="holds no checkpoints"):
        weights.load(tmp_path)


def test_the_command_tells_where_they_come_from(tmp_path, capsys, monkeypatch):
    on_stripes(monkeypatch)
    workdir = tmp_path / "run"
    train.run(tiny(epochs=1), workdir, make_task)
    assert main(["weights", "--weights", str(workdir)]) == 0
    text = capsys.readouterr().out
    assert "calibration: threshold 0." in text
    assert "tiny: seed 0, step 2, images 4" in text
    assert "data: drawn micrographs, tiles of 32x32, batches of 2; loss bce_dice; adamw" in text
    assert "validation: IoU 0" in text
