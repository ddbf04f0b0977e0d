"""Saves and loads weights: one safetensors file with all that the use of a network needs.

The file holds the parameters under their own names. Its metadata hold the task's `about`, the
calibration, and the origin: the run and the package versions.
"""

import dataclasses
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors
from safetensors.numpy import save as serialize

from srd_jax.networks.parameters import Parameters
from srd_jax.support.errors import InputError, one_line
from srd_jax.support.files import whole_file
from srd_jax.training.workdir import WEIGHTS

FORMAT = "srd_jax weights 1"


@dataclasses.dataclass(frozen=True)
class Weights:
    """The parameters of a network with their description.

    Attributes:
      parameters: arrays by name.
      about: the task's own JSON, which describes its network.
      origin: run, step, scores and package versions that the weights come from.
      calibration: of the network's results.
    """

    parameters: Parameters
    about: Mapping[str, Any]
    origin: dict[str, Any]
    calibration: dict[str, Any] = dataclasses.field(default_factory=dict)


def save(path: str | os.PathLike[str], weights: Weights) -> None:
    """Writes a weights file, whole or not at all.

    Raises:
      InputError: the file cannot be written.
    """
    metadata = {
        "format": FORMAT,
        "about": json.dumps(weights.about),
        "origin": json.dumps(weights.origin),
        "calibration": json.dumps(weights.calibration),
    }
    # np.ascontiguousarray would turn a scalar into a vector.
    arrays = {name: np.asarray(x, order="C") for name, x in weights.parameters.items()}
    with whole_file(path) as temporary:
        temporary.write_bytes(serialize(arrays, metadata))


def load(path: str | os.PathLike[str]) -> Weights:
    """Reads a weights file; the caller checks names and shapes against the network.

    A file of an older version, which names no task, is of the task `period`. A file without a
    calibration loads with an empty one.

    Raises:
      InputError: the file is missing, or is no weights file.
    """
    try:
        with safetensors.safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            # Files of other formats may hold types that NumPy lacks.
            names = file.keys() if metadata.get("format") == FORMAT else ()
            parameters = {name: file.get_tensor(name) for name in names}
    except FileNotFoundError:
        raise InputError(f"{path}: no such weights file") from None
    except (OSError, safetensors.SafetensorError) as error:
        raise InputError(
            f"{path}: not a safetensors file ({one_line(error)}); "
            f"accepted: the {WEIGHTS} of a training run or of import-weights"
        ) from None
    if metadata.get("format") != FORMAT:
        raise InputError(
            f"{path}: its format is {metadata.get('format', 'unknown')!r}; accepted: {FORMAT!r} "
            "(released PyTorch weights are read by import-weights)"
        )
    try:
        about = json.loads(metadata["about"]) if "about" in metadata else _period(metadata)
        origin = json.loads(metadata["origin"])
        calibration = json.loads(metadata.get("calibration", "{}"))
    except (KeyError, ValueError) as error:
        raise InputError(
            f"{path}: its metadata about, origin and calibration cannot be read "
            f"({one_line(error)}); accepted: JSON"
        ) from None
    for name, value in (("about", about), ("origin", origin), ("calibration", calibration)):
        if not isinstance(value, dict):
            raise InputError(f"{path}: its metadata {name} is {value!r}; accepted: a JSON object")
    return Weights(parameters, about, origin, calibration)


def _period(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Returns the `about` of a file of an older version, which had one task only."""
    return {"task": "period", "model": json.loads(metadata["model"])}


def file_of(path: str | os.PathLike[str]) -> pathlib.Path:
    """Returns the weights file in a workdir; the path of a file is returned as it is."""
    path = pathlib.Path(path)
    return path / WEIGHTS if path.is_dir() else path
