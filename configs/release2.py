"""The released network, second part: an sd beside the period; from the first part.

python launch.py --config=configs/release2.py --workdir=runs/release2
python launch.py --config=configs/release2.py:full --workdir=runs/full/release2

Starts from the best averaged parameters in the workdir `release1` beside its own. One crop in seven
now shows no lamellae that could be measured. Validation shows grana only. The rate falls to zero
over the run.
"""

from srd_jax.curriculum.config import of_preset
from srd_jax.tasks.period.config import (
    CONFIDENCE_CLONES,
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
    "full": dict(batch_size=64, steps_per_epoch=250, epochs=60, log_every_steps=50),
    "fast": dict(batch_size=16, steps_per_epoch=250, epochs=18, log_every_steps=25),
}


def get_config(preset: str = "fast") -> TrainConfig:
    """Returns the config."""
    return TrainConfig(
        name="release2",
        frame=(476, 78),
        model=ModelConfig(confidence=True, encoder=EncoderConfig(dropout=0.0)),
        source=training_grana(),
        optimizer=OptimizerConfig(warmup_steps=250, average_decay=0.998),
        loss=LossConfig("log_period_and_student_nll"),
        validation=ValidationConfig(images=96, every_epochs=3),
        start=StartConfig(stage="release1", clones=CONFIDENCE_CLONES),
        **of_preset(PRESETS, preset),
    )
