"""Trains on generated grana that look real, without real data, from stage 2.

python launch.py --config=configs/grana.py --workdir=runs/grana
python launch.py --config=configs/grana.py:full --workdir=runs/full/grana
python launch.py --config=configs/grana.py:smoke --workdir=runs/smoke/grana

Starts from the best averaged parameters in the workdir `stage2` beside its own. Missing
stages before it are trained first.
These 8,000 images are only a start: more epochs (--config.epochs=N) lower the error.
"""

from srd_jax.curriculum.config import of_preset
from srd_jax.synthetic.config import GranaConfig
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.training.config import StartConfig


def get_config(preset: str = "fast") -> PeriodConfig:
    """Returns the config."""
    fields = dict(
        name="grana",
        frame=(476, 110),
        epochs=10,
        source=GranaConfig(),
        start=StartConfig(stage="stage2"),
    )
    return of_preset(preset, full=fields, fast=fields)
