"""The released network, first part: the period, on narrow frames of generated grana, from scratch.

python launch.py --config=configs/release1.py --workdir=runs/release1
python launch.py --config=configs/release1.py:full --workdir=runs/full/release1

Every image is new. `configs/release.py` trains all parts.
"""

from srd_jax.curriculum.config import of_preset
from srd_jax.tasks.period.config import (
    EncoderConfig,
    LossConfig,
    ModelConfig,
    OptimizerConfig,
    TrainConfig,
    ValidationConfig,
    training_grana,
)

PRESETS = {
    "full": dict(batch_size=64, steps_per_epoch=250, epochs=100, log_every_steps=50),
    "fast": dict(batch_size=16, steps_per_epoch=250, epochs=14, log_every_steps=25),
}


def get_config(preset: str = "fast") -> TrainConfig:
    """Returns the config."""
    return TrainConfig(
        name="release1",
        frame=(476, 62),
        model=ModelConfig(encoder=EncoderConfig(dropout=0.0)),
        source=training_grana(odd=False),
        # Its end is the start of the next part, which lowers the rate.
        optimizer=OptimizerConfig(schedule="constant", warmup_steps=200, average_decay=0.998),
        loss=LossConfig("log_period"),
        validation=ValidationConfig(images=96, every_epochs=2),
        **of_preset(PRESETS, preset),
    )
