"""Draws the profile across one lamella: dark membranes, light lumen, gap to the next.

A thylakoid is two membranes around its lumen; in a granum it lies on the next one with a thin gap
between them. The profile is periodic in the phase. It is kept as harmonics, because a blur
multiplies each harmonic by an exact factor.
"""

import jax
import jax.numpy as jnp

from srd_jax.synthetic.config import ProfileConfig
from srd_jax.synthetic.draws import Deck

HARMONICS = 6
_SAMPLES = 64
# Numbers folded into a profile's key for the bars and for membranes that lie apart.
_BARS, _APART = 2**31 - 1, 2**31 - 2


def draw_profile(key: jax.Array, config: ProfileConfig) -> jax.Array:
    """Draws a profile of unit variance, light positive: its complex harmonics, (HARMONICS,)."""
    deck = Deck(key, 6)
    apart, membrane = deck.uniform(config.lumen_width), deck.uniform(config.membrane_width)
    lumen, gap = deck.uniform(config.lumen_light), deck.uniform(config.gap_light)
    turns = jnp.arange(_SAMPLES) / _SAMPLES
    dark = _bump(turns - apart / 2, membrane) + _bump(turns + apart / 2, membrane)
    light = lumen * _bump(turns, apart / 4) + gap * _bump(turns - 0.5, (1 - apart) / 4)
    harmonics = jnp.fft.rfft(light - dark)[1 : HARMONICS + 1] / _SAMPLES
    # Two or three equal lines a period would make a half or a third of the period the true one.
    most = jnp.abs(harmonics[0]) * jnp.ones(HARMONICS).at[1:].set(deck.uniform(config.overtone))
    harmonics *= jnp.minimum(1.0, most / jnp.maximum(jnp.abs(harmonics), 1e-6))
    harmonics = _of_unit_variance(harmonics)
    harmonics = jnp.where(deck.chance(config.inverted), -harmonics, harmonics)
    if config.apart:
        harmonics = _maybe_apart(jax.random.fold_in(key, _APART), harmonics, config)
    if not config.bars:
        return harmonics
    deck = Deck(jax.random.fold_in(key, _BARS), 2)
    bar = _of_unit_variance(bar_harmonics(deck.uniform(config.bar_width)))
    return jnp.where(deck.chance(config.bars), bar, harmonics)


def _maybe_apart(key: jax.Array, harmonics: jax.Array, config: ProfileConfig) -> jax.Array:
    """Returns the harmonics, or in a share of cases those of two membranes that lie well apart."""
    deck = Deck(key, 4)
    half, width = deck.uniform(config.apart_width) / 2, deck.uniform(config.apart_membrane)
    turns = jnp.arange(_SAMPLES) / _SAMPLES
    dark = _bump(turns - half, width) + deck.uniform((0.6, 1.0)) * _bump(turns + half, width)
    apart = _of_unit_variance(-jnp.fft.rfft(dark)[1 : HARMONICS + 1] / _SAMPLES)
    return jnp.where(deck.chance(config.apart), apart, harmonics)


def bar_harmonics(width: jax.Array) -> jax.Array:
    """Returns the harmonics, (HARMONICS,), of a bar: 1 over `width` of a turn around 0, else 0.

    Harmonic k is sin(pi k width) / (pi k).
    """
    order = jnp.arange(1, HARMONICS + 1)
    return width * jnp.sinc(order * width) + 0j


def _of_unit_variance(harmonics: jax.Array) -> jax.Array:
    return harmonics / jnp.sqrt(2 * jnp.sum(jnp.abs(harmonics) ** 2))


def _bump(turns: jax.Array, width: jax.Array) -> jax.Array:
    """Returns a Gaussian of height 1 on the circle."""
    distance = turns - jnp.round(turns)
    return jnp.exp(-0.5 * (distance / width) ** 2)


def blurred(harmonics: jax.Array, sigma: jax.Array, period: jax.Array) -> jax.Array:
    """Returns the harmonics after a Gaussian blur of sd `sigma` px, at a period of `period` px.

    The transfer function is exp(-2 (pi k sigma / period)^2) for harmonic k.
    """
    order = jnp.arange(1, HARMONICS + 1)
    return harmonics * jnp.exp(-2 * (jnp.pi * order * sigma / period) ** 2)


def light(harmonics: jax.Array, phase: jax.Array) -> jax.Array:
    """Returns the profile at each phase (turns), in the phase's shape.

    It is the sum of 2 Re(c_k z^k), z = exp(2 pi i phase), by Horner's rule in real arithmetic.
    """
    cosine, sine = jnp.cos(2 * jnp.pi * phase), jnp.sin(2 * jnp.pi * phase)
    real, imaginary = jnp.zeros_like(phase), jnp.zeros_like(phase)
    for order in reversed(range(HARMONICS)):
        real, imaginary = real + harmonics[order].real, imaginary + harmonics[order].imag
        real, imaginary = real * cosine - imaginary * sine, real * sine + imaginary * cosine
    return 2 * real
