"""The released network, last part: frames wide enough for attention to choose; from the third part.

python launch.py --config=configs/release4.py --workdir=runs/release4
python launch.py --config=configs/release4.py:full --workdir=runs/full/release4

Starts from the last averaged parameters in the workdir `release3` beside its own. The rate falls to
zero over the run. It validates on as many images as the calibration of the sd needs.
Fast: 87 minutes on two CPU cores with other work on them; validation MAE 3.51 px of the 476-frame,
on full frames (seed 0, from parameters at 3.85).
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
        epochs=40,
        log_every_steps=50,
        validation=ValidationConfig(images=3000, every_epochs=10),
    ),
    "fast": dict(
        batch_size=16,
        steps_per_epoch=250,
        epochs=16,
        log_every_steps=25,
        validation=ValidationConfig(images=1002, every_epochs=4),
    ),
}


def get_config(preset: str = "fast") -> TrainConfig:
    """Returns the config."""
    return TrainConfig(
        name="release4",
        frame=(476, 110),
        model=ModelConfig(confidence=True, encoder=EncoderConfig(dropout=0.0)),
        source=training_grana(),
        optimizer=OptimizerConfig(learning_rate=1.5e-3, warmup_steps=100, average_decay=0.998),
        loss=LossConfig("log_period_and_student_nll"),
        start=StartConfig(stage="release3", checkpoint="last"),
        **of_preset(PRESETS, preset),
    )
