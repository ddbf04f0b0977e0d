"""Runs of a tiny network of micrographs on striped tiles."""

import dataclasses

from helpers import striped_tiles
from srd_jax.tasks.grana import sources
from srd_jax.tasks.grana.config import MicrographsConfig, ModelConfig
from srd_jax.training.config import OptimizerConfig, ValidationConfig


def tiny(**changes) -> MicrographsConfig:
    """A run of 4 steps, one a chunk, with a validation after steps 2 and 4."""
    config = MicrographsConfig(
        name="tiny",
        size=32,
        batch_size=2,
        steps_per_epoch=2,
        epochs=2,
        log_every_steps=1,
        model=ModelConfig(channels=(4, 8)),
        optimizer=OptimizerConfig("adamw", warmup_steps=1),
        validation=ValidationConfig(images=4, batch_size=2, frame=(32, 32), pictures=1),
    )
    return dataclasses.replace(config, **changes)


def on_stripes(patch) -> None:
    """Draws striped tiles in place of micrographs, which take long to compile."""
    patch.setattr(sources, "render", striped_tiles.render)
