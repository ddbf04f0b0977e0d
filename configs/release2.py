"""Released network, part 2: adds an sd to the period, from part 1.

python launch.py --config=configs/release2.py --workdir=runs/release2
python launch.py --config=configs/release2.py:full --workdir=runs/full/release2
python launch.py --config=configs/release2.py:smoke --workdir=runs/smoke/release2

Starts from the best averaged parameters in the workdir `release1` beside its own. Missing parts
before it are trained first. One training crop in seven shows no measurable lamellae; validation
shows grana only. The learning rate falls to zero over the run.
"""

from srd_jax.curriculum.config import release_part
from srd_jax.synthetic.config import training_grana
from srd_jax.tasks.period.config import CONFIDENCE_CLONES, LossConfig, PeriodConfig
from srd_jax.training.config import OptimizerConfig, StartConfig, ValidationConfig


def get_config(preset: str = "fast") -> PeriodConfig:
    """Returns the config."""
    return release_part(
        preset,
        name="release2",
        frame=(476, 78),
        source=training_grana(),
        optimizer=OptimizerConfig(warmup_steps=250, average_decay=0.998),
        loss=LossConfig("log_period_and_student_nll"),
        validation=ValidationConfig(images=96, every_epochs=3),
        start=StartConfig(stage="release1", clones=CONFIDENCE_CLONES),
        full=dict(epochs=8),
        fast=dict(epochs=18),
    )
