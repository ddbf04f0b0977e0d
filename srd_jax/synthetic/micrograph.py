"""Turns lamellae into the grey values of a micrograph, through microscope, film and file."""

import functools

import jax
import jax.numpy as jnp

from srd_jax.synthetic import marks
from srd_jax.synthetic.config import QualityConfig
from srd_jax.synthetic.draws import Deck, smooth_field

_GRAIN_RADIUS = 5
# Number folded into a micrograph's key for crops of few grey levels.
_LEVELS = 2**31 - 3

_Coordinates = tuple[jax.Array, jax.Array]


def develop(
    key: jax.Array,
    lamellae: jax.Array,
    at: _Coordinates,
    size: _Coordinates,
    period: jax.Array,
    config: QualityConfig,
) -> jax.Array:
    """Returns a micrograph of lamellae, (R, C) whole grey levels 0..255.

    Args:
      key: PRNG key.
      lamellae: (R, C) of unit variance, light positive; R and C are multiples of 8.
      at: (R,) and (C,) coordinates of the pixels, px of the crop.
      size: rows and columns of the crop.
      period: px of the crop.
      config: ranges.
    """
    keys = iter(jax.random.split(key, 8))
    deck = Deck(next(keys), 32)
    bright = deck.chance(config.bright)
    mean = jnp.where(bright, deck.uniform(config.bright_mean), deck.uniform(config.dark_mean))
    contrasts = deck.log_uniform(config.bright_contrast), deck.log_uniform(config.dark_contrast)
    contrast = jnp.where(bright, *contrasts)
    grey = mean + shading(next(keys), deck, at, size, config)
    grey += contrast * _fading(next(keys), deck, at, period, config) * lamellae
    grained, grain = noise(next(keys), deck, at, contrast, config)
    brightness = jnp.sqrt(jnp.clip(grey / mean, 0.1, 4.0))
    grey += grained * (1 + deck.uniform(config.shot) * (brightness - 1))
    grey -= marks.stain(next(keys), *at, size, grain, config)
    grey += marks.scratches(next(keys), *at, size, config)
    grey += marks.scan_lines(next(keys), (at[0].shape[0], at[1].shape[0]), config)
    grey = digitised(deck, grey, config)
    if not config.few_levels:
        return grey
    return _of_few_levels(jax.random.fold_in(key, _LEVELS), grey, config)


def shading(
    key: jax.Array, deck: Deck, at: _Coordinates, size: _Coordinates, config: QualityConfig
) -> jax.Array:
    """Returns slow changes of the grey value, (R, C) grey levels."""
    scale = [jnp.maximum(64.0, length * deck.log_uniform((0.4, 2.0))) for length in size]
    return deck.uniform(config.shading_sd) * smooth_field(
        key, *at, (scale[0], scale[1]), (64.0, 64.0)
    )


def _fading(
    key: jax.Array, deck: Deck, at: _Coordinates, period: jax.Array, config: QualityConfig
) -> jax.Array:
    """Returns the share of the contrast that is left, by patches and layers, (R, C)."""
    patch_key, layer_key = jax.random.split(key)
    scale = deck.log_uniform((32.0, 160.0)), deck.log_uniform((64.0, 400.0))
    patches = smooth_field(patch_key, *at, scale, (32.0, 64.0))
    # A layer is as high as the period.
    scale = jnp.maximum(period, 8.0), deck.log_uniform((48.0, 300.0))
    layers = smooth_field(layer_key, *at, scale, (8.0, 48.0))
    left = 1 - deck.uniform(config.fade) * jax.nn.sigmoid(2.5 * patches)
    return left * jnp.maximum(0.0, 1 + deck.uniform(config.layer_spread) * layers)


