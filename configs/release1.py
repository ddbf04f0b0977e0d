"""The released network, first part: generated grana, narrow frames, from scratch.

python launch.py --config=configs/release1.py --workdir=runs/release1
python launch.py --config=configs/release1.py:full --workdir=runs/full/release1

Every image is new. One in seven shows no lamellae that could be measured, so that the network
learns a confidence from the start. Validation shows grana only.
"""

from srd_jax.config import (
    EncoderConfig,
    LossConfig,
    ModelConfig,
    OptimizerConfig,
    TrainConfig,
    ValidationConfig,
    training_grana,
)
from srd_jax.curriculum_config import of_preset

PRESETS = {
    "full": dict(batch_size=64, steps_per_epoch=250, epochs=100, log_every_steps=50),
    "fast": dict(batch_size=16, steps_per_epoch=250, epochs=20, log_every_steps=25),
}


def get_config(preset: str = "fast") -> TrainConfig:
    """Returns the config."""
    return TrainConfig(
        name="release1",
        frame=(476, 62),
        model=ModelConfig(confidence=True, encoder=EncoderConfig(dropout=0.0)),
        source=training_grana(),
        optimizer=OptimizerConfig(warmup_steps=200),
        loss=LossConfig("log_period_and_nll"),
        validation=ValidationConfig(images=96),
        **of_preset(PRESETS, preset),
    )
