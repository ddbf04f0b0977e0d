"""Trains the stages of a curriculum in order, each from the one before."""

import dataclasses
import pathlib
import shutil

from srd_jax.curriculum.config import CurriculumConfig
from srd_jax.curriculum.report import REPORT, write_report
from srd_jax.support.cluster import distributed
from srd_jax.support.errors import InputError
from srd_jax.support.fields import checked
from srd_jax.support.files import read_json, whole_file
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import sources
from srd_jax.tasks.period.config import DataConfig, PeriodConfig
from srd_jax.training import checkpoint, train
from srd_jax.training.config import StartConfig, start_workdir
from srd_jax.training.workdir import START, WEIGHTS, check_workdir


def run(
    config: CurriculumConfig, workdir: str | pathlib.Path, folder: str | pathlib.Path
) -> pathlib.Path:
    """Trains all unfinished stages, and returns the path of the report.

    Each stage has its own workdir in the curriculum's, so it can be deleted, trained again or
    trained alone. All configs are checked before the training starts.

    Args:
      config: of the curriculum.
      workdir: folder of the results.
      folder: of the stages' config files.

    Raises:
      InputError: a config or a folder cannot be used.
      train.Stopped: a stage ended early.
    """
    config, workdir = checked(config), pathlib.Path(workdir)
    stages = stage_configs(config, pathlib.Path(folder))
    sources.check_read(config.data, stages)
    names = [stage.name for stage in stages]
    for stage in stages:
        if (workdir / stage.name).exists():  # the check would create it
            check_workdir(stage, workdir / stage.name)
    for number, stage in enumerate(stages, 1):
        print(f"stage {number} of {len(stages)}: {stage.name}")
        train.run(stage, workdir / stage.name, make_task)
        if line := outdated(stage, workdir / stage.name):
            print(line)
        if distributed.is_first():
            write_report(workdir, names)
    if distributed.is_first():
        with whole_file(workdir / WEIGHTS) as temporary:
            shutil.copyfile(workdir / names[-1] / WEIGHTS, temporary)
    print(
        f"all {len(stages)} stages are finished; report in {workdir / REPORT}, weights of "
        f"{names[-1]} in {workdir / WEIGHTS}"
    )
    return workdir / REPORT


def stage_configs(config: CurriculumConfig, folder: pathlib.Path) -> list[PeriodConfig]:
    """Returns the checked configs of a curriculum's stages, each started from the one before.

    Args:
      config: of the curriculum.
      folder: of the stages' config files.

    Raises:
      InputError: a stage's config is missing or invalid.
    """
    stages = []
    for name in config.stages:
        path = folder / f"{name}.py"
        stage = read_config(path, config.preset)
        stage = dataclasses.replace(
            stage,
            name=name,
            seed=config.seed,
            data=_data(stage.data, config),
            start=_start(stage.start, stages[-1].name if stages else ""),
        )
        try:
            stages.append(checked(stage))
        except InputError as error:
            raise InputError(f"{path}, preset {config.preset}: {error}") from None
    return stages


def _data(data: DataConfig, config: CurriculumConfig) -> DataConfig:
    """Returns the curriculum's data for a stage; a stage that holds nothing out still doesn't."""
    if config.preset == "smoke" and not config.data.dir:
        return data
    share = config.data.validation_share if data.validation_share else 0.0
    return dataclasses.replace(config.data, validation_share=share)


def _start(start: StartConfig, stage: str) -> StartConfig:
    return dataclasses.replace(start, workdir="", stage=stage) if stage else StartConfig()


def outdated(config: PeriodConfig, workdir: pathlib.Path) -> str:
    """Returns a warning if the stage before has changed since a stage started from it, else "".

    Args:
      config: of the stage.
      workdir: of the stage, which is finished.

    Raises:
      InputError: a file of either stage is damaged.
    """
    other = start_workdir(config, workdir)
    if other is None:
        return ""
    start = config.start
    loaded = checkpoint.load_parameters(other, start.parameters, start.checkpoint)
    if read_json(workdir / START)["sha256"] == checkpoint.sha256(loaded.parameters):
        return ""
    return (
        f"{workdir}: was trained from other parameters than {other} holds now; "
        f"delete {workdir} to train it again"
    )
