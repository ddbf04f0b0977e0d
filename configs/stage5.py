"""Stage 5, confidence: learns an sd beside the period, on the crops of stage 4.

python launch.py --config=configs/stage5.py --workdir=runs/stage5 [--config.data.dir=DIR]
python launch.py --config=configs/stage5.py:full --workdir=runs/full/stage5 [--config.data.dir=DIR]
python launch.py --config=configs/stage5.py:smoke --workdir=runs/smoke/stage5

Starts from the best averaged parameters in the workdir `stage4` beside its own. Missing
stages before it are trained first. The confidence branch starts as a clone of the period's
branch, and the loss changes from squared error to likelihood. The sd is calibrated on the held-out
crops.
Fast: 17 minutes on two CPU cores with other work; validation MAE 4.69 px of the 476-frame (seed 0;
the reference, on its own crops: 5.49).
"""

from srd_jax.curriculum.config import reference_stage
from srd_jax.tasks.period.config import (
    CONFIDENCE_CLONES,
    CropsConfig,
    LossConfig,
    PeriodConfig,
    confidence_augment,
)
from srd_jax.training.config import EndConfig, OptimizerConfig, StartConfig, ValidationConfig


def get_config(preset: str = "fast") -> PeriodConfig:
    """Returns the config."""
    return reference_stage(
        preset,
        name="stage5",
        reference_mae=5.49,
        confidence=True,
        source=CropsConfig(augment=confidence_augment()),
        optimizer=OptimizerConfig(learning_rate=5e-4),
        validation=ValidationConfig(every_epochs=4),
        start=StartConfig(stage="stage4", clones=CONFIDENCE_CLONES),
        full=dict(
            epochs=1112,
            loss=LossConfig("mse_to_gaussian_nll", ramp_epochs=30),
            end=EndConfig(patience_epochs=200),
        ),
        fast=dict(
            epochs=24,
            frame=(476, 110),
            loss=LossConfig("mse_to_gaussian_nll", ramp_epochs=6),
        ),
    )
