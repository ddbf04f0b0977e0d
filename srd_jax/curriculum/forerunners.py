"""A stage alone: the stages that it descends from are trained first, where they aren't there."""

import dataclasses
import pathlib

from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked, differences
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.training import train
from srd_jax.training.workdir import CHECKPOINTS, CONFIG, SUMMARY, check_workdir
from srd_jax.training.workdir import read_config as read_run

# Of training on two CPU cores with the default network, seconds a px of an image: 1.0 to 2.0 were
# measured over the curriculum's stages, validation included.
_SECONDS_PER_PX = 1.8e-6


def run(
    config: PeriodConfig, workdir: str | pathlib.Path, folder: pathlib.Path, preset: str | None
) -> None:
    """Trains a stage, and before it the stages it descends from that aren't there yet.

    Each has its own workdir beside the stage's. The same command goes on wherever it was stopped.

    Args:
      config: of the stage.
      workdir: of the stage.
      folder: of the config files of the stages before it.
      preset: of their configs; None for their own default.

    Raises:
      InputError: a config or a workdir cannot be used.
      train.Stopped: a stage ended early.
    """
    config, workdir = checked(config), pathlib.Path(workdir)
    check_workdir(config, workdir)
    beside = workdir.absolute().parent
    missing = [] if _is_begun(workdir) else forerunners(config, beside, folder, preset)
    if missing:
        print(_plan(config, missing, workdir))
    for number, stage in enumerate(missing, 1):
        print(f"stage {number} of {len(missing) + 1}: {stage.name}")
        train.run(stage, beside / stage.name, make_task)
    if missing:
        print(f"stage {len(missing) + 1} of {len(missing) + 1}: {config.name}")
    train.run(config, workdir, make_task)


def forerunners(
    config: PeriodConfig, beside: pathlib.Path, folder: pathlib.Path, preset: str | None
) -> list[PeriodConfig]:
    """Returns the configs of the stages that are to be trained before a stage, in order.

    They have its seed and its crops. A stage that is there, finished or of another config than
    would be trained now, is taken as it is.

    Args:
      config: of the stage.
      beside: folder of the stages' workdirs.
      folder: of the config files.
      preset: of the configs; None for their own default.

    Raises:
      InputError: a config file is missing or invalid, or stages start from each other in a circle.
    """
    missing: list[PeriodConfig] = []
    stage = config
    while (name := stage.start.stage) and not stage.start.workdir:
        if name in (config.name, *(one.name for one in missing)):
            raise InputError(f"{folder}: {name} descends from itself; accepted: stages in an order")
        if _is_there(beside / name):
            break
        path = folder / f"{name}.py"
        if not path.is_file():
            raise InputError(
                f"config.start.stage is {name!r}, but neither {beside / name} nor {path} is there; "
                "accepted: a stage with a workdir or a config file, or '' to start from scratch"
            )
        stage = _alike(read_config(path, preset), name, config)
        if (beside / name / CONFIG).exists() and _is_another(stage, beside / name):
            break
        missing.insert(0, stage)
        if _is_begun(beside / name):
            break
    return missing


def _alike(stage: PeriodConfig, name: str, config: PeriodConfig) -> PeriodConfig:
    """Returns a stage's config with the seed and the crops of the one that starts from it."""
    share = config.data.validation_share or stage.data.validation_share
    data = dataclasses.replace(config.data, validation_share=share)
    return checked(dataclasses.replace(stage, name=name, seed=config.seed, data=data))


def _is_begun(workdir: pathlib.Path) -> bool:
    """Tells whether a stage has a checkpoint to go on from, whatever it started from."""
    return any((workdir / CHECKPOINTS).glob("[0-9]*"))


def _is_there(workdir: pathlib.Path) -> bool:
    """Tells whether a workdir is a finished stage, or something that is no stage's workdir."""
    if (workdir / SUMMARY).exists():
        return True
    empty = not workdir.exists() or (workdir.is_dir() and not any(workdir.iterdir()))
    return not empty and not (workdir / CONFIG).exists()


def _is_another(stage: PeriodConfig, workdir: pathlib.Path) -> bool:
    return bool(differences(stage, read_run(workdir / CONFIG, PeriodConfig)))


def _plan(config: PeriodConfig, missing: list[PeriodConfig], workdir: pathlib.Path) -> str:
    """Returns what is to be trained, and how long that takes, in words."""
    stages = [*missing, config]
    images = sum(stage.steps * stage.batch_size for stage in stages)
    px = sum(stage.steps * stage.batch_size * stage.frame[0] * stage.frame[1] for stage in stages)
    minutes = max(1, round(px * _SECONDS_PER_PX / 60))
    names = ", ".join(stage.name for stage in missing)
    return (
        f"{config.name} starts from {config.start.stage}, which isn't finished beside {workdir}: "
        f"{names} first, then {config.name}; {images:,} images in all, about {minutes} minutes on "
        "two CPU cores (--config.start.stage= starts from scratch)"
    )
