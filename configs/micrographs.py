"""Trains the network that finds grana on micrographs, on drawn micrographs alone.

python launch.py --config=configs/micrographs.py --workdir=runs/micrographs
python launch.py --config=configs/micrographs.py:full --workdir=runs/full/micrographs
python launch.py --config=configs/micrographs.py:smoke --workdir=runs/smoke/micrographs

Starts from scratch; every tile is new. The preset fast draws 48,000 tiles of 256x256 px, the preset
full, which is made for a GPU or TPU, 2,560,000. A stopped run goes on by the same command.
Fast: 6,000 steps of a second on two CPU cores without other work. The released weights had 10,400;
docs/micrographs.md tells how right they are.
"""

from srd_jax.tasks.grana.config import MicrographsConfig, ModelConfig, of_preset
from srd_jax.training.config import EndConfig, OptimizerConfig, ValidationConfig

_PRESETS = {
    "full": dict(
        batch_size=64,
        steps_per_epoch=1000,
        epochs=40,
        log_every_steps=50,
        optimizer=OptimizerConfig(warmup_steps=500, average_decay=0.999),
        validation=ValidationConfig(images=256, frame=(256, 256), batch_size=32, pictures=16),
    ),
    "fast": dict(
        batch_size=8,
        steps_per_epoch=200,
        epochs=30,
        log_every_steps=20,
        optimizer=OptimizerConfig(warmup_steps=100, average_decay=0.995),
        validation=ValidationConfig(images=64, frame=(256, 256), batch_size=8, pictures=8),
    ),
    "smoke": dict(
        batch_size=2,
        size=64,
        steps_per_epoch=2,
        epochs=2,
        log_every_steps=1,
        model=ModelConfig(channels=(4, 8, 8)),
        optimizer=OptimizerConfig(warmup_steps=1),
        validation=ValidationConfig(images=4, frame=(64, 64), batch_size=2, pictures=1),
        end=EndConfig(smoothing_epochs=1),
    ),
}


def get_config(preset: str = "fast") -> MicrographsConfig:
    """Returns the config."""
    return of_preset(preset, _PRESETS)
