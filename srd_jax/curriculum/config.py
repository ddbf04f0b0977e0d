"""Configuration of a curriculum: stages in order, each from the one before."""

import dataclasses
from collections.abc import Mapping
from typing import TypeVar

from srd_jax.support.errors import InputError
from srd_jax.support.fields import check_limits, did_you_mean, from_dict, limited
from srd_jax.tasks.period.config import EncoderConfig, TrainConfig, ValidationConfig
from srd_jax.tasks.period.data_config import DataConfig
from srd_jax.tasks.period.source_config import GranaConfig

PRESETS = ("full", "fast", "smoke")

T = TypeVar("T")


@dataclasses.dataclass
class CurriculumConfig:
    """Stages of training, trained one after the other.

    Attributes:
      name: of the folder of the results by default.
      preset: full (the reference's epochs), fast (the same figures sooner) or smoke (tiny).
      stages: names of config files beside the curriculum's own, in order; each starts from the one
        before it, the first one from scratch.
      seed: of every stage.
      data: the crops of all stages.
    """

    name: str = "curriculum"
    preset: str = "fast"
    stages: tuple[str, ...] = ("stage1", "stage2", "stage3", "stage4", "stage5", "stage6")
    seed: int = limited(0, 0, 2**31 - 1)
    data: DataConfig = dataclasses.field(default_factory=DataConfig)


def validated_curriculum(config: CurriculumConfig) -> CurriculumConfig:
    """Returns a checked copy of a curriculum's config, every field of its declared type.

    Raises:
      InputError: a field has the wrong type or value.
    """
    config = from_dict(CurriculumConfig, config)
    check_limits(config)
    if config.preset not in PRESETS:
        raise InputError(
            f"config.preset is {config.preset!r}; accepted: {', '.join(PRESETS)}"
            + did_you_mean(config.preset, PRESETS)
        )
    if not config.stages or len(set(config.stages)) < len(config.stages):
        raise InputError(
            f"config.stages is {config.stages}; accepted: at least one name, each once"
        )
    return config


def of_preset(presets: Mapping[str, T], preset: str) -> T:
    """Returns what a stage's config file has for a preset.

    Raises:
      InputError: it has nothing for it.
    """
    if preset not in presets:
        raise InputError(
            f"preset {preset!r}; accepted: {', '.join(presets)}" + did_you_mean(preset, [*presets])
        )
    return presets[preset]


def smoke(config: TrainConfig) -> TrainConfig:
    """Returns a stage shrunk to seconds: few small images, a narrow encoder, two epochs."""
    small = GranaConfig(rows=(100, 130), columns=(200, 240), frame_period=(35.0, 100.0))
    return dataclasses.replace(
        config,
        frame=(476, 62),
        batch_size=4,
        steps_per_epoch=2,
        epochs=2,
        log_every_steps=1,
        model=dataclasses.replace(config.model, encoder=EncoderConfig(channels=4)),
        data=dataclasses.replace(config.data, images=10, drawn=small),
        optimizer=dataclasses.replace(config.optimizer, warmup_steps=1),
        validation=ValidationConfig(images=4, batch_size=4, pictures=1),
        loss=dataclasses.replace(config.loss, ramp_epochs=1),
        end=dataclasses.replace(config.end, smoothing_epochs=1),
    )
