"""Records the origin of weights: run, config, seed, scores and code, back to the first run."""

import functools
import importlib.metadata
import json
import pathlib
import subprocess
from typing import Any

from srd_jax.networks.parameters import Parameters
from srd_jax.support.cluster import distributed
from srd_jax.support.errors import InputError
from srd_jax.support.fields import to_json
from srd_jax.support.version import __version__
from srd_jax.training import weights
from srd_jax.training.config import RunConfig, start_workdir
from srd_jax.training.task import Calibration, MetricsRow, Task
from srd_jax.training.workdir import WEIGHTS

_PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")


def save_weights(
    config: RunConfig,
    workdir: pathlib.Path,
    task: Task,
    parameters: Parameters,
    row: MetricsRow | None,
    calibration: Calibration,
) -> None:
    """Writes averaged parameters, with their calibration and origin, to weights.safetensors.

    Of several processes, the first writes.

    Args:
      config: of the run.
      workdir: of the run.
      task: of the run.
      parameters: averaged parameters by name, on the host.
      row: metrics row of their step, if there is one.
      calibration: {} where none was fitted.

    Raises:
      InputError: the file cannot be written.
    """
    if not distributed.is_first():
        return
    origin = _origin(config, workdir, row)
    weights.save(workdir / WEIGHTS, weights.Weights(parameters, task.about, origin, calibration))


def _origin(config: RunConfig, workdir: pathlib.Path, row: MetricsRow | None) -> dict[str, Any]:
    """Returns the origin of a run's averaged parameters."""
    found: dict[str, Any] = {"run": config.name, "parameters": "averaged", "seed": config.seed}
    if row is not None:
        scores = [name for name in row if name.startswith("val_")]
        found |= {name: row[name] for name in ("step", "images", *scores)}
    found |= {"commit": _own_commit(), "versions": versions()}
    found["config"] = json.loads(to_json(config))
    other = start_workdir(config, workdir)
    if other is not None:
        found["start"] = _origin_of(other)
    return found


def versions() -> dict[str, str]:
    """Returns the versions of the packages that a result depends on."""
    packages = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return {"srd-jax": __version__, **packages}


@functools.cache
def _own_commit() -> str:
    """Returns the commit of the package; git is asked only once a process."""
    return commit(str(pathlib.Path(__file__).parents[1] / "__init__.py"))


def commit(file: str) -> str:
    """Returns the commit of the git repository that tracks a file.

    Args:
      file: its path.

    Returns:
      The commit, with "+" if files beside or below the file have changed since. Empty if git
      doesn't track the file, as in an installed package, even if a repository lies around it.
    """
    folder = pathlib.Path(file).parent
    try:
        _git(folder, "ls-files", "--error-unmatch", file)
        head = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", str(folder))
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head + ("+" if changed else "")


def _git(folder: pathlib.Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _origin_of(workdir: pathlib.Path) -> dict[str, Any]:
    """Returns the origin of another run's weights, or only its name if they can't be read."""
    try:
        return weights.load(weights.file_of(workdir)).origin
    except InputError:
        return {"run": workdir.name}
