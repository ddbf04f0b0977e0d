"""Draws a chloroplast's stroma: its grain, single thylakoids and bundles of them; lengths in nm."""

import jax
import jax.numpy as jnp
from flax import struct

from srd_jax.synthetic.draws import Deck, smooth_field
from srd_jax.synthetic.scenes.chloroplasts import Interior
from srd_jax.synthetic.scenes.config import ScenesConfig
from srd_jax.synthetic.scenes.stripes import Shown


@struct.dataclass
class Stroma:
    """The stroma of a scene; () each.

    Attributes:
      grain, scale: sd and scale of its grain, grey levels and nm.
      present, distance, darkness: share of single thylakoids that can be seen, their distance, and
        how dark their membranes are, grey levels.
      bundles: share of the stroma that bundles of thylakoids cross.
      bundle_distance, bundle_darkness: likewise, of a bundle's thylakoids.
      waviness: how far these leave the chloroplast's course, nm.
      inside: distance of their two membranes, nm.
    """

    grain: jax.Array
    scale: jax.Array
    present: jax.Array
    distance: jax.Array
    darkness: jax.Array
    bundles: jax.Array
    bundle_distance: jax.Array
    bundle_darkness: jax.Array
    waviness: jax.Array
    inside: jax.Array


def draw_stroma(
    key: jax.Array, contrast: jax.Array, period: jax.Array, config: ScenesConfig
) -> Stroma:
    """Draws the stroma of a scene.

    Args:
      key: PRNG key.
      contrast: () amplitude of the grana's stripes, grey levels.
      period: () of the grana, nm.
      config: ranges.
    """
    deck = Deck(key, 10)
    bundle_distance = period * deck.log_uniform(config.bundle_distance)
    return Stroma(
        grain=contrast * deck.uniform((0.05, 0.7)),
        scale=deck.log_uniform((12.0, 40.0)),
        present=deck.uniform(config.stroma_lamellae),
        distance=deck.log_uniform((26.0, 110.0)),
        darkness=contrast * deck.uniform((0.3, 1.6)),
        bundles=deck.uniform(config.bundles),
        bundle_distance=bundle_distance,
        # One membrane is thinner than two that touch, so these lines are fainter than a granum's.
        bundle_darkness=contrast * deck.uniform((0.5, 1.8)),
        waviness=bundle_distance * deck.uniform((0.3, 1.2)),
        inside=bundle_distance * deck.uniform((0.22, 0.42)),
    )


def paint(
    key: jax.Array,
    here: Stroma,
    interior: Interior,
    shown: Shown,
    at: tuple[jax.Array, jax.Array],
    px_per_nm: jax.Array,
    membrane: jax.Array,
    blur: jax.Array,
) -> jax.Array:
    """Returns grey values of the stroma over its mean, (R, C), grey levels.

    Args:
      key: PRNG key of the textures.
      here: stroma.
      interior: the chloroplast at each pixel.
      shown: the grana at each pixel.
      at: rising coordinates of rows and columns, px.
      px_per_nm: () scale.
      membrane: () sd of a membrane's dark line, nm.
      blur: () sd of the blur that the grey values have, nm.
    """
    keys = jax.random.split(key, 5)
    fine, coarse = (jnp.maximum(n * here.scale * px_per_nm, 4.0) for n in (1, 8))
    grain = smooth_field(keys[0], *at, (fine, fine), (4.0, 4.0))
    slow = smooth_field(keys[1], *at, (coarse, coarse), (30.0, 30.0))
    outside = jax.nn.sigmoid(-shown.depth / 8.0 - 1.0)
    single = _single(keys[2], here, interior, grain, slow, at, px_per_nm)
    bundles = _bundles(keys[3], keys[4], here, interior, at, px_per_nm)
    wide = jnp.hypot(membrane, blur)

    def lines(away: jax.Array, seen: jax.Array) -> jax.Array:
        return jnp.exp(-((away / wide) ** 2) / 2) * membrane / wide * seen * outside

    dark = here.darkness * jnp.maximum(lines(*single), shown.beside)
    dark = jnp.maximum(dark, here.bundle_darkness * lines(*bundles))
    return here.grain * (grain + 0.6 * slow) - dark


def _single(
    key: jax.Array,
    here: Stroma,
    interior: Interior,
    grain: jax.Array,
    slow: jax.Array,
    at: tuple[jax.Array, jax.Array],
    px_per_nm: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Returns the distance to the membranes of single thylakoids, nm, and how far they are seen."""
    long = jnp.maximum(150.0 * px_per_nm, 24.0)
    there = smooth_field(key, *at, (long, long), (24.0, 24.0))
    level = interior.level + 9.0 * grain + 12.0 * slow
    number = jnp.round(level / here.distance)
    away = jnp.abs(level - here.distance * number)
    # Each thylakoid has places of its own where it is seen.
    own = jnp.sin(12.9898 * number + 0.002 * interior.u) * 2.0
    return away - 7.0, jax.nn.sigmoid(4 * (there + own + 4 * (here.present - 0.6)))


def _bundles(
    place_key: jax.Array,
    wave_key: jax.Array,
    here: Stroma,
    interior: Interior,
    at: tuple[jax.Array, jax.Array],
    px_per_nm: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Returns the same of bundles: wavy, at uneven distances, in some places."""
    wide, bent = (jnp.maximum(length * px_per_nm, 24.0) for length in (300.0, 160.0))
    there = smooth_field(place_key, *at, (wide, wide), (24.0, 24.0))
    wave = smooth_field(wave_key, *at, (bent, bent), (24.0, 24.0))
    level = interior.level + here.waviness * wave
    number = jnp.round(level / here.bundle_distance)
    uneven = 0.25 * jnp.sin(12.9898 * number)
    away = jnp.abs(level - here.bundle_distance * (number + uneven))
    own = 0.6 * jnp.sin(78.233 * number)
    return away - here.inside / 2, jax.nn.sigmoid(5 * (there + own + 4 * (here.bundles - 0.5)))
