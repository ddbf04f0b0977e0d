"""Configures a curriculum: stages in order, each of which starts from the one before.

The config file of a stage states only its differences from `reference_stage`, for the stages of the
published curriculum, or from `release_part`, for the parts of the released weights' curriculum.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from srd_jax.support.errors import InputError
from srd_jax.support.fields import check_choice, choice, limited
from srd_jax.synthetic.config import GranaConfig
from srd_jax.tasks.period.config import (
    ROBUST,
    DataConfig,
    EncoderConfig,
    ModelConfig,
    PeriodConfig,
)
from srd_jax.training.config import EndConfig, ValidationConfig

PRESETS = ("full", "fast", "smoke")

Fields = Mapping[str, Any]


@dataclasses.dataclass
class CurriculumConfig:
    """Stages of training, trained one after the other.

    Attributes:
      name: default name of the folder of the results.
      preset: full (the reference's epochs, or millions of images), fast (comparable scores in less
        time) or smoke (a tiny network, for a test).
      stages: names of config files beside the curriculum's own, in order; the first one starts from
        scratch, and each other one from the one before it.
      seed: of every stage.
      data: the crops of all stages.
    """

    name: str = "curriculum"
    preset: str = choice("fast", PRESETS)
    stages: tuple[str, ...] = ("stage1", "stage2", "stage3", "stage4", "stage5", "stage6")
    seed: int = limited(0, 0, 2**31 - 1)
    data: DataConfig = dataclasses.field(default_factory=DataConfig)

    def check(self, path: str) -> None:
        """Checks that there are stages, and that none is named twice.

        Raises:
          InputError: there are none, or one is named twice.
        """
        if not self.stages or len(set(self.stages)) < len(self.stages):
            raise InputError(
                f"{path}.stages is {self.stages}; accepted: at least one name, each once"
            )


def reference_stage(
    preset: str, *, full: Fields, fast: Fields, confidence: bool = False, **fields: Any
) -> PeriodConfig:
    """Returns the config of a stage of the reference's curriculum.

    Args:
      preset: one of PRESETS.
      full: fields of the preset full; the reference's batches and patience are set already.
      fast: fields of the preset fast; an encoder without dropout is set already.
      confidence: whether the network predicts an sd too.
      fields: fields of both presets.

    Raises:
      InputError: there is no such preset.
    """
    batches: Fields = dict(
        batch_size=64,
        steps_per_epoch=4,
        log_every_steps=4,
        model=ModelConfig(confidence=confidence),
        end=EndConfig(patience_epochs=100),
    )
    quick: Fields = dict(
        model=ModelConfig(confidence=confidence, encoder=EncoderConfig(dropout=0.0))
    )
    return of_preset(preset, full={**batches, **fields, **full}, fast={**quick, **fields, **fast})


def release_part(
    preset: str, *, full: Fields, fast: Fields, confidence: bool = True, **fields: Any
) -> PeriodConfig:
    """Returns the config of a part of the released weights' curriculum, as `reference_stage`.

    The preset full is made for a GPU or TPU: large batches, in bfloat16.
    """
    model = ModelConfig(confidence=confidence, grey=ROBUST, encoder=EncoderConfig(dropout=0.0))
    large: Fields = dict(
        batch_size=256,
        steps_per_epoch=250,
        log_every_steps=50,
        model=dataclasses.replace(model, compute_dtype="bfloat16"),
    )
    small: Fields = dict(batch_size=16, steps_per_epoch=250, log_every_steps=25, model=model)
    return of_preset(preset, full={**large, **fields, **full}, fast={**small, **fields, **fast})


def of_preset(preset: str, *, full: Fields, fast: Fields) -> PeriodConfig:
    """Returns the config of a preset; the preset smoke is the preset fast, shrunk to seconds.

    Raises:
      InputError: there is no such preset.
    """
    check_choice("preset", preset, PRESETS)
    config = PeriodConfig(**(full if preset == "full" else fast))
    return _smoke(config) if preset == "smoke" else config


def _smoke(config: PeriodConfig) -> PeriodConfig:
    """Returns a stage shrunk to seconds: few small images, a narrow encoder, two epochs."""
    ranges: Fields = dict(rows=(100, 130), columns=(200, 240), frame_period=(35.0, 100.0))
    small, source = GranaConfig(**ranges), config.source
    if isinstance(source, GranaConfig):
        source = dataclasses.replace(source, **ranges)
    return dataclasses.replace(
        config,
        source=source,
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
