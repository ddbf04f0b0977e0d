"""Stage 1, the period estimator: clean synthetic stripes, from scratch."""

from srd_jax.config import TrainConfig


def get_config() -> TrainConfig:
    """Returns the config."""
    return TrainConfig(name="stage1", frame=(476, 62), epochs=25, reference_mae=3.58)
