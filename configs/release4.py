"""Released network, part 4: frames wide enough for attention to choose, from part 3.

python launch.py --config=configs/release4.py --workdir=runs/release4
python launch.py --config=configs/release4.py:full --workdir=runs/full/release4
python launch.py --config=configs/release4.py:smoke --workdir=runs/smoke/release4

Starts from the last averaged parameters in the workdir `release3` beside its own. Missing parts
before it are trained first. The learning rate falls to zero over the run. It validates on as many
images as the calibration of the sd needs.
Fast: 87 minutes on two CPU cores with other work; validation MAE 3.51 px of the 476-frame, on full
frames (seed 0, from parameters at 3.85). Full, 11 of 40 epochs: 2.5 minutes on an NVIDIA H100; 2.60
px on the same frames (seed 1, from parameters at 3.51).
"""

from srd_jax.curriculum.config import release_part
from srd_jax.synthetic.config import training_grana
from srd_jax.tasks.period.config import LossConfig, PeriodConfig
from srd_jax.training.config import OptimizerConfig, StartConfig, ValidationConfig


def get_config(preset: str = "fast") -> PeriodConfig:
    """Returns the config."""
    return release_part(
        preset,
        name="release4",
        frame=(476, 110),
        source=training_grana(),
        optimizer=OptimizerConfig(learning_rate=1.5e-3, warmup_steps=100, average_decay=0.998),
        loss=LossConfig("log_period_and_student_nll"),
        start=StartConfig(stage="release3", checkpoint="last"),
        full=dict(
            frame=(476, 476),
            batch_size=128,
            epochs=40,
            optimizer=OptimizerConfig(warmup_steps=200, average_decay=0.998),
            validation=ValidationConfig(images=3000, batch_size=50, every_epochs=10),
        ),
        fast=dict(epochs=16, validation=ValidationConfig(images=1002, every_epochs=4)),
    )
