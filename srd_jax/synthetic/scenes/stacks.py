"""Grana of a scene: where they lie, the phase of their lamellae, and their grey values.

Each granum has coordinates of its own: s along its lamellae and t across them, both nm from its
centre. Its phase counts thylakoids from its first membrane on. Lengths in nm.
"""

import jax
import jax.numpy as jnp
from flax import struct

from srd_jax.synthetic.draws import Deck
from srd_jax.synthetic.scenes.config import StacksConfig

# Layers of a granum whose ends are drawn one by one.
MOST_LAYERS = 64
_TURN = 2 * jnp.pi


@struct.dataclass
class Stacks:
    """Grana; all fields (K,) unless said otherwise.

    Attributes:
      exists: 1 or 0.
      x, y: centre.
      turn: direction of s, radians clockwise from x to y, y down.
      width, height: along and across the lamellae.
      period: nominal.
      layers: number of thylakoids.
      curve: curvature of the lamellae.
      wave: (K, 3) amplitude, length and start (turns) of a wave of the lamellae.
      fan: relative change of the period over the width.
      stretch: (K, 3) relative amplitude, length across and start (turns) of a change of the period.
      slant: (K, 2) rise of the left and right edge, nm of s per nm of t.
      ends: (K, 2, MOST_LAYERS) how far each layer's left and right end lies out.
      goes_on: (K, 2, MOST_LAYERS) how far a stroma thylakoid continues it beyond.
      spread: how fast such thylakoids move apart, 1 / nm.
      shade: grey value of the granum over the stroma's, grey levels.
      stripes: amplitude of its stripes, grey levels.
      fade: (K, 2) share of the stripes left at either end, along a random direction; oblique cuts.
      fade_turn: that direction, radians.
    """

    exists: jax.Array
    x: jax.Array
    y: jax.Array
    turn: jax.Array
    width: jax.Array
    height: jax.Array
    period: jax.Array
    layers: jax.Array
    curve: jax.Array
    wave: jax.Array
    fan: jax.Array
    stretch: jax.Array
    slant: jax.Array
    ends: jax.Array
    goes_on: jax.Array
    spread: jax.Array
    shade: jax.Array
    stripes: jax.Array
    fade: jax.Array
    fade_turn: jax.Array


@struct.dataclass
class Places:
    """Where grana may lie in a scene; (K,) each, or a pair of them.

    Attributes:
      x, y: centre.
      turn: direction of the surroundings' lamellae there, radians clockwise.
      along, across: length along and across the lamellae to the next place.
      exists: share of such places that have a granum, 0..1.
      curve: curvature of the surroundings' lamellae.
    """

    x: jax.Array
    y: jax.Array
    turn: jax.Array
    along: jax.Array
    across: jax.Array
    exists: jax.Array
    curve: jax.Array


def draw_stacks(
    key: jax.Array, places: Places, period: jax.Array, stripes: jax.Array, config: StacksConfig
) -> Stacks:
    """Draws grana at given places.

    Args:
      key: PRNG key.
      places: where they may lie.
      period: () mean of the grana.
      stripes: () amplitude of their stripes, grey levels.
      config: ranges.
    """
    count = places.x.shape[0]
    keys = jax.random.split(key, 4)
    deck = Deck(keys[0], 24 * count)
    normal = jax.random.normal(keys[1], (4, count))
    own = period * jnp.exp(config.period_spread * normal[0])
    touching = jnp.where(deck.chance(config.touching, count), 1.08, 0.82)
    layers = jnp.minimum(deck.log_uniform(config.lamellae, count), places.across * touching / own)
    layers = jnp.clip(jnp.floor(layers), 2, MOST_LAYERS - 4)
    width = jnp.clip(deck.log_uniform(config.width, count), 80.0, places.along * touching)
    # Tall grana are seldom narrow.
    width = jnp.maximum(width, 0.35 * layers * own)
    turned = deck.uniform((-90.0, 90.0), count) * deck.chance(config.turned, count)
    curve = deck.uniform((-config.curve, config.curve), count) * deck.take(count)
    oblique = deck.chance(config.oblique, count)
    fade = jnp.stack([deck.uniform((0.0, 1.0), count), deck.uniform((-1.2, 1.0), count)], 1)
    amplitude = stripes * jnp.exp(0.3 * normal[2])
    ends, goes_on = _draw_ends(keys[2], count)
    wave, stretch = _draw_waves(keys[3], width, own)
    return Stacks(
        exists=(deck.take(count) < places.exists).astype(jnp.float32),
        x=places.x,
        y=places.y,
        turn=places.turn + jnp.deg2rad(config.tilt * normal[3] + turned),
        width=width,
        height=layers * own,
        period=own,
        layers=layers,
        curve=jnp.clip(places.curve + curve, -0.7 / width, 0.7 / width),
        wave=wave,
        fan=deck.uniform((-config.fan, config.fan), count),
        stretch=stretch,
        slant=deck.sign(count, 2) * 0.7 * deck.take(count, 2) ** 3,
        ends=ends,
        goes_on=goes_on,
        spread=deck.uniform((0.0, 0.004), count),
        shade=-(config.darker[0] + config.darker[1] * normal[1]) * amplitude,
        stripes=amplitude,
        fade=jnp.where(oblique[:, None], fade, 1.0),
        fade_turn=_TURN * deck.take(count),
    )


