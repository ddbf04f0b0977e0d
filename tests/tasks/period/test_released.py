import json
import pathlib

import numpy as np
import pytest
from helpers.command import read, run
from helpers.crops import write_crop, write_weights

import srd_jax
from srd_jax.tasks.period import weights
from srd_jax.tasks.period.config import ModelConfig
from srd_jax.tasks.period.model import parameter_shapes

ROOT = pathlib.Path(srd_jax.__file__).parents[1]


def runs(origin):
    """The runs that weights descend from, the last one first."""
    while origin:
        yield origin
        origin = origin.get("start")


def test_the_package_has_weights_of_the_references_size_trained_from_scratch():
    found = weights.load(weights.RELEASED)
    assert weights.RELEASED.stat().st_size < 500_000
    assert sum(value.size for value in found.parameters.values()) == 84_738
    assert found.model.confidence
    shapes = {name: value.shape for name, value in found.parameters.items()}
    assert shapes == parameter_shapes(ModelConfig(confidence=True))
    assert found.model.grey == "robust"
    # The first is the mean of two networks; runs are behind it.
    configs = [run["config"] for run in list(runs(found.origin))[1:]]
    # Drawn images only, and the first run starts from nothing.
    assert {config["source"]["kind"] for config in configs} == {"grana"}
    assert not (configs[-1]["start"]["stage"] or configs[-1]["start"]["workdir"])


def test_load_without_a_path_takes_them():
    found = srd_jax.load(method="network").weights
    expected = weights.load(weights.RELEASED)
    assert found.calibration == expected.calibration
    for name, value in expected.parameters.items():
        np.testing.assert_array_equal(found.parameters[name], value)


def test_srd_weights_tells_where_they_come_from(tmp_path, capsys):
    assert run("weights") == 0
    said = capsys.readouterr().out
    origin = weights.load(weights.RELEASED).origin
    assert f"{origin['run']}: " in said
    for one in list(runs(origin))[1:]:
        assert f"\n{one['run']}: seed {one['seed']}, step {one['step']}, " in said
        if "val_mae" in one:
            assert f"MAE {one['val_mae']:.3g} px of the frame" in said
        assert f"commit {one['commit'] or 'unknown'}" in said
    assert "84,738 weights" in said
    path = write_weights(tmp_path / "run" / "weights.safetensors")
    for given in (path, path.parent):
        assert run("weights", "--weights", given) == 0
        assert str(path) in capsys.readouterr().out
    assert run("weights", "--json") == 0
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert told["start"]["config"]["reference_mae"] is None
    assert told["start"]["config"]["source"] == origin["start"]["config"]["source"]


@pytest.mark.parametrize("given", [[], ["--weights", "released"]])
def test_predict_measures_by_them(given, tmp_path):
    write_crop(tmp_path / "grana" / "a.png", period=20.0)
    out = tmp_path / "r.csv"
    assert run("predict", tmp_path / "grana", "--out", out, *given) == 0
    (row,) = read(out)
    assert abs(float(row["period_px"]) - 20) < 2
    assert row["status"] == "ok"
