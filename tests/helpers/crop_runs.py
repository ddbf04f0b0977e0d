"""Configs of small runs on crops, for the tests of sources."""

import dataclasses

from srd_jax.support.fields import checked
from srd_jax.tasks.period.config import (
    CropsConfig,
    DataConfig,
    EncoderConfig,
    ModelConfig,
    PeriodConfig,
)
from srd_jax.training.config import ValidationConfig

NARROW = (476, 46)


def crops_config(folder, **changes):
    """A run of 4 steps of 4 images on the crops of a folder."""
    config = PeriodConfig(
        name="crops",
        frame=NARROW,
        batch_size=4,
        steps_per_epoch=2,
        epochs=2,
        log_every_steps=1,
        model=ModelConfig(encoder=EncoderConfig(channels=2, dropout=0.0)),
        source=CropsConfig(),
        data=DataConfig(dir=str(folder)),
        validation=ValidationConfig(batch_size=2, images=2, pictures=0),
    )
    config.optimizer.warmup_steps = 1
    return checked(dataclasses.replace(config, **changes))
