"""Loads weights of the network of cubic membranes: of a file, a run's workdir or the package."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from srd_jax.networks.parameters import Parameters
from srd_jax.support.errors import InputError
from srd_jax.support.fields import check, from_dict, limited
from srd_jax.tasks.surfaces.config import ModelConfig
from srd_jax.training import weights

TASK = "surfaces"

# The weights that come with the package.
RELEASED = pathlib.Path(__file__).parents[2] / "surfaces.safetensors"


@dataclasses.dataclass(frozen=True)
class Calibration:
    """Makes probabilities and sds agree with how often and how much the network errs.

    Attributes:
      temperature: probabilities p become p^(1/temperature), normalised.
      log_cell, fraction, turn, tilt: factors of the sds.
    """

    temperature: float = limited(1.0, 0.01)
    log_cell: float = limited(1.0, 1e-6)
    fraction: float = limited(1.0, 1e-6)
    turn: float = limited(1.0, 1e-6)
    tilt: float = limited(1.0, 1e-6)


@dataclasses.dataclass(frozen=True)
class SurfacesWeights:
    """The parameters of a network with its config.

    Attributes:
      parameters: arrays by name.
      model: config of the network.
      origin: run, step, scores and package versions that the weights come from.
      calibration: of probabilities and sds.
    """

    parameters: Parameters
    model: ModelConfig
    origin: dict[str, Any]
    calibration: Calibration = dataclasses.field(default_factory=Calibration)


def about(model: ModelConfig) -> dict[str, Any]:
    """Returns the description of a network in checkpoints and weights files, as JSON."""
    # Through JSON, so that tuples become lists, as in a file that is read back.
    return {"task": TASK, "model": json.loads(json.dumps(dataclasses.asdict(model)))}


def save(path: str | os.PathLike[str], found: SurfacesWeights) -> None:
    """Writes a weights file, whole or not at all.

    Raises:
      InputError: the file cannot be written.
    """
    fitted = dataclasses.asdict(found.calibration)
    described = about(found.model)
    weights.save(path, weights.Weights(found.parameters, described, found.origin, fitted))


def load(path: str | os.PathLike[str] | None = None) -> SurfacesWeights:
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
        from srd_jax.training import checkpoint  # late, as orbax takes its time to load

        loaded = checkpoint.load_parameters(path)
        origin = {"run": path.name, "step": loaded.step}
        model = _model(loaded.metadata.get("about", {}), path)
        return SurfacesWeights(loaded.parameters, model, origin)
    found = weights.load(file)
    described = _model(found.about, file)
    fitted = Calibration()
    if found.calibration:
        fitted = from_dict(Calibration, dict(found.calibration), f"{file}: calibration")
        check(fitted, f"{file}: calibration")
    return SurfacesWeights(found.parameters, described, found.origin, fitted)


def _model(described: Mapping[str, Any], path: pathlib.Path) -> ModelConfig:
    if described.get("task") != TASK:
        raise InputError(
            f"{path}: its weights are of the task {described.get('task')!r}; accepted: {TASK!r}"
        )
    return from_dict(ModelConfig, described.get("model"), f"{path}: model")
