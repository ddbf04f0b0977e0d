"""Stage 3, artificial lamellae in real outlines: stripes in the masks of grana; from stage 2.

python launch.py --config=configs/stage3.py --workdir=runs/stage3 [--config.data.dir=DIR]
python launch.py --config=configs/stage3.py:full --workdir=runs/full/stage3

Starts from the best averaged parameters in the workdir `stage2` beside its own. Masks are those of
the crops in DIR, without it those of drawn grana in the folder `dataset` beside the workdir.
Fast: 12 minutes on two CPU cores with other work; validation MAE 0.95 px of the 476-frame (seed 0;
the reference: 5.82).
"""

from srd_jax.curriculum.config import of_preset
from srd_jax.tasks.period.config import (
    EncoderConfig,
    EndConfig,
    MaskedStripesConfig,
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
        epochs=550,
        validation=ValidationConfig(every_epochs=4),
        end=EndConfig(patience_epochs=100),
    ),
    "fast": dict(
        frame=(476, 78),
        epochs=12,
        model=ModelConfig(encoder=EncoderConfig(dropout=0.0)),
        validation=ValidationConfig(every_epochs=4),
    ),
}


def get_config(preset: str = "fast") -> TrainConfig:
    """Returns the config."""
    return TrainConfig(
        name="stage3",
        source=MaskedStripesConfig(),
        start=StartConfig(stage="stage2"),
        reference_mae=5.82,
        **of_preset(PRESETS, preset),
    )
