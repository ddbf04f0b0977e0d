"""Stage 4, real grana: crops with known periods, changed at random; from stage 3.

python launch.py --config=configs/stage4.py --workdir=runs/stage4 [--config.data.dir=DIR]
python launch.py --config=configs/stage4.py:full --workdir=runs/full/stage4

Starts from the best averaged parameters in the workdir `stage3` beside its own. Trains on 70 % of
the crops in DIR, without it on drawn grana in the folder `dataset` beside the workdir.
Fast: 55 minutes on two CPU cores with other work on them; validation MAE 4.44 px of the 476-frame,
on full frames (seed 0; the reference, on its own crops: 5.67). It was still falling slowly.
"""

from srd_jax.curriculum.config import of_preset
from srd_jax.tasks.period.config import (
    CropsConfig,
    EncoderConfig,
    EndConfig,
    ModelConfig,
    StartConfig,
    TrainConfig,
    ValidationConfig,
)

PRESETS = {
    "full": dict(
        batch_size=64,
        steps_per_epoch=4,
        log_every_steps=4,
        epochs=430,
        validation=ValidationConfig(every_epochs=4),
        end=EndConfig(patience_epochs=100),
    ),
    "fast": dict(
        frame=(476, 78),
        epochs=70,
        model=ModelConfig(encoder=EncoderConfig(dropout=0.0)),
        validation=ValidationConfig(every_epochs=4),
    ),
}


def get_config(preset: str = "fast") -> TrainConfig:
    """Returns the config."""
    return TrainConfig(
        name="stage4",
        source=CropsConfig(),
        start=StartConfig(stage="stage3"),
        reference_mae=5.67,
        **of_preset(PRESETS, preset),
    )
