"""Loads and saves weights of the period's network: of a file, a run's workdir or the package."""

import dataclasses
import hashlib
import json
import math
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from srd_jax.networks.parameters import Parameters
from srd_jax.support.errors import InputError
from srd_jax.support.fields import check, from_dict
from srd_jax.tasks.period.calibration import Calibration
from srd_jax.tasks.period.config import ModelConfig
from srd_jax.training import weights

_TASK = "period"

# The weights that come with the package.
RELEASED = pathlib.Path(__file__).parents[2] / "released.safetensors"


@dataclasses.dataclass(frozen=True)
class PeriodWeights:
    """The parameters of a network with its config.

    Attributes:
      parameters: arrays by name.
      model: config of the network.
      origin: run, step, scores and package versions that the weights come from.
      calibration: of the network's sd.
    """

    parameters: Parameters
    model: ModelConfig
    origin: dict[str, Any]
    calibration: Calibration = dataclasses.field(default_factory=Calibration)


def about(model: ModelConfig) -> dict[str, Any]:
    """Returns the description of a network in checkpoints and weights files, as JSON."""
    geometry = dataclasses.asdict(model.geometry)
    # Through JSON, so that tuples become lists, as in a file that is read back.
    config = json.loads(json.dumps(dataclasses.asdict(model)))
    return {"task": _TASK, "model": config, "geometry": json.loads(json.dumps(geometry))}


def calibration_of(fitted: Mapping[str, Any], path: str = "calibration") -> Calibration:
    """Returns a calibration from its JSON; {} leaves the sd as it is.

    Raises:
      InputError: a field is unknown, missing or out of its limits.
    """
    found = from_dict(Calibration, dict(fitted), path) if fitted else Calibration()
    check(found, path)
    return found


def save(path: str | os.PathLike[str], found: PeriodWeights) -> None:
    """Writes a weights file, whole or not at all.

    Raises:
      InputError: the file cannot be written.
    """
    parameters = {name: np.asarray(value) for name, value in found.parameters.items()}
    fitted = dataclasses.asdict(found.calibration)
    weights.save(path, weights.Weights(parameters, about(found.model), found.origin, fitted))


def load(path: str | os.PathLike[str] | None = None) -> PeriodWeights:
    """Reads weights; the caller checks names and shapes against the network.

    Args:
      path: a weights file, or the workdir of a run, which is searched for weights.safetensors and
        else for the best checkpoint. None for the weights that come with the package.

    Raises:
      InputError: there are no weights, or they are of another task.
    """
    path = RELEASED if path is None else pathlib.Path(path)
    file = weights.file_of(path)
    if path.is_dir() and not file.exists():
        return _of_checkpoint(path)
    found = weights.load(file)
    model = _model(found.about, file)
    fitted = calibration_of(found.calibration, f"{file}: calibration")
    return PeriodWeights(found.parameters, model, found.origin, fitted)


def _of_checkpoint(workdir: pathlib.Path) -> PeriodWeights:
    from srd_jax.training import checkpoint  # late, as orbax takes its time to load

    loaded = checkpoint.load_parameters(workdir)
    config = loaded.metadata.get("config")
    if not isinstance(config, dict):
        raise InputError(f"{workdir}: its checkpoint holds no config; accepted: the one of a run")
    described = loaded.metadata.get("about", {"task": _TASK, "model": config.get("model")})
    origin = {"run": config.get("name"), "step": loaded.step}
    return PeriodWeights(loaded.parameters, _model(described, workdir), origin)


def _model(described: Mapping[str, Any], path: pathlib.Path) -> ModelConfig:
    if described.get("task") != _TASK:
        raise InputError(
            f"{path}: its weights are of the task {described.get('task')!r}; accepted: {_TASK!r}"
        )
    return from_dict(ModelConfig, described.get("model"), f"{path}: model")


def digest(found: PeriodWeights) -> str:
    """Returns the SHA-256 of all that a network's answers depend on."""
    described = {**about(found.model), "calibration": dataclasses.asdict(found.calibration)}
    made = hashlib.sha256(json.dumps(described, sort_keys=True).encode())
    for name, value in sorted(found.parameters.items()):
        array = np.asarray(value, order="C")
        made.update(f"{name} {array.dtype.str} {array.shape}".encode())
        made.update(array.tobytes())
    return made.hexdigest()


def folded(found: PeriodWeights) -> dict[str, np.ndarray]:
    """Returns parameters of a network that predicts the calibrated sd.

    Since sd = exp(v), the calibrated sd, scale · sd^exponent, is exp(exponent · v + log scale). And
    v is linear in the last layer, so its kernel and bias change alone.
    """
    parameters = {name: np.asarray(value) for name, value in found.parameters.items()}
    calibration = found.calibration
    for name, shift in (("kernel", 0.0), ("bias", math.log(calibration.scale))):
        path = f"sd_regressor.output.{name}"
        if path in parameters:
            scaled = parameters[path] * calibration.exponent + shift
            parameters[path] = np.asarray(scaled, parameters[path].dtype)
    return parameters
