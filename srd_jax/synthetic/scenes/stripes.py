"""Grey values and truth of the grana at each pixel of a scene; lengths in nm."""

import jax
import jax.numpy as jnp
from flax import struct

from srd_jax.synthetic.scenes.stacks import MOST_LAYERS, Place, Stacks

_TURN = 2 * jnp.pi


@struct.dataclass
class Shown:
    """The grana at each pixel; (R, C) each.

    Attributes:
      inside: whether a granum is there.
      light: change of the grey value by it, grey levels.
      amplitude: of its stripes there, grey levels, after the whole blur.
      layers: number of its thylakoids.
      number: index of the granum, -1 for none.
      depth: distance to its outline, nm.
      down, right: gradient of the phase, turns per nm.
      beside: darkness of stroma thylakoids that go on beyond its ends, 0..1.
      shade: grey value of the granum there over the stroma's, grey levels.
    """

    inside: jax.Array
    light: jax.Array
    amplitude: jax.Array
    layers: jax.Array
    number: jax.Array
    depth: jax.Array
    down: jax.Array
    right: jax.Array
    beside: jax.Array
    shade: jax.Array


def show(
    stacks: Stacks,
    place: Place,
    membrane: jax.Array,
    apart: jax.Array,
    blur: jax.Array,
    whole: jax.Array,
) -> Shown:
    """Returns grey values and truth of the grana at each pixel.

    Args:
      stacks: of the scene.
      place: from `locate`.
      membrane: () sd of a membrane's dark line, nm.
      apart: () distance of a thylakoid's two membranes, nm, where they lie apart; 0 elsewhere.
      blur: () sd of the blur that the grey values have, nm.
      whole: () sd of the blur that they will have, nm, for the truth.
    """
    at = place.index

    def of(values):
        return jnp.take(values, at, axis=0)

    period, width, fan = of(stacks.period), of(stacks.width), of(stacks.fan)
    strength, length, start = (of(stacks.stretch[:, i]) for i in range(3))
    amplitude, wave, begin = (of(stacks.wave[:, i]) for i in range(3))
    near = jnp.clip(place.s, -width, width)
    fanned = 1 + fan * near / width
    changes = _TURN * (place.t / length + start)
    turns = (place.t * fanned + strength * length / _TURN * jnp.sin(changes)) / period
    phase = turns + of(stacks.layers) / 2
    across = (fanned + strength * jnp.cos(changes)) / period
    slope = of(stacks.curve) * near + _TURN * amplitude / wave * jnp.cos(
        _TURN * (near / wave + begin)
    )
    along = place.t * fan / width / period - slope * across
    cosine, sine = jnp.cos(of(stacks.turn)), jnp.sin(of(stacks.turn))
    inside = place.depth > 0
    fade_turn = of(stacks.fade_turn)
    far = (place.s * jnp.cos(fade_turn) + place.t * jnp.sin(fade_turn)) / (
        (width * jnp.abs(jnp.cos(fade_turn)) + of(stacks.height) * jnp.abs(jnp.sin(fade_turn))) / 2
    )
    first, last = of(stacks.fade[:, 0]), of(stacks.fade[:, 1])
    left = jnp.clip((first + last) / 2 + (last - first) / 2 * far, 0.0, 1.0)
    stripes = of(stacks.stripes) * left
    dark = _lines(phase, period, membrane, apart, blur)
    beside = _beside(stacks, place, phase, period, membrane, blur) * ~inside
    return Shown(
        inside=inside,
        light=jnp.where(inside, of(stacks.shade) - 2 * stripes * dark, 0.0),
        amplitude=stripes * _left_after(period, membrane, apart, whole),
        layers=of(stacks.layers),
        number=jnp.where(inside, at, -1),
        depth=place.depth,
        down=along * sine + across * cosine,
        right=along * cosine - across * sine,
        beside=beside,
        shade=of(stacks.shade),
    )


def _lines(
    phase: jax.Array, period: jax.Array, membrane: jax.Array, apart: jax.Array, blur: jax.Array
) -> jax.Array:
    """Returns the darkness of dark lines at whole phases, of mean 0 and about 0.5 either way."""
    away = (phase - jnp.round(phase)) * period
    wide = jnp.hypot(membrane, blur)
    peak = membrane / wide

    def line(distance):
        folded = distance - period * jnp.round(distance / period)
        return peak * jnp.exp(-((folded / wide) ** 2) / 2)

    mean = membrane * jnp.sqrt(_TURN) / period
    pair = (line(away - apart / 2) + line(away + apart / 2)) / 2
    return (pair - mean) * jnp.where(apart > 0, 1.4, 1.0)


def _left_after(
    period: jax.Array, membrane: jax.Array, apart: jax.Array, blur: jax.Array
) -> jax.Array:
    """Returns the first harmonic of `_lines`: twice the Fourier coefficient of its Gaussians."""
    wide = jnp.hypot(membrane, blur)
    first = membrane * jnp.sqrt(_TURN) / period * jnp.exp(-2 * (jnp.pi * wide / period) ** 2)
    factor = jnp.where(apart > 0, 1.4, 1.0) * jnp.abs(jnp.cos(jnp.pi * apart / period))
    return 4 * first * factor


def _beside(
    stacks: Stacks,
    place: Place,
    phase: jax.Array,
    period: jax.Array,
    membrane: jax.Array,
    blur: jax.Array,
) -> jax.Array:
    """Returns the darkness of stroma thylakoids that continue a granum's layers, (R, C), 0..1."""
    at = place.index
    width = jnp.take(stacks.width, at)
    beyond = jnp.maximum(jnp.abs(place.s) - width / 2, 0.0)
    # Thylakoids move apart from the middle of the granum outwards.
    spread = 1 + jnp.take(stacks.spread, at) * beyond
    half = jnp.take(stacks.layers, at) / 2
    closed = (phase - half) / spread + half
    layer = jnp.clip(jnp.floor(closed), 0, MOST_LAYERS - 1).astype(jnp.int32)
    within = (closed > 0) & (closed < 2 * half)
    side = (place.s > 0).astype(jnp.int32)
    reach = stacks.goes_on[at, side, layer]
    away = jnp.abs(closed - layer - 0.5) * period * spread
    wide = jnp.hypot(membrane, blur)
    line = membrane / wide * jnp.exp(-(((away - 0.28 * period) / wide) ** 2) / 2)
    return line * within * jax.nn.sigmoid((reach - beyond) / 15.0) * (reach > 0)
