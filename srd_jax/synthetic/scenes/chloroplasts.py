"""Chloroplasts of a scene: outlines, the course of their lamellae, envelope, stroma, inclusions.

Each has coordinates of its own: u along and v across, nm from its centre; v follows its bend. Its
lamellae follow lines of equal v over the local thickness, so that they converge at its tips.
"""

import jax
import jax.numpy as jnp
from flax import struct

from srd_jax.synthetic.draws import Deck, smooth_field
from srd_jax.synthetic.scenes.config import ScenesConfig
from srd_jax.synthetic.scenes.stacks import Places

MOST = 2
# Places of grana of a chloroplast, along and across.
ALONG, ACROSS = 6, 5
GLOBULI, STARCH = 10, 2
_TURN = 2 * jnp.pi


@struct.dataclass
class Chloroplasts:
    """Chloroplasts; all fields (MOST,) unless said otherwise.

    Attributes:
      exists: 1 or 0.
      x, y: centre.
      turn: direction of u, radians clockwise.
      long, short: half axes.
      power: of the superellipse.
      bend: (MOST, 3) amplitude, length and start (turns) of the wave that v follows.
      taper: how far lamellae converge at the tips, 0..1.
      rough: amplitude of the outline's roughness.
    """

    exists: jax.Array
    x: jax.Array
    y: jax.Array
    turn: jax.Array
    long: jax.Array
    short: jax.Array
    power: jax.Array
    bend: jax.Array
    taper: jax.Array
    rough: jax.Array


def draw_chloroplasts(key: jax.Array, config: ScenesConfig) -> Chloroplasts:
    """Draws a chloroplast around the origin, and maybe another one beside it."""
    deck = Deck(key, 16 * MOST)
    long = deck.log_uniform(config.long_axis, MOST)
    short = jnp.minimum(deck.log_uniform(config.short_axis, MOST), 0.8 * long)
    turn = jnp.pi * deck.take(MOST)
    # The second one lies beside the first, along its short axis or its long one.
    side = turn[0] + jnp.where(deck.chance(0.7), jnp.pi / 2, 0.0) + 0.4 * (deck.take() - 0.5)
    reach = jnp.where(deck.chance(0.5), short.sum(), long[0] + short[1]) * deck.uniform((1.05, 1.3))
    away = jnp.array([0.0, 1.0]) * reach
    length = long * deck.log_uniform((1.2, 5.0), MOST)
    amplitude = deck.uniform((-0.06, 0.06), MOST) * length
    return Chloroplasts(
        exists=jnp.stack([jnp.float32(1.0), deck.chance(0.5).astype(jnp.float32)]),
        x=away * jnp.cos(side),
        y=away * jnp.sin(side),
        turn=turn,
        long=long,
        short=short,
        power=deck.uniform((1.8, 3.0), MOST),
        bend=jnp.stack([amplitude, length, deck.take(MOST)], 1),
        taper=deck.uniform((0.0, 0.85), MOST),
        rough=deck.uniform((0.0, 18.0), MOST),
    )


