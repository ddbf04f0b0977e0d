"""Reads config files: Python files whose get_config() returns the config of a run."""

import os
import pathlib
import runpy
from typing import TypeVar

from srd_jax.support.errors import InputError, one_line
from srd_jax.support.fields import checked
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.training.config import RunConfig

_Config = TypeVar("_Config", bound=RunConfig)


def read_config(
    path: str | os.PathLike[str], preset: str | None = None, kind: type[_Config] = PeriodConfig
) -> _Config:
    """Returns the checked config of a file.

    Args:
      path: of the file.
      preset: argument of its get_config(); None for the default.
      kind: type of the config; RunConfig for any.

    Raises:
      InputError: the file is missing or fails, or its config is missing or invalid.
    """
    accepted = f"accepted is a Python file whose get_config() returns a {kind.__name__}"
    if not pathlib.Path(path).is_file():
        raise InputError(f"{path}: no such file; {accepted}")
    try:
        get_config = runpy.run_path(os.fspath(path))["get_config"]
        config = get_config() if preset is None else get_config(preset)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (Exception, SystemExit) as error:  # a file of code may raise anything
        name = type(error).__name__
        raise InputError(f"{path}: fails with {name}: {one_line(error)}; {accepted}") from error
    if not isinstance(config, kind):
        raise InputError(f"{path}: get_config() returns a {type(config).__name__}; {accepted}")
    try:
        return checked(config)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
