"""Trains a single stage, and first the stages before it that aren't trained yet."""

import dataclasses
import pathlib

from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked, differences
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.training import train
from srd_jax.training.config import StartConfig
from srd_jax.training.workdir import CHECKPOINTS, CONFIG, START, SUMMARY, check_workdir
from srd_jax.training.workdir import read_config as read_run

# Time of training the default network on two CPU cores, for each px of an image. The curriculum's
# stages took 1.0e-6 to 2.0e-6 s, validation included.
_SECONDS_PER_PX = 1.8e-6


def run(
    config: PeriodConfig, workdir: str | pathlib.Path, folder: pathlib.Path, preset: str | None
) -> None:
    """Trains a stage, and first the stages before it that aren't trained yet.

    Each stage has its own workdir, beside this stage's workdir. A stopped run resumes.

    Args:
      config: of the stage.
      workdir: of the stage.
      folder: of the config files of the stages before it.
      preset: of their configs; None for their default.

    Raises:
      InputError: a config or a workdir cannot be used.
      train.Stopped: a stage ended early.
    """
    config, workdir = checked(_from_scratch(config)), pathlib.Path(workdir)
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
    """Returns the configs of the missing stages before a stage, in order of training.

    They get the stage's seed and crops. A finished stage, or one with another config than it would
    get now, isn't missing and is used as it is.

    Args:
      config: of the stage.
      beside: folder of the stages' workdirs.
      folder: of the config files.
      preset: of the configs; None for their default.

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


def _from_scratch(config: PeriodConfig) -> PeriodConfig:
    """Returns a config without cloned or new parts, if it starts from scratch."""
    start = config.start
    if start.stage or start.workdir or not (start.clones or start.new):
        return config
    print(f"{config.name}: starts from scratch, so that all parts of the network are new")
    return dataclasses.replace(config, start=StartConfig())


def _alike(stage: PeriodConfig, name: str, config: PeriodConfig) -> PeriodConfig:
    """Returns a stage's config with the seed and the crops of the stage to be trained."""
    share = config.data.validation_share or stage.data.validation_share
    data = dataclasses.replace(config.data, validation_share=share)
    return checked(dataclasses.replace(stage, name=name, seed=config.seed, data=data))


def _is_begun(workdir: pathlib.Path) -> bool:
    """Tells whether a stage has a checkpoint to resume from."""
    return any((workdir / CHECKPOINTS).glob("[0-9]*"))


def _is_there(workdir: pathlib.Path) -> bool:
    """Tells whether a workdir needs no training: it holds a finished stage, or no stage at all."""
    if (workdir / SUMMARY).exists() or (workdir.exists() and not workdir.is_dir()):
        return True
    if not workdir.exists() or (workdir / CONFIG).exists():
        return False
    # A run that is killed before it writes its config leaves nothing but these.
    names = {path.name for path in workdir.iterdir() if not path.name.startswith(".")}
    return bool(names - {CHECKPOINTS, START}) or _is_begun(workdir)


def _is_another(stage: PeriodConfig, workdir: pathlib.Path) -> bool:
    return bool(differences(stage, read_run(workdir / CONFIG, PeriodConfig)))


def _plan(config: PeriodConfig, missing: list[PeriodConfig], workdir: pathlib.Path) -> str:
    """Returns the stages to be trained and the time they will take, in words."""
    stages = [*missing, config]
    images = sum(stage.steps * stage.batch_size for stage in stages)
    px = sum(stage.steps * stage.batch_size * stage.frame[0] * stage.frame[1] for stage in stages)
    minutes = max(1, round(px * _SECONDS_PER_PX / 60))
    time = "a minute" if minutes == 1 else f"{minutes} minutes"
    names = ", ".join(stage.name for stage in missing)
    return (
        f"{config.name} starts from {config.start.stage}, which isn't finished beside {workdir}: "
        f"{names} first, then {config.name}; {images:,} images in all, about {time} on two "
        "CPU cores (--config.start.stage= starts from scratch)"
    )
