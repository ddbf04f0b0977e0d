"""Stage 3, real outlines: learns from stripes in the masks of grana.

python launch.py --config=configs/stage3.py --workdir=runs/stage3 [--config.data.dir=DIR]
python launch.py --config=configs/stage3.py:full --workdir=runs/full/stage3 [--config.data.dir=DIR]
python launch.py --config=configs/stage3.py:smoke --workdir=runs/smoke/stage3

Starts from the best averaged parameters in the workdir `stage2` beside its own. Missing
stages before it are trained first. The masks come from the crops in DIR; without it, from
drawn grana in the folder `dataset` beside the workdir.
Fast: 12 minutes on two CPU cores with other work; validation MAE 0.95 px of the 476-frame (seed 0;
the reference: 5.82).
"""

from srd_jax.curriculum.config import reference_stage
from srd_jax.tasks.period.config import MaskedStripesConfig, PeriodConfig
from srd_jax.training.config import StartConfig, ValidationConfig


def get_config(preset: str = "fast") -> PeriodConfig:
    """Returns the config."""
    return reference_stage(
        preset,
        name="stage3",
        reference_mae=5.82,
        source=MaskedStripesConfig(),
        validation=ValidationConfig(every_epochs=4),
        start=StartConfig(stage="stage2"),
        full=dict(epochs=550),
        fast=dict(epochs=12, frame=(476, 78)),
    )
