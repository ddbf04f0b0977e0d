"""Generated grana that look real: no real data is needed; from stage 2.

python launch.py --config=configs/grana.py --workdir=runs/grana

Starts from the best averaged parameters in the workdir `stage2` beside its own.
A quarter of an hour on two CPU cores; validation MAE 11.7 px of the 476-frame, on full frames
(seed 0). These 8,000 images are a beginning: more epochs (--config.epochs=N) will lower it.
"""

from srd_jax.config import GranaConfig, StartConfig, TrainConfig


def get_config() -> TrainConfig:
    """Returns the config."""
    return TrainConfig(
        name="grana",
        frame=(476, 110),
        epochs=10,
        source=GranaConfig(),
        start=StartConfig(stage="stage2"),
    )
