"""Released weights: one safetensors file that suffices to predict.

The file holds the parameters under their own names and, as metadata, the network's config, its
geometry, the calibration of its sd, and the versions and run that it came from.
"""

import dataclasses
import json
import math
import os
import pathlib
from typing import Any

import numpy as np
import safetensors
from safetensors.numpy import save as serialize

from srd_jax.support.errors import InputError, one_line
from srd_jax.support.fields import check_limits
from srd_jax.support.files import whole_file
from srd_jax.tasks.period.calibration import Calibration
from srd_jax.tasks.period.config import ModelConfig, from_dict

FORMAT = "srd_jax weights 1"

# What comes with the package.
RELEASED = pathlib.Path(__file__).parents[1] / "released.safetensors"


@dataclasses.dataclass(frozen=True)
class Weights:
    """Parameters of a network with its config.

    Attributes:
      parameters: arrays by name.
      model: config of the network.
      origin: where the weights come from: run, step, figures, package versions.
      calibration: of the network's sd.
    """

    parameters: dict[str, np.ndarray]
    model: ModelConfig
    origin: dict[str, Any]
    calibration: Calibration = dataclasses.field(default_factory=Calibration)


def save(path: str | os.PathLike[str], weights: Weights) -> None:
    """Writes a weights file, whole or not at all.

    Raises:
      InputError: the file cannot be written.
    """
    geometry = weights.model.geometry
    metadata = {
        "format": FORMAT,
        "model": json.dumps(dataclasses.asdict(weights.model)),
        "geometry": json.dumps(dataclasses.asdict(geometry)),
        "origin": json.dumps(weights.origin),
        "calibration": json.dumps(dataclasses.asdict(weights.calibration)),
    }
    arrays = {name: np.ascontiguousarray(value) for name, value in weights.parameters.items()}
    with whole_file(path) as temporary:
        temporary.write_bytes(serialize(arrays, metadata))


def load(path: str | os.PathLike[str]) -> Weights:
    """Reads a weights file; the caller checks names and shapes against the network.

    A file without calibration is of a network whose sd is taken as it is.

    Raises:
      InputError: the file is missing, is no weights file, or holds another network's config.
    """
    try:
        with safetensors.safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            # Only of our own files: foreign ones may hold types that NumPy doesn't have.
            names = file.keys() if metadata.get("format") == FORMAT else ()
            parameters = {name: file.get_tensor(name) for name in names}
    except FileNotFoundError:
        raise InputError(f"{path}: no such weights file") from None
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(
            f"{path}: not a safetensors file ({one_line(error)}); "
            "accepted: the weights.safetensors of a training run or of import-weights"
        ) from None
    if metadata.get("format") != FORMAT:
        raise InputError(
            f"{path}: its format is {metadata.get('format', 'unknown')!r}; accepted: {FORMAT!r} "
            "(released PyTorch weights are read by import-weights)"
        )
    plain = {"calibration": json.dumps(dataclasses.asdict(Calibration()))} | metadata
    try:
        model, origin, calibration = (
            json.loads(plain[name]) for name in ("model", "origin", "calibration")
        )
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path}: its metadata model, origin and calibration cannot be read "
            f"({one_line(error)}); accepted: JSON"
        ) from None
    calibrated = from_dict(Calibration, calibration, f"{path}: calibration")
    check_limits(calibrated, f"{path}: calibration")
    return Weights(parameters, from_dict(ModelConfig, model, f"{path}: model"), origin, calibrated)


def file_of(path: str | os.PathLike[str]) -> pathlib.Path:
    """Returns the weights file that a path names: that of a workdir, or the file itself."""
    path = pathlib.Path(path)
    return path / "weights.safetensors" if path.is_dir() else path


def folded(weights: Weights) -> dict[str, np.ndarray]:
    """Returns parameters whose sd is the calibrated one.

    As sd = exp(v), scale · sd^exponent is exp(exponent · v + log scale), and v is linear in the
    last layer.
    """
    parameters = dict(weights.parameters)
    calibration = weights.calibration
    for name, shift in (("kernel", 0.0), ("bias", math.log(calibration.scale))):
        path = f"sd_regressor.output.{name}"
        if path in parameters:
            scaled = parameters[path] * calibration.exponent + shift
            parameters[path] = np.asarray(scaled, parameters[path].dtype)
    return parameters


def check_shapes(
    found: dict[str, tuple[int, ...]], expected: dict[str, tuple[int, ...]], source: str
) -> None:
    """Checks that parameters are exactly those that a network expects.

    Args:
      found: shapes by name.
      expected: shapes by name.
      source: where `found` comes from, for the message.

    Raises:
      InputError: a parameter is missing, extra or of another shape; all are named.
    """
    problems = [f"missing {name}" for name in expected if name not in found]
    problems += [f"extra {name}" for name in found if name not in expected]
    problems += [
        f"{name} has shape {found[name]}, accepted: {shape}"
        for name, shape in expected.items()
        if name in found and tuple(found[name]) != tuple(shape)
    ]
    if problems:
        raise InputError(f"{source}: {'; '.join(problems)}")
