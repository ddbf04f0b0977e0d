"""Where weights come from: run, config, seed, figures and code, back to the run from scratch."""

import functools
import json
import pathlib
import subprocess
from typing import Any

from srd_jax.support.errors import InputError
from srd_jax.tasks.period.config import TrainConfig, to_json
from srd_jax.training import checkpoint, weights
from srd_jax.training.metrics import Row
from srd_jax.training.start import start_workdir

_FIGURES = ("step", "images", "val_mae", "val_loss")


def origin(config: TrainConfig, workdir: pathlib.Path, row: Row | None) -> dict[str, Any]:
    """Returns the origin of a run's averaged parameters, for `weights.Weights`.

    Args:
      config: of the run.
      workdir: of the run.
      row: metrics of the parameters' step, if there are any.
    """
    found: dict[str, Any] = {"run": config.name, "parameters": "averaged", "seed": config.seed}
    if row is not None:
        found |= {name: row[name] for name in _FIGURES if name in row}
    found |= {"commit": _own_commit(), "versions": checkpoint.versions()}
    found["config"] = json.loads(to_json(config))
    other = start_workdir(config, workdir)
    if other is not None:
        found["start"] = _of(other)
    return found


@functools.cache
def _own_commit() -> str:
    """Returns the commit of the package, asked of git once a process."""
    return commit(str(pathlib.Path(__file__).parents[1] / "__init__.py"))


def commit(file: str) -> str:
    """Returns the commit that a file is of.

    Args:
      file: its path.

    Returns:
      The commit, with "+" if files beside it were changed since; empty where git doesn't keep it,
      as in an installed package, whatever repository lies around that.
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
