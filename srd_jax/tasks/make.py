"""Makes the task of a run config; the only module that knows all tasks."""

import pathlib

from srd_jax.support.errors import InputError
from srd_jax.tasks.grana import task as grana
from srd_jax.tasks.grana.config import MicrographsConfig
from srd_jax.tasks.period import task as period
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.training.task import Task

# The union of all tasks' run configs.
TaskConfig = PeriodConfig | MicrographsConfig


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
        case _:
            kinds = f"{PeriodConfig.kind!r}, {MicrographsConfig.kind!r}"
            raise InputError(f"config.kind is {config.kind!r}; accepted: {kinds}")
