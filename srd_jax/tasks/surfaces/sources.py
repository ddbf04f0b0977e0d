"""Makes the source of pictures: functions from a step to a batch of drawn cubic membranes."""

import jax

from srd_jax.synthetic.surfaces.batch import draw_pictures
from srd_jax.tasks.surfaces.config import CubicMembranesConfig
from srd_jax.training.task import Source


def make(config: CubicMembranesConfig) -> Source:
    """Returns the source of a config, whose batches are `synthetic.surfaces.batch.Pictures`."""
    validation = config.validation

    def train(arrays, step, key):
        shape = (config.size, config.size)
        return draw_pictures(key, config.source, config.batch_size, shape, config.samples)

    def validation_batch(arrays, index):
        key = jax.random.fold_in(jax.random.key(validation.seed), index)
        size, shape = validation.batch_size, validation.frame
        return draw_pictures(key, config.source, size, shape, config.samples)

    return Source((), train, validation_batch, validation.images)
