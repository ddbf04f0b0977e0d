"""Where weights come from: run, config, seed, figures and code, back to the run from scratch."""

import functools
import importlib.metadata
import json
import pathlib
import subprocess
from typing import Any

from srd_jax.networks.modules import Parameters
from srd_jax.support.errors import InputError
from srd_jax.support.fields import to_json
from srd_jax.support.version import __version__
from srd_jax.training import weights
from srd_jax.training.config import RunConfig, start_workdir
from srd_jax.training.task import Calibration, MetricsRow, Task
from srd_jax.training.workdir import WEIGHTS

PACKAGES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")


def save_weights(
    config: RunConfig,
    workdir: pathlib.Path,
    task: Task,
    parameters: Parameters,
    row: MetricsRow | None,
    calibration: Calibration,
) -> None:
    """Writes weights.safetensors of averaged parameters, ready to be used.

    Args:
      config: of the run.
      workdir: of the run.
      task: what is trained.
      parameters: by name, on the host.
      row: metrics of their step, if there are any.
      calibration: {} where none was fitted.

    Raises:
      InputError: the file cannot be written.
    """
    of = origin(config, workdir, row)
    weights.save(workdir / WEIGHTS, weights.Weights(parameters, task.about, of, calibration))


def origin(config: RunConfig, workdir: pathlib.Path, row: MetricsRow | None) -> dict[str, Any]:
    """Returns the origin of a run's averaged parameters, for `weights.Weights`.

    Args:
      config: of the run.
      workdir: of the run.
      row: metrics of the parameters' step, if there are any.
    """
    found: dict[str, Any] = {"run": config.name, "parameters": "averaged", "seed": config.seed}
    if row is not None:
        scores = [name for name in row if name.startswith("val_")]
        found |= {name: row[name] for name in ("step", "images", *scores)}
    found |= {"commit": _own_commit(), "versions": versions()}
    found["config"] = json.loads(to_json(config))
    other = start_workdir(config, workdir)
    if other is not None:
        found["start"] = _of(other)
    return found


def versions() -> dict[str, str]:
    """Returns the versions of the packages that a result depends on."""
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"srd-jax": __version__, **packages}


@functools.cache
def _own_commit() -> str:
    """Returns the commit of the package, asked of git once a process."""
    return commit(str(pathlib.Path(__file__).parents[1] / "__init__.py"))


def commit(file: str) -> str:
    """Returns the commit that a file is of.

    Args:
      file: its path.

    Returns:
      The commit, with "+" if files beside or below it were changed since; empty where git doesn't
      keep it, as in an installed package, whatever repository lies around that.
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


def _of(workdir: pathlib.Path) -> dict[str, Any]:
    """Returns the origin of another run's weights, as far as they are still there."""
    try:
        return weights.load(weights.file_of(workdir)).origin
    except InputError:
        return {"run": workdir.name}
