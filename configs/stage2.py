"""Stage 2, attention: stripes under noise, but for a few receptive fields; from stage 1.

python launch.py --config=configs/stage2.py --workdir=runs/stage2

Starts from the best averaged parameters in the workdir `stage1` beside its own.
Under half an hour on two CPU cores; validation MAE 0.34 px of the 476-frame, on full frames
(seed 0; the reference: 4.13).
"""

from srd_jax.config import OptimizerConfig, StartConfig, StripesConfig, TrainConfig


def get_config() -> TrainConfig:
    """Returns the config."""
    return TrainConfig(
        name="stage2",
        frame=(476, 94),
        epochs=20,
        source=StripesConfig(noise_sd=(0.0, 100.0)),
        optimizer=OptimizerConfig(learning_rate=1e-3),
        start=StartConfig(stage="stage1"),
        reference_mae=4.13,
    )
