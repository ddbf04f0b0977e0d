"""Generated grana that look real: no real data is needed; from stage 2.

python launch.py --config=configs/grana.py --workdir=runs/grana

Starts from the best averaged parameters in the workdir `stage2` beside its own.
These 8,000 images are a beginning: more epochs (--config.epochs=N) lower the error.
"""

from srd_jax.tasks.period.config import GranaConfig, StartConfig, TrainConfig


def get_config() -> TrainConfig:
    """Returns the config."""
    return TrainConfig(
        name="grana",
        frame=(476, 110),
        epochs=10,
        source=GranaConfig(),
        start=StartConfig(stage="stage2"),
    )
