"""Stage 6, refinement: learns from all crops, with none held out.

python launch.py --config=configs/stage6.py --workdir=runs/stage6 [--config.data.dir=DIR]
python launch.py --config=configs/stage6.py:full --workdir=runs/full/stage6 [--config.data.dir=DIR]
python launch.py --config=configs/stage6.py:smoke --workdir=runs/smoke/stage6

Starts from the best averaged parameters in the workdir `stage5` beside its own, and keeps its
calibration. Missing stages before it are trained first. Ends early when the training error stops
falling. It chooses among the parameters of some epochs and of the deepest local minima of the
training error (candidates/candidates.csv).
Fast: 10 minutes on two CPU cores (seed 0); the candidate of epoch 12 is chosen.
"""

from srd_jax.curriculum.config import reference_stage
from srd_jax.tasks.period.config import (
    CropsConfig,
    DataConfig,
    LossConfig,
    PeriodConfig,
    confidence_augment,
)
from srd_jax.training.config import EndConfig, OptimizerConfig, StartConfig, ValidationConfig


def get_config(preset: str = "fast") -> PeriodConfig:
    """Returns the config."""
    return reference_stage(
        preset,
        name="stage6",
        confidence=True,
        source=CropsConfig(augment=confidence_augment()),
        data=DataConfig(validation_share=0.0),
        optimizer=OptimizerConfig(learning_rate=2e-4, schedule="constant"),
        loss=LossConfig("gaussian_nll"),
        start=StartConfig(stage="stage5"),
        full=dict(
            epochs=1000,
            steps_per_epoch=5,
            log_every_steps=5,
            validation=ValidationConfig(every_epochs=4),
            end=EndConfig(100, smoothing_epochs=20, keep_epochs=(0, 200, 300), keep_minima=4),
        ),
        fast=dict(
            epochs=16,
            frame=(476, 110),
            validation=ValidationConfig(images=48, every_epochs=4),
            end=EndConfig(8, smoothing_epochs=2, keep_epochs=(0, 4, 8), keep_minima=4),
        ),
    )