def _draw_ends(key: jax.Array, count: int) -> tuple[jax.Array, jax.Array]:
    """Draws how far layers lie out at their ends, and how far stroma thylakoids continue them."""
    ragged_key, deck_key = jax.random.split(key)
    shape = (count, 2, MOST_LAYERS)
    deck = Deck(deck_key, 3 * count + 4 * count * MOST_LAYERS)
    ragged = deck.log_uniform((2.0, 22.0), count)
    far = deck.log_uniform((40.0, 800.0), count)[:, None, None]
    some = deck.take(*shape) < deck.uniform((0.0, 1.0), count)[:, None, None]
    ends = ragged[:, None, None] * jax.random.normal(ragged_key, shape)
    return ends, -far * jnp.log1p(-deck.take(*shape)) * some


def _draw_waves(key: jax.Array, width: jax.Array, period: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Draws a wave of the lamellae of each granum, and a change of its period across them."""
    count = width.shape[0]
    deck = Deck(key, 6 * count)
    length = width * deck.log_uniform((0.7, 4.0), count)
    wave = jnp.stack([deck.uniform((0.0, 0.02), count) * length, length, deck.take(count)], 1)
    across = period * deck.log_uniform((3.0, 20.0), count)
    change = jnp.stack([deck.uniform((0.0, 0.06), count), across, deck.take(count)], 1)
    return wave, change


@struct.dataclass
class Place:
    """For each pixel, the granum that it belongs to or lies beside; (R, C) each.

    Attributes:
      index: of the granum.
      s, t: coordinates in it, nm; t follows its lamellae.
      depth: distance to its outline, nm; negative outside.
    """

    index: jax.Array
    s: jax.Array
    t: jax.Array
    depth: jax.Array


def locate(stacks: Stacks, x: jax.Array, y: jax.Array) -> Place:
    """Returns the granum that each point lies deepest in, or else nearest to.

    Args:
      stacks: of the scene.
      x, y: (R, C) of the points.
    """

    def one(number, best: Place) -> Place:
        here = jax.tree.map(lambda values: values[number], stacks)
        s, t = _own(here, x, y)
        depth = jnp.where(here.exists > 0, _depth(here, s, t), -1e6)
        nearer = depth > best.depth
        taken = Place(jnp.full(x.shape, number), s, t, depth)
        return jax.tree.map(lambda new, old: jnp.where(nearer, new, old), taken, best)

    nothing = jnp.full(x.shape, -1e6)
    start = Place(jnp.zeros(x.shape, jnp.int32), nothing, nothing, nothing)
    return jax.lax.fori_loop(0, stacks.x.shape[0], one, start)


def _own(here: Stacks, x: jax.Array, y: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Returns a granum's coordinates of points; t follows its lamellae."""
    cosine, sine = jnp.cos(here.turn), jnp.sin(here.turn)
    right, down = x - here.x, y - here.y
    s = right * cosine + down * sine
    return s, down * cosine - right * sine - _bend(here, s)


def _bend(here: Stacks, s: jax.Array) -> jax.Array:
    # Beyond a radius, a parabola would turn back.
    near = jnp.clip(s, -here.width, here.width)
    amplitude, length, start = here.wave
    return here.curve * near * (s - near / 2) + amplitude * jnp.sin(_TURN * (near / length + start))


def _depth(here: Stacks, s: jax.Array, t: jax.Array) -> jax.Array:
    """Returns the distance to the outline, nm, about; negative outside."""
    layer = jnp.clip(jnp.floor((t + here.height / 2) / here.period), 0, MOST_LAYERS - 1)
    ends = jnp.take(here.ends, layer.astype(jnp.int32), axis=1)
    left = s + here.width / 2 + ends[0] - here.slant[0] * t
    right = here.width / 2 + ends[1] + here.slant[1] * t - s
    return jnp.minimum(jnp.minimum(left, right), here.height / 2 - jnp.abs(t))
