"""Makes the task of a run config; the only module that knows all tasks."""

import pathlib
import typing

from srd_jax.support.errors import InputError
from srd_jax.tasks.grana import task as grana
from srd_jax.tasks.grana.config import MicrographsConfig
from srd_jax.tasks.period import task as period
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.tasks.surfaces import task as surfaces
from srd_jax.tasks.surfaces.config import CubicMembranesConfig
from srd_jax.training.task import Task

# The union of all tasks' run configs.
TaskConfig = PeriodConfig | MicrographsConfig | CubicMembranesConfig


def make_task(config: TaskConfig, workdir: pathlib.Path) -> Task:
    """Returns the task of a run's config.

    Args:
      config: of the run, checked.
      workdir: of the run, beside which drawn data may lie.

    Raises:
      InputError: there is no such task, or its data cannot be used.
    """
    match config:
        case PeriodConfig():
            return period.make(config, workdir)
        case MicrographsConfig():
            return grana.make(config, workdir)
        case CubicMembranesConfig():
            return surfaces.make(config, workdir)
        case _:
            kinds = ", ".join(repr(one.kind) for one in typing.get_args(TaskConfig))
            raise InputError(f"config.kind is {config.kind!r}; accepted: {kinds}")
