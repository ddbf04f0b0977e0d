"""Loads weights of the network of micrographs: of a file, a run's workdir or the package."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

from srd_jax.networks.parameters import Parameters
from srd_jax.support.errors import InputError
from srd_jax.support.fields import check, from_dict, limited
from srd_jax.tasks.grana.config import ModelConfig
from srd_jax.training import weights

TASK = "micrographs"

# The weights that come with the package.
RELEASED = pathlib.Path(__file__).parents[2] / "micrographs.safetensors"


@dataclasses.dataclass(frozen=True)
class Calibration:
    """The probability from which on a pixel is taken for granum; fitted to validation tiles."""

    threshold: float = limited(0.5, 0.0, 1.0)


@dataclasses.dataclass(frozen=True)
class MicrographWeights:
    """The parameters of a network with its config.

    Attributes:
      parameters: arrays by name.
      model: config of the network.
      origin: run, step, scores and package versions that the weights come from.
      calibration: of the probability.
    """

    parameters: Parameters
    model: ModelConfig
    origin: dict[str, Any]
    calibration: Calibration = dataclasses.field(default_factory=Calibration)


def about(model: ModelConfig) -> dict[str, Any]:
    """Returns the description of a network in checkpoints and weights files, as JSON."""
    # Through JSON, so that tuples become lists, as in a file that is read back.
    return {"task": TASK, "model": json.loads(json.dumps(dataclasses.asdict(model)))}


def save(path: str | os.PathLike[str], found: MicrographWeights) -> None:
    """Writes a weights file, whole or not at all.

    Raises:
      InputError: the file cannot be written.
    """
    fitted = dataclasses.asdict(found.calibration)
    described = about(found.model)
    weights.save(path, weights.Weights(found.parameters, described, found.origin, fitted))


def load(path: str | os.PathLike[str] | None = None) -> MicrographWeights:
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
        return MicrographWeights(loaded.parameters, model, origin)
    found = weights.load(file)
    described = _model(found.about, file)
    fitted = Calibration()
    if found.calibration:
        fitted = from_dict(Calibration, dict(found.calibration), f"{file}: calibration")
        check(fitted, f"{file}: calibration")
    return MicrographWeights(found.parameters, described, found.origin, fitted)


def _model(described: Mapping[str, Any], path: pathlib.Path) -> ModelConfig:
    if described.get("task") != TASK:
        raise InputError(
            f"{path}: its weights are of the task {described.get('task')!r}; accepted: {TASK!r}"
        )
    return from_dict(ModelConfig, described.get("model"), f"{path}: model")
