"""Generated grana that look real, from scratch: no real data and no earlier stage is needed.

python launch.py --config=configs/grana.py --workdir=runs/grana
"""

from srd_jax.config import GranaConfig, TrainConfig


def get_config() -> TrainConfig:
    """Returns the config."""
    return TrainConfig(name="grana", frame=(476, 110), epochs=40, source=GranaConfig())
