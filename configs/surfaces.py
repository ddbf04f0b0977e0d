"""Trains the network that finds kind, cell, volume fraction and orientation of cubic membranes.

python launch.py --config=configs/surfaces.py --workdir=runs/surfaces
python launch.py --config=configs/surfaces.py:full --workdir=runs/full/surfaces
python launch.py --config=configs/surfaces.py:smoke --workdir=runs/smoke/surfaces

Starts from scratch; every picture is drawn anew. The preset fast draws 144,000 pictures of 128x128
px (two CPU cores took 12 minutes for 56,000), the preset full, which is made for a GPU or TPU,
5,120,000. A stopped run goes on by the same command.
"""

from srd_jax.tasks.surfaces.config import (
    CubicMembranesConfig,
    GridConfig,
    ModelConfig,
    of_preset,
)
from srd_jax.training.config import EndConfig, OptimizerConfig, ValidationConfig

_PRESETS = {
    "full": dict(
        batch_size=160,
        samples=48,
        steps_per_epoch=1000,
        epochs=32,
        log_every_steps=50,
        optimizer=OptimizerConfig(learning_rate=0.01, warmup_steps=500, average_decay=0.999),
        validation=ValidationConfig(images=1000, frame=(128, 128), batch_size=100, pictures=16),
    ),
    "fast": dict(
        batch_size=20,
        samples=24,
        steps_per_epoch=200,
        epochs=36,
        log_every_steps=20,
        optimizer=OptimizerConfig(learning_rate=0.01, warmup_steps=100, average_decay=0.995),
        validation=ValidationConfig(images=500, frame=(128, 128), batch_size=20, pictures=8),
    ),
    "smoke": dict(
        batch_size=5,
        size=64,
        samples=6,
        steps_per_epoch=2,
        epochs=2,
        log_every_steps=1,
        model=ModelConfig(
            grid=GridConfig(axes=4, turns=12),
            radii=16,
            spectrum_channels=(8, 8),
            image_channels=(8, 8),
            hidden=16,
        ),
        optimizer=OptimizerConfig(warmup_steps=1),
        validation=ValidationConfig(images=5, frame=(64, 64), batch_size=5, pictures=1),
        end=EndConfig(smoothing_epochs=1),
    ),
}


def get_config(preset: str = "fast") -> CubicMembranesConfig:
    """Returns the config."""
    return of_preset(preset, _PRESETS)
