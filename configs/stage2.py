"""Stage 2, attention: stripes under noise, but for a few receptive fields; from stage 1.

python launch.py --config=configs/stage2.py --workdir=runs/stage2
python launch.py --config=configs/stage2.py:full --workdir=runs/full/stage2

Starts from the best averaged parameters in the workdir `stage1` beside its own.
Fast: 8 minutes on two CPU cores with other work; validation MAE 0.76 px of the 476-frame (seed 0;
the reference: 4.13).
"""

from srd_jax.curriculum.config import of_preset
from srd_jax.tasks.period.config import (
    EncoderConfig,
    EndConfig,
    ModelConfig,
    StartConfig,
    StripesConfig,
    TrainConfig,
)

PRESETS = {
    "full": dict(
        batch_size=64,
        steps_per_epoch=4,
        log_every_steps=4,
        epochs=460,
        end=EndConfig(patience_epochs=100),
    ),
    "fast": dict(frame=(476, 78), epochs=9, model=ModelConfig(encoder=EncoderConfig(dropout=0.0))),
}


def get_config(preset: str = "fast") -> TrainConfig:
    """Returns the config."""
    return TrainConfig(
        name="stage2",
        source=StripesConfig(noise_sd=(0.0, 100.0)),
        start=StartConfig(stage="stage1"),
        reference_mae=4.13,
        **of_preset(PRESETS, preset),
    )
