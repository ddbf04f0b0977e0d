"""Trains a single stage, and first the stages before it that aren't trained yet."""

import dataclasses
import itertools
import math
import pathlib

import numpy as np

from srd_jax.curriculum.tables import duration
from srd_jax.networks.modules import shapes_of
from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked, differences
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.make import TaskConfig, make_task
from srd_jax.tasks.period import candidates, sources
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.tasks.period.model import parameter_shapes
from srd_jax.training import train
from srd_jax.training.config import StartConfig
from srd_jax.training.handover import hand_over
from srd_jax.training.workdir import CHECKPOINTS, CONFIG, START, SUMMARY, check_workdir
from srd_jax.training.workdir import read_config as read_run

# Time of training the default network on two CPU cores, for each px of an image. The curriculum's
# stages took 1.0e-6 to 2.0e-6 s, validation included.
_SECONDS_PER_PX = 1.8e-6


def run(
    config: TaskConfig, workdir: str | pathlib.Path, folder: pathlib.Path, preset: str | None
) -> None:
    """Trains a stage, and first the stages before it that aren't trained yet.

    Each stage has its own workdir, beside this stage's workdir. A stopped run resumes. Mistakes in
    the configs are found before anything is trained.

    Args:
      config: of the stage, or of another task's run, which has none before it.
      workdir: of the stage.
      folder: of the config files of the stages before it.
      preset: of their configs; None for their default.

    Raises:
      InputError: a config or a workdir cannot be used.
      train.Stopped: a stage ended early.
    """
    if not isinstance(config, PeriodConfig):
        # No other task has stages.
        train.run(config, workdir, make_task)
        return
    config, workdir = checked(_from_scratch(config)), pathlib.Path(workdir)
    missing = forerunners(config, workdir, folder, preset)
    sources.check_read(config.data, [*missing, config])
    check_workdir(config, workdir)
    beside = workdir.absolute().parent
    if missing:
        _check_chain([*missing, config], beside)
        print(_plan(config, missing, workdir))
    for number, stage in enumerate(missing, 1):
        print(f"stage {number} of {len(missing) + 1}: {stage.name}")
        train.run(stage, beside / stage.name, make_task)
    if missing:
        print(f"stage {len(missing) + 1} of {len(missing) + 1}: {config.name}")
    train.run(config, workdir, make_task)


def forerunners(
    config: PeriodConfig, workdir: pathlib.Path, folder: pathlib.Path, preset: str | None
) -> list[PeriodConfig]:
    """Returns the configs of the missing stages before a stage, in order of training.

    They get the stage's seed and, if they read crops, its crops. A finished stage isn't missing.

    Args:
      config: of the stage.
      workdir: of the stage.
      folder: of the config files.
      preset: of the configs; None for their default.

    Raises:
      InputError: a config file is missing or invalid, stages start from each other in a circle, or
        a stage is unfinished under another config.
    """
    beside, missing = workdir.absolute().parent, []
    stage, place = config, workdir.absolute()
    places = {place}
    while not _needs_none(stage, place):
        name = stage.start.stage
        place, path = beside / name, folder / f"{name}.py"
        if place in places:
            raise InputError(f"{place}: descends from itself; accepted: stages in an order")
        if _is_there(place) or (place.exists() and not path.is_file()):
            break
        if not path.is_file():
            raise InputError(
                f"config.start.stage is {name!r}, but neither {place} nor {path} is there; "
                "accepted: a stage with a workdir or a config file, or '' to start from scratch"
            )
        stage = _alike(read_config(path, preset), name, config)
        _check_unfinished(stage, place)
        places.add(place)
        missing.insert(0, stage)
    return missing


def _needs_none(stage: PeriodConfig, workdir: pathlib.Path) -> bool:
    """Returns whether a stage needs no other stage to be trained first."""
    if stage.start.workdir or not stage.start.stage:
        return True
    return (workdir / SUMMARY).exists() or _is_begun(workdir)


def _check_unfinished(stage: PeriodConfig, workdir: pathlib.Path) -> None:
    """Checks that an unfinished stage can be resumed.

    Raises:
      InputError: its config is another one; nobody would notice if it were used as it is.
    """
    path = workdir / CONFIG
    if path.exists() and (lines := differences(stage, read_run(path, PeriodConfig))):
        raise InputError(
            f"{workdir}: holds an unfinished run of another config ({'; '.join(lines)} there); "
            f"accepted: finish or delete it, or --config.start.workdir={workdir} to use it as it is"
        )


def _check_chain(stages: list[PeriodConfig], beside: pathlib.Path) -> None:
    """Checks what training the stages would find only after the first of them is trained.

    Raises:
      InputError: crops are missing, a batch doesn't split over the devices, or the parameters of a
        stage don't fit the stage after it.
    """
    for stage in stages:
        train.data_mesh(stage.batch_size)
        sources.check(stage)
        candidates.check_unlabelled(stage)
    for stage, after in itertools.pairwise(stages):
        # Handing over zeros shows what doesn't fit.
        found, expected = (
            {name: np.broadcast_to(np.float32(0), s) for name, s in parameter_shapes(c).items()}
            for c in (stage.model, after.model)
        )
        hand_over(found, shapes_of(expected), expected, after.start, str(beside / stage.name))


def _from_scratch(config: PeriodConfig) -> PeriodConfig:
    """Returns a config without cloned or new parts, if it starts from scratch."""
    start = config.start
    if start.stage or start.workdir or not (start.clones or start.new):
        return config
    print(f"{config.name}: starts from scratch, so that all parts of the network are new")
    return dataclasses.replace(config, start=StartConfig())


def _alike(stage: PeriodConfig, name: str, config: PeriodConfig) -> PeriodConfig:
    """Returns a stage's config with the seed of `config` and, if it reads crops, its crops."""
    data = stage.data
    if sources.reads_crops(stage):
        share = config.data.validation_share or data.validation_share
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


def _plan(config: PeriodConfig, missing: list[PeriodConfig], workdir: pathlib.Path) -> str:
    """Returns the stages to be trained and the time they will take, in words."""
    images, px = 0, 0
    for stage in (*missing, config):
        images += stage.steps * stage.batch_size
        px += stage.steps * stage.batch_size * math.prod(stage.frame)
    names = ", ".join(stage.name for stage in missing)
    return (
        f"{config.name} starts from {config.start.stage}, which isn't finished beside {workdir}: "
        f"{names} first, then {config.name}; {images:,} images in all, about "
        f"{duration(_SECONDS_PER_PX * px)} on two CPU cores "
        "(--config.start.stage= starts from scratch)"
    )
