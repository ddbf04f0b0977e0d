"""Released network, part 3: wider frames and a falling learning rate, from part 2.

python launch.py --config=configs/release3.py --workdir=runs/release3
python launch.py --config=configs/release3.py:full --workdir=runs/full/release3
python launch.py --config=configs/release3.py:smoke --workdir=runs/smoke/release3

Starts from the last averaged parameters in the workdir `release2` beside its own. Missing parts
before it are trained first. It validates only at its end, on as many images as the calibration of
the sd needs.
"""

from srd_jax.curriculum.config import release_part
from srd_jax.synthetic.config import training_grana
from srd_jax.tasks.period.config import LossConfig, PeriodConfig
from srd_jax.training.config import OptimizerConfig, StartConfig, ValidationConfig


def get_config(preset: str = "fast") -> PeriodConfig:
    """Returns the config."""
    return release_part(
        preset,
        name="release3",
        frame=(476, 142),
        source=training_grana(),
        optimizer=OptimizerConfig(learning_rate=5e-4, warmup_steps=50),
        loss=LossConfig("log_period_and_student_nll"),
        start=StartConfig(stage="release2", checkpoint="last"),
        full=dict(
            epochs=16,
            optimizer=OptimizerConfig(schedule="constant", warmup_steps=200, average_decay=0.998),
            validation=ValidationConfig(images=3000, batch_size=50, every_epochs=16),
        ),
        fast=dict(
            epochs=3,
            steps_per_epoch=125,
            validation=ValidationConfig(images=1002, every_epochs=3),
        ),
    )
