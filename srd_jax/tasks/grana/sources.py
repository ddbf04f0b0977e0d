"""Makes the source of tiles: functions from a step to a batch of drawn micrographs."""

import jax

from srd_jax.synthetic.scenes.render import render
from srd_jax.tasks.grana.config import MicrographsConfig
from srd_jax.training.task import Source


def make(config: MicrographsConfig) -> Source:
    """Returns the source of a config, whose batches are `synthetic.scenes.batch.Tiles`."""
    validation = config.validation

    def train(arrays, step, key):
        return render(key, config.batch_size, config.size, config.source)

    def validation_batch(arrays, index):
        key = jax.random.fold_in(jax.random.key(validation.seed), index)
        return render(key, validation.batch_size, validation.frame[0], config.source)

    return Source((), train, validation_batch, validation.images)
