"""Stage 4, real grana: learns from crops with known periods, changed at random.

python launch.py --config=configs/stage4.py --workdir=runs/stage4 [--config.data.dir=DIR]
python launch.py --config=configs/stage4.py:full --workdir=runs/full/stage4 [--config.data.dir=DIR]
python launch.py --config=configs/stage4.py:smoke --workdir=runs/smoke/stage4

Starts from the best averaged parameters in the workdir `stage3` beside its own. Missing
stages before it are trained first. Trains on 70 % of the crops in DIR; without it, of drawn
grana in the folder `dataset` beside the workdir.
Fast: 55 minutes on two CPU cores with other work; validation MAE 4.44 px of the 476-frame, on full
frames (seed 0; the reference, on its own crops: 5.67). It was still falling slowly.
"""

from srd_jax.curriculum.config import reference_stage
from srd_jax.tasks.period.config import CropsConfig, PeriodConfig
from srd_jax.training.config import StartConfig, ValidationConfig


def get_config(preset: str = "fast") -> PeriodConfig:
    """Returns the config."""
    return reference_stage(
        preset,
        name="stage4",
        reference_mae=5.67,
        source=CropsConfig(),
        validation=ValidationConfig(every_epochs=4),
        start=StartConfig(stage="stage3"),
        full=dict(epochs=430),
        fast=dict(epochs=70, frame=(476, 78)),
    )
