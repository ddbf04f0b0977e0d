"""Released network, part 1: learns the period on narrow frames of generated grana.

python launch.py --config=configs/release1.py --workdir=runs/release1
python launch.py --config=configs/release1.py:full --workdir=runs/full/release1
python launch.py --config=configs/release1.py:smoke --workdir=runs/smoke/release1

Starts from scratch. Every image is new. `configs/release.py` trains all parts.
"""

from srd_jax.curriculum.config import release_part
from srd_jax.synthetic.config import training_grana
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.training.config import OptimizerConfig, ValidationConfig


def get_config(preset: str = "fast") -> PeriodConfig:
    """Returns the config."""
    return release_part(
        preset,
        name="release1",
        frame=(476, 62),
        confidence=False,
        source=training_grana(odd=False),
        # The next part lowers the learning rate.
        optimizer=OptimizerConfig(schedule="constant", warmup_steps=200, average_decay=0.998),
        validation=ValidationConfig(images=96, every_epochs=2),
        full=dict(epochs=16),
        fast=dict(epochs=14),
    )
