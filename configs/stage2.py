"""Stage 2, attention: learns from stripes with noise all but in a few receptive fields.

python launch.py --config=configs/stage2.py --workdir=runs/stage2
python launch.py --config=configs/stage2.py:full --workdir=runs/full/stage2
python launch.py --config=configs/stage2.py:smoke --workdir=runs/smoke/stage2

Starts from the best averaged parameters in the workdir `stage1` beside its own. Where stage 1 is
missing, it is trained first.
Fast: 8 minutes on two CPU cores with other work; validation MAE 0.76 px of the 476-frame (seed 0;
the reference: 4.13).
"""

from srd_jax.curriculum.config import reference_stage
from srd_jax.synthetic.config import StripesConfig
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.training.config import StartConfig


def get_config(preset: str = "fast") -> PeriodConfig:
    """Returns the config."""
    return reference_stage(
        preset,
        name="stage2",
        reference_mae=4.13,
        source=StripesConfig(noise_sd=(0.0, 100.0)),
        start=StartConfig(stage="stage1"),
        full=dict(epochs=460),
        fast=dict(epochs=9, frame=(476, 78)),
    )