def noise(
    key: jax.Array, deck: Deck, at: _Coordinates, contrast: jax.Array, config: QualityConfig
) -> tuple[jax.Array, jax.Array]:
    """Returns the noise, (R, C) grey levels, and its fine blurred part alone, of unit variance."""
    grain_key, white_key, coarse_key = jax.random.split(key, 3)
    sd = jnp.clip(contrast * deck.log_uniform(config.noise), *config.noise_sd)
    coarse_share, white_share = deck.uniform(config.coarse_share), deck.uniform(config.white_share)
    # Mostly the same blur along both axes.
    common, apart = deck.uniform(config.grain), deck.uniform((0.0, 0.4))
    down, right = common + apart * (deck.uniform(config.grain, 2) - common)
    shape = at[0].shape[0], at[1].shape[0]
    # Without the barrier, XLA's search for tilings on a GPU takes minutes.
    grain = jax.lax.optimization_barrier(_grain(grain_key, shape, down, right))
    white = jax.random.normal(white_key, shape)
    scale = deck.log_uniform(config.coarse), deck.log_uniform(config.coarse)
    finest = (config.coarse[0], config.coarse[0])
    coarse = smooth_field(coarse_key, *at, scale, finest)
    fine = jnp.sqrt(1 - white_share) * grain + jnp.sqrt(white_share) * white
    return sd * (jnp.sqrt(1 - coarse_share) * fine + jnp.sqrt(coarse_share) * coarse), grain


def _grain(key: jax.Array, shape: tuple[int, int], down: jax.Array, right: jax.Array) -> jax.Array:
    """Returns normal noise of unit variance under a Gaussian blur of given sd along both axes."""
    around = 2 * _GRAIN_RADIUS
    white = jax.random.normal(key, (shape[0] + around, shape[1] + around))
    lag = jnp.arange(shape[0] + around)[None, :] - jnp.arange(shape[0])[:, None]
    # A product, because XLA would compute sums of shifts anew for every use.
    blurred = jnp.where(abs(lag - _GRAIN_RADIUS) <= _GRAIN_RADIUS, _tap(lag, down), 0.0) @ white
    taps = _tap(jnp.arange(around + 1), right)
    parts = [blurred[:, i : i + shape[1]] for i in range(around + 1)]
    return functools.reduce(jnp.add, map(jnp.multiply, taps, parts))


def _tap(lag: jax.Array, sigma: jax.Array) -> jax.Array:
    """Returns weights of a Gaussian around _GRAIN_RADIUS whose squares sum to 1."""
    lags = jnp.arange(2 * _GRAIN_RADIUS + 1) - _GRAIN_RADIUS
    norm = jnp.linalg.norm(jnp.exp(-0.5 * (lags / sigma) ** 2))
    return jnp.exp(-0.5 * ((lag - _GRAIN_RADIUS) / sigma) ** 2) / norm


def digitised(deck: Deck, grey: jax.Array, config: QualityConfig) -> jax.Array:
    """Returns whole grey levels 0..255, as camera or scanner and file leave them."""
    black, white = deck.uniform(config.black), deck.uniform(config.white)
    stretched = (grey - black) * 255 / (white - black)
    grey = jnp.where(deck.chance(config.stretched), stretched, grey)
    grey = jnp.clip(jnp.round(grey), 0.0, 255.0)
    quality = jnp.where(deck.chance(config.jpeg), deck.uniform(config.jpeg_quality), jnp.inf)
    return jnp.clip(jnp.round(marks.jpeg(grey, quality)), 0.0, 255.0)


def _of_few_levels(key: jax.Array, grey: jax.Array, config: QualityConfig) -> jax.Array:
    """Returns the grey levels, in a share of cases brought to few ones within two sds."""
    deck = Deck(key, 2)
    steps = jnp.floor(deck.uniform((config.levels[0], config.levels[1] + 1))) - 1
    low, high = grey.mean() - 2 * grey.std(), grey.mean() + 2 * grey.std()
    share = jnp.clip((grey - low) / jnp.maximum(high - low, 1.0), 0.0, 1.0)
    few = jnp.round(255.0 * jnp.round(share * steps) / steps)
    return jnp.where(deck.chance(config.few_levels), few, grey)
