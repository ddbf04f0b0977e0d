"""The released network, third part: wider frames, a falling rate; from the second part.

python launch.py --config=configs/release3.py --workdir=runs/release3
python launch.py --config=configs/release3.py:full --workdir=runs/full/release3

Starts from the last averaged parameters in the workdir `release2` beside its own. It validates at
its end only, on as many images as the calibration of the sd needs.
"""

from srd_jax.curriculum.config import of_preset
from srd_jax.tasks.period.config import (
    EncoderConfig,
    LossConfig,
    ModelConfig,
    OptimizerConfig,
    StartConfig,
    TrainConfig,
    ValidationConfig,
    training_grana,
)

PRESETS = {
    "full": dict(
        batch_size=64,
        steps_per_epoch=250,
        epochs=20,
        log_every_steps=50,
        validation=ValidationConfig(images=3000, every_epochs=20),
    ),
    "fast": dict(
        batch_size=16,
        steps_per_epoch=125,
        epochs=3,
        log_every_steps=25,
        validation=ValidationConfig(images=1002, every_epochs=3),
    ),
}


def get_config(preset: str = "fast") -> TrainConfig:
    """Returns the config."""
    return TrainConfig(
        name="release3",
        frame=(476, 142),
        model=ModelConfig(confidence=True, encoder=EncoderConfig(dropout=0.0)),
        source=training_grana(),
        optimizer=OptimizerConfig(learning_rate=5e-4, warmup_steps=50),
        loss=LossConfig("log_period_and_student_nll"),
        start=StartConfig(stage="release2", checkpoint="last"),
        **of_preset(PRESETS, preset),
    )
