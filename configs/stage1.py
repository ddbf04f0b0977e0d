"""Stage 1, the period: learns from clean synthetic stripes.

python launch.py --config=configs/stage1.py --workdir=runs/stage1
python launch.py --config=configs/stage1.py:full --workdir=runs/full/stage1
python launch.py --config=configs/stage1.py:smoke --workdir=runs/smoke/stage1

Starts from scratch. Columns two px apart see nearly the same, so narrow training frames suffice.
Fast: 7 minutes on two CPU cores with other work; validation MAE 0.81 px of the 476-frame (seed 0;
the reference: 3.58).
"""

from srd_jax.curriculum.config import reference_stage
from srd_jax.tasks.period.config import PeriodConfig


def get_config(preset: str = "fast") -> PeriodConfig:
    """Returns the config."""
    return reference_stage(
        preset,
        name="stage1",
        reference_mae=3.58,
        full=dict(epochs=200),
        fast=dict(epochs=10, frame=(476, 62)),
    )
