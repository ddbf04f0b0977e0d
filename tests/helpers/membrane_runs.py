"""Runs of a tiny network of cubic membranes on pictures of a few waves."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.synthetic.surfaces import rotations
from srd_jax.synthetic.surfaces.batch import Pictures, standardised
from srd_jax.synthetic.surfaces.names import KINDS
from srd_jax.synthetic.surfaces.projection import Surface
from srd_jax.tasks.surfaces import sources
from srd_jax.tasks.surfaces.config import CubicMembranesConfig, GridConfig, ModelConfig
from srd_jax.training.config import OptimizerConfig, ValidationConfig

# Waves of the crystals, in 1 / a: of G, D, P, I-WP and L.
_WAVES = np.array(
    [
        [[1, 1, 0], [1, 0, 1], [0, 1, 1]],
        [[1, 1, 1], [-1, 1, 1], [1, -1, 1]],
        [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[1, 1, 0], [0, 1, 1], [2, 0, 0]],
        [[1, 0.577, 0], [0, 1.155, 0], [0, 0, 1.225]],
    ],
    np.float32,
)


def tiny(**changes) -> CubicMembranesConfig:
    """A run of 4 steps, one a chunk, with a validation after steps 2 and 4."""
    config = CubicMembranesConfig(
        name="tiny",
        size=32,
        batch_size=5,
        steps_per_epoch=2,
        epochs=2,
        log_every_steps=1,
        model=ModelConfig(
            grid=GridConfig(axes=2, turns=8),
            radii=8,
            wavelengths=(3.0, 24.0),
            spectrum_channels=(8,),
            image_channels=(8,),
            hidden=16,
            initial_cell=12.0,
        ),
        optimizer=OptimizerConfig("adamw", warmup_steps=1),
        validation=ValidationConfig(images=10, batch_size=5, frame=(32, 32), pictures=1),
    )
    return dataclasses.replace(config, **changes)


def on_waves(patch) -> None:
    """Draws pictures of waves in place of membranes, which take long to compile."""
    patch.setattr(sources, "draw_pictures", draw)


def draw(key, config, count, shape, samples) -> Pictures:
    """Draws pictures of three waves each, with their truth; see `draw_pictures`."""
    keys = jax.random.split(key, 4)
    kind = jnp.arange(count) % len(KINDS)
    rotation = rotations.uniform(keys[0], (count,))
    cell = jax.random.uniform(keys[1], (count,), minval=9.0, maxval=15.0)
    turned = jnp.einsum("bij,bkj->bki", rotation, jnp.asarray(_WAVES)[kind])[..., :2]
    y, x = (jnp.arange(n) - (n - 1) / 2 for n in shape)
    across = turned[..., 0, None, None] * x[None, None, None, :]
    down = turned[..., 1, None, None] * y[None, None, :, None]
    phase = jax.random.uniform(keys[2], (count, 3, 1, 1), maxval=2 * jnp.pi)
    waves = jnp.cos(2 * jnp.pi * (across + down) / cell[:, None, None, None] + phase).sum(1)
    image = waves + 0.3 * jax.random.normal(keys[3], (count, *shape))
    mask = jnp.ones((count, *shape), bool)
    zero = jnp.zeros(count)
    surface = Surface(
        cell, zero, rotation, jnp.zeros((count, 3)), jnp.zeros((count, 1, 2)), zero, zero, zero
    )
    fraction, px_nm = jnp.full(count, 0.3), jnp.ones(count)
    return Pictures(standardised(image, mask), mask, kind, surface, fraction, px_nm)
