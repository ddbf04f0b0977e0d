"""Draws whole crops of grana and returns them to the host."""

import functools
import json
from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.support.compiling import jit
from srd_jax.support.fields import from_dict, to_json
from srd_jax.synthetic import granum
from srd_jax.synthetic.config import GranaConfig
from srd_jax.synthetic.draws import Deck

Drawn = tuple[np.ndarray, np.ndarray, float, float]


def draw_grana(seed: int, n: int, config: GranaConfig) -> Iterator[Drawn]:
    """Yields n generated grana, each tightly cropped to its mask.

    Args:
      seed: of the random numbers; the i-th granum of a seed is always the same.
      n: how many.
      config: ranges.

    Yields:
      Grey values, float32 (rows, columns), whole levels divided by 255, 0 outside of the mask; the
      mask, bool; the mean period over the mask, px of the crop; and the scale, px per nm.
    """
    draw = _compiled(to_json(config))
    root = jax.random.key(seed)
    for number in range(n):
        grey, mask, period, scale = jax.device_get(draw(jax.random.fold_in(root, number)))
        box = tuple(slice(at.min(), at.max() + 1) for at in np.nonzero(mask))
        yield (grey[box] / np.float32(255), mask[box], float(period), float(scale))


@functools.cache
def _compiled(text: str):
    """Returns the compiled function that draws one granum from a key, for a config as JSON."""
    config = from_dict(GranaConfig, json.loads(text))
    # Whole blocks of 8 px, which marks.jpeg needs, around the largest crop.
    rows, columns = (np.arange(-(-size[1] // 8) * 8.0) for size in (config.rows, config.columns))
    return jit(lambda key: _whole(key, jnp.asarray(rows), jnp.asarray(columns), config))


def _whole(key, rows, columns, config: GranaConfig):
    draw_key, scale_key = jax.random.split(key)
    one = granum.draw(draw_key, config)
    grey, mask = granum.paint(one, rows, columns, config)
    period = granum.mean_period(one, mask, rows, columns)
    period_nm = Deck(scale_key, 1).log_uniform(config.period_nm)
    return grey, mask, period, period / period_nm
