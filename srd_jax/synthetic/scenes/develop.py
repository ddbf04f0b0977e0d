"""Turns drawn scenes into the grey values of a micrograph: noise, damage, film and file."""

import jax
import jax.numpy as jnp

from srd_jax.synthetic import marks, micrograph
from srd_jax.synthetic.config import QualityConfig
from srd_jax.synthetic.draws import Deck, smooth_field
from srd_jax.synthetic.scenes.batch import WORKING_PX_PER_NM
from srd_jax.synthetic.scenes.config import ScenesConfig

_FOLDS, _KNIVES, _DIRT = 2, 12, 10


def quality(config: ScenesConfig) -> QualityConfig:
    """Returns the ranges of noise, shading and file for scenes."""
    return QualityConfig(
        noise=config.noise,
        noise_sd=config.noise_sd,
        shading_sd=(1.0, 9.0),
        jpeg=config.jpeg,
        coarse_share=(0.0, 0.35),
    )


def develop(
    key: jax.Array,
    grey: jax.Array,
    at: tuple[jax.Array, jax.Array],
    size: tuple[jax.Array, jax.Array],
    px_per_nm: jax.Array,
    contrast: jax.Array,
    config: ScenesConfig,
) -> tuple[jax.Array, jax.Array]:
    """Returns a micrograph, (R, C) whole grey levels 0..255, and the sd of its noise, ().

    Args:
      key: PRNG key.
      grey: (R, C) drawn grey levels; R and C are multiples of 8.
      at: (R,) and (C,) rising coordinates of the pixels, px.
      size: rows and columns of the whole micrograph, px.
      px_per_nm: () scale.
      contrast: () amplitude of the grana's stripes, grey levels.
      config: ranges.
    """
    ranges = quality(config)
    keys = jax.random.split(key, 5)
    deck = Deck(keys[0], 32)
    mean = jnp.maximum(grey.mean(), 20.0)
    grey = grey + micrograph.shading(keys[1], deck, at, size, ranges)
    grey = _damaged(keys[2], grey, at, px_per_nm, contrast, config)
    # The ranges are those of the working scale; at finer scales, each pixel gets fewer electrons.
    finer = jnp.maximum(px_per_nm / WORKING_PX_PER_NM, 1.0)
    noise, _ = micrograph.noise(keys[3], deck, at, contrast * finer, ranges)
    sd = jnp.sqrt(jnp.mean(noise**2))
    brightness = jnp.sqrt(jnp.clip(grey / mean, 0.1, 4.0))
    grey = grey + noise * (1 + deck.uniform(ranges.shot) * (brightness - 1))
    grey = grey + marks.scan_lines(keys[4], (at[0].shape[0], at[1].shape[0]), ranges)
    return micrograph.digitised(deck, grey, ranges), sd


def _damaged(
    key: jax.Array,
    grey: jax.Array,
    at: tuple[jax.Array, jax.Array],
    px_per_nm: jax.Array,
    contrast: jax.Array,
    config: ScenesConfig,
) -> jax.Array:
    """Returns grey values with folds, knife marks, dirt and charging, each in a share of cases."""
    keys = jax.random.split(key, 2)
    deck = Deck(keys[0], 4 * _FOLDS + 4 * _KNIVES + 5 * _DIRT + 16)
    y, x = at[0][:, None] / px_per_nm, at[1][None, :] / px_per_nm
    reach = 2000.0
    long = 500.0 * px_per_nm
    wavy = smooth_field(keys[1], *at, (long, long), (60.0, 60.0))
    exists = deck.chance(config.marked)
    for _ in range(_FOLDS):
        turn, offset = 2 * jnp.pi * deck.take(), deck.uniform((-reach, reach))
        half, dark = deck.log_uniform((15.0, 150.0)), contrast * deck.uniform((1.0, 5.0))
        away = jnp.abs(x * jnp.cos(turn) + y * jnp.sin(turn) - offset + 30 * wavy)
        grey = grey - exists * dark * jax.nn.sigmoid((half - away) / 8.0)
    # Marks of the knife are parallel lines at uneven distances.
    exists, turn = deck.chance(config.marked), 2 * jnp.pi * deck.take()
    across = x * jnp.cos(turn) + y * jnp.sin(turn)
    offsets, wide = deck.uniform((-reach, reach), _KNIVES), deck.log_uniform((3.0, 40.0), _KNIVES)
    depths = exists * contrast * deck.uniform((-1.5, 1.5), _KNIVES)

    def mark(i, grey):
        return grey - depths[i] * jnp.exp(-(((across - offsets[i]) / wide[i]) ** 2) / 2)

    grey = jax.lax.fori_loop(0, _KNIVES, mark, grey)
    places, size = deck.uniform((-reach, reach), 2, _DIRT), deck.log_uniform((4.0, 60.0), _DIRT)
    darkness = contrast * deck.uniform((2.0, 6.0), _DIRT) * (deck.take(_DIRT) < 0.3)

    def speck(i, grey):
        away = jnp.hypot(y - places[0, i], x - places[1, i])
        return grey - darkness[i] * jax.nn.sigmoid((size[i] - away) / 3.0)

    grey = jax.lax.fori_loop(0, _DIRT, speck, grey)
    # Burnt-in bars and labels.
    exists, light = deck.chance(config.marked), deck.chance(0.5)
    top, left = deck.uniform((-reach, reach), 2)
    beyond = jnp.maximum(jnp.abs(y - top) * 8.0, jnp.abs(x - left)) - deck.uniform((60.0, 400.0))
    grey = jnp.where(exists & (beyond < 0), jnp.where(light, 255.0, 0.0), grey)
    exists, turn = deck.chance(config.marked), 2 * jnp.pi * deck.take()
    slope = contrast * deck.uniform((0.0, 3.0)) / 1000.0
    return grey + exists * slope * (x * jnp.cos(turn) + y * jnp.sin(turn))