def coordinates(
    one: Chloroplasts, x: jax.Array, y: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Returns u, v and the distance to the envelope, about, of points in one chloroplast, nm.

    Args:
      one: chloroplast, fields of shape ().
      x, y: of the points, any shape.
    """
    cosine, sine = jnp.cos(one.turn), jnp.sin(one.turn)
    u = (x - one.x) * cosine + (y - one.y) * sine
    v = (y - one.y) * cosine - (x - one.x) * sine
    v = v - one.bend[0] * jnp.sin(_TURN * (u / one.bend[1] + one.bend[2]))
    p = one.power
    radius = (jnp.abs(u / one.long + 1e-6) ** p + jnp.abs(v / one.short + 1e-6) ** p) ** (1 / p)
    # The superellipse's distance by the first order: (1 - radius) over the radius' gradient.
    steep = jnp.hypot(
        (jnp.abs(u / one.long) / (radius + 1e-3)) ** (p - 1) / one.long,
        (jnp.abs(v / one.short) / (radius + 1e-3)) ** (p - 1) / one.short,
    )
    return u, v, (1 - radius) / jnp.maximum(steep, 1 / one.long)


def thickness(one: Chloroplasts, u: jax.Array) -> jax.Array:
    """Returns the thickness at u over the thickness in the middle, by which lamellae converge."""
    return jnp.sqrt(jnp.maximum(1 - one.taper * (u / one.long) ** 2, 0.15))


def places(key: jax.Array, one: Chloroplasts) -> Places:
    """Draws places of grana in one chloroplast, (ALONG * ACROSS,), each with a granum."""
    deck = Deck(key, 2 * ALONG * ACROSS + 2)
    cell_u, cell_v = 2 * one.long / ALONG, 2 * one.short / ACROSS
    row, column = jnp.divmod(jnp.arange(ALONG * ACROSS), ALONG)
    # Every second row is moved by half of a cell, as bricks are.
    shift = 0.5 * (row % 2) * deck.take()
    u = ((column + shift + 0.5) / ALONG * 2 - 1) * one.long
    u = u + cell_u * 0.35 * (deck.take(ALONG * ACROSS) - 0.5)
    w = ((row + 0.5) / ACROSS * 2 - 1) * one.short
    w = w + cell_v * 0.35 * (deck.take(ALONG * ACROSS) - 0.5)

    def line(u, w):
        """Returns v on the lamella w at u, before turning: it converges and bends."""
        wave = one.bend[0] * jnp.sin(_TURN * (u / one.bend[1] + one.bend[2]))
        return w * thickness(one, u) + wave

    # Autodifferentiation: slope and curvature of the lamella through the place.
    slope = jax.vmap(jax.grad(line))(u, w)
    second = jax.vmap(jax.grad(jax.grad(line)))(u, w)
    v = jax.vmap(line)(u, w)
    cosine, sine = jnp.cos(one.turn), jnp.sin(one.turn)
    x, y = one.x + u * cosine - v * sine, one.y + u * sine + v * cosine
    return Places(
        x=x,
        y=y,
        turn=one.turn + jnp.arctan(slope),
        along=jnp.full_like(u, cell_u),
        across=cell_v * thickness(one, u),
        exists=jnp.ones_like(u),
        curve=second / (1 + slope**2) ** 1.5,
    )


@struct.dataclass
class Interior:
    """The chloroplast at each pixel; (R, C) each.

    Attributes:
      depth: distance to the nearest envelope, nm; negative outside.
      u: along the chloroplast, nm.
      level: of the lamella through the pixel, nm from the middle line.
    """

    depth: jax.Array
    u: jax.Array
    level: jax.Array


def locate(
    key: jax.Array,
    every: Chloroplasts,
    x: jax.Array,
    y: jax.Array,
    at: tuple[jax.Array, jax.Array],
) -> Interior:
    """Returns the chloroplast that each point lies deepest in.

    Args:
      key: PRNG key of the outlines' roughness.
      every: chloroplasts.
      x, y: (R, C) of the points, nm.
      at: rising coordinates of rows and columns, px, for the roughness.
    """
    scale = (jnp.float32(24.0), jnp.float32(24.0))
    rough = smooth_field(key, *at, scale, (24.0, 24.0))
    found = None
    for number in range(MOST):
        one = jax.tree.map(lambda values, n=number: values[n], every)
        u, v, depth = coordinates(one, x, y)
        depth = jnp.where(one.exists > 0, depth + one.rough * rough, -1e6)
        here = Interior(depth, u, v / thickness(one, u))
        if found is None:
            found = here
            continue
        nearer = depth > found.depth
        found = jax.tree.map(lambda new, old, n=nearer: jnp.where(n, new, old), here, found)
    assert found is not None
    return found
