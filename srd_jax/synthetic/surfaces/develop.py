"""Turns projections of membranes into micrographs: specimen, microscope, film and file."""

import jax
import jax.numpy as jnp
from flax import struct

from srd_jax.synthetic import marks, micrograph
from srd_jax.synthetic.config import QualityConfig
from srd_jax.synthetic.draws import Deck, smooth_field
from srd_jax.synthetic.surfaces.config import LookConfig

_Coordinates = tuple[jax.Array, jax.Array]


@struct.dataclass
class _Region:
    """Where the lattice lies, and which part of it somebody would have outlined.

    Attributes:
      lattice: (R, C) share of the lattice, 0..1.
      mask: (R, C) bool.
    """

    lattice: jax.Array
    mask: jax.Array


def develop(
    key: jax.Array, projected: jax.Array, other: jax.Array, px_nm: jax.Array, look: LookConfig
) -> tuple[jax.Array, jax.Array]:
    """Returns a micrograph, (R, C) whole grey levels 0..255, and its mask, (R, C) bool.

    Args:
      key: PRNG key.
      projected: (R, C) membrane along the beam, nm; R and C are multiples of 8.
      other: (R, C) likewise of another domain, which some pictures show in part.
      px_nm: () nm a pixel.
      look: ranges.
    """
    shape = (projected.shape[0], projected.shape[1])
    at = (jnp.arange(shape[0], dtype=jnp.float32), jnp.arange(shape[1], dtype=jnp.float32))
    size = jnp.float32(shape[0]), jnp.float32(shape[1])
    keys = iter(jax.random.split(key, 11))
    deck = Deck(next(keys), 64)
    mean, contrast = deck.uniform(look.mean), deck.log_uniform(look.contrast)
    projected = _with_other(next(keys), deck, projected, other, at, look)
    left = 1 - look.fade * deck.take() * jax.nn.sigmoid(2.5 * _smooth(next(keys), deck, at))
    region = _region(next(keys), deck, at, look)
    stroma = contrast * deck.uniform((-1.5, 1.5)) * jnp.ones(shape)
    pattern = jnp.where(
        region.lattice > 0,
        region.lattice * contrast * left * _transmitted(deck, projected, look),
        0.0,
    )
    grey = mean + pattern + (1 - region.lattice) * stroma
    grey = _with_drops(next(keys), grey, at, px_nm, contrast, look)
    ranges = _quality(look, contrast)
    shade_key, stain_key = next(keys), next(keys)
    slow = _smooth(shade_key, deck, at) * deck.uniform(look.shading)
    turn, slope = 2 * jnp.pi * deck.take(), look.slope * deck.take() / max(shape)
    leaning = slope * (at[0][:, None] * jnp.sin(turn) + at[1][None, :] * jnp.cos(turn))
    grey = grey + contrast * (slow + leaning - leaning.mean())
    noise, grain = micrograph.noise(next(keys), deck, at, contrast, ranges)
    grey = grey - contrast / 20 * marks.stain(stain_key, *at, size, grain, ranges)
    grey, empty = _with_edge(next(keys), grey, at, contrast, look)
    brightness = jnp.sqrt(jnp.clip(grey / mean, 0.1, 4.0))
    grey = grey + noise * (1 + deck.uniform(ranges.shot) * (brightness - 1))
    grey = grey + marks.scan_lines(next(keys), shape, ranges)
    return micrograph.digitised(deck, grey, ranges), region.mask & ~empty


def _quality(look: LookConfig, contrast: jax.Array) -> QualityConfig:
    """Returns the ranges of noise, stain and file."""
    return QualityConfig(
        noise=look.noise,
        noise_sd=(0.5, 40.0),
        coarse_share=(0.0, 0.4),
        blobs=look.specks,
        jpeg=look.jpeg,
        scan_lines=0.1,
    )


def _smooth(key: jax.Array, deck: Deck, at: _Coordinates) -> jax.Array:
    """Returns a normal field of unit variance that changes over a part of the picture, (R, C)."""
    finest = max(len(at[0]), len(at[1])) / 6
    scale = finest * deck.log_uniform((1.0, 5.0))
    return smooth_field(key, *at, (scale, scale), (finest, finest))


def _with_other(
    key: jax.Array,
    deck: Deck,
    projected: jax.Array,
    other: jax.Array,
    at: _Coordinates,
    look: LookConfig,
) -> jax.Array:
    """Returns a projection with another domain, beside it or at another depth of the section."""
    y, x = at[0][:, None] - len(at[0]) / 2, at[1][None, :] - len(at[1]) / 2
    turn, size = 2 * jnp.pi * deck.take(), min(len(at[0]), len(at[1]))
    away = x * jnp.cos(turn) + y * jnp.sin(turn) - size * deck.uniform((0.12, 0.45))
    border = away + size * 0.06 * _smooth(key, deck, at)
    beside = deck.chance(look.domains) * jax.nn.sigmoid(border / deck.uniform((1.0, 5.0)))
    overlaid = deck.chance(look.overlaid) * deck.uniform((0.1, 0.4))
    return projected + (beside + (1 - beside) * overlaid) * (other - projected)


def _transmitted(deck: Deck, projected: jax.Array, look: LookConfig) -> jax.Array:
    """Returns the electrons that pass, by Beer and Lambert, blurred; (R, C) of mean 0, sd 1."""
    most = jnp.maximum(projected.max(), 1e-3)
    passed = jnp.exp(-deck.log_uniform(look.absorption) / most * projected)
    sd = deck.uniform(look.blur)
    down, right = (_blur(n, sd) for n in passed.shape)
    passed = jnp.matmul(jnp.matmul(down, passed), right.T)
    return (passed - passed.mean()) / jnp.maximum(passed.std(), 1e-6)


def _blur(length: int, sd: jax.Array) -> jax.Array:
    """Returns the matrix of a Gaussian blur, (length, length), whose rows sum to 1."""
    place = jnp.arange(length)
    weights = jnp.exp(-0.5 * ((place[:, None] - place[None, :]) / sd) ** 2)
    return weights / weights.sum(axis=1, keepdims=True)


def _region(key: jax.Array, deck: Deck, at: _Coordinates, look: LookConfig) -> _Region:
    """Draws the outline of a lattice and a mask that follows it, not quite."""
    keys = jax.random.split(key, 2)
    half = jnp.array([len(at[0]) / 2, len(at[1]) / 2], jnp.float32)
    middle = half * (1 + deck.uniform((-0.2, 0.2), 2))
    axes = half * deck.uniform((0.65, 1.3), 2)
    y, x = at[0][:, None] - middle[0], at[1][None, :] - middle[1]
    turn, power = 2 * jnp.pi * deck.take(), deck.uniform((1.6, 5.0))
    along = jnp.abs(x * jnp.cos(turn) + y * jnp.sin(turn)) / axes[0]
    across = jnp.abs(y * jnp.cos(turn) - x * jnp.sin(turn)) / axes[1]
    radius = ((along + 1e-6) ** power + (across + 1e-6) ** power) ** (1 / power)
    wavy = deck.uniform((0.0, 0.15)) * _smooth(keys[0], deck, at)
    # About the distance to the outline, px.
    inside = (1 - radius + wavy) * axes.min()
    fine = smooth_field(keys[1], *at, (jnp.float32(3.0), jnp.float32(3.0)), (3.0, 3.0))
    margin = deck.uniform((-4.0, 2.0)) + deck.uniform(look.ragged) * fine
    bounded, masked = deck.chance(look.bounded), deck.chance(look.masked)
    lattice = jnp.where(bounded, jax.nn.sigmoid(inside / deck.uniform((1.0, 6.0))), 1.0)
    return _Region(lattice, jnp.where(masked, inside + margin > 0, True))


def _with_drops(
    key: jax.Array,
    grey: jax.Array,
    at: _Coordinates,
    px_nm: jax.Array,
    contrast: jax.Array,
    look: LookConfig,
) -> jax.Array:
    """Returns grey values with plastoglobules: round drops, dark, some with a lighter middle."""
    most = look.plastoglobules[1]
    deck = Deck(key, 6 * most + 1)
    exists = deck.some(look.plastoglobules)
    places = deck.take(2, most)
    radius = deck.log_uniform(look.plastoglobule_radius, most) / px_nm
    depth, lighter = contrast * deck.uniform((1.0, 4.0), most), deck.uniform((-0.5, 0.8), most)
    for i in range(most):
        y = at[0][:, None] - places[0, i] * len(at[0])
        x = at[1][None, :] - places[1, i] * len(at[1])
        away = radius[i] - jnp.hypot(y, x)
        disc, middle = jax.nn.sigmoid(away / 1.2), jax.nn.sigmoid((away - radius[i] / 2) / 2)
        covered = exists[i] * disc
        darkness = depth[i] * (1 - jnp.maximum(lighter[i], 0.0) * middle)
        # They displace the membranes in most of the section's thickness.
        grey = grey + 0.7 * covered * (grey.mean() - grey) - covered * darkness
    return grey


def _with_edge(
    key: jax.Array, grey: jax.Array, at: _Coordinates, contrast: jax.Array, look: LookConfig
) -> tuple[jax.Array, jax.Array]:
    """Returns grey values with the section's edge in some pictures, and where nothing lies."""
    deck = Deck(key, 6)
    y, x = at[0][:, None] - len(at[0]) / 2, at[1][None, :] - len(at[1]) / 2
    turn, size = 2 * jnp.pi * deck.take(), min(len(at[0]), len(at[1]))
    beyond = x * jnp.cos(turn) + y * jnp.sin(turn) - size * deck.uniform((0.15, 0.5))
    exists = deck.chance(look.edges)
    empty = grey.mean() + contrast * deck.uniform((2.0, 5.0))
    covered = jax.nn.sigmoid(beyond / deck.uniform((0.7, 3.0)))
    fringe = contrast * deck.uniform((0.0, 2.0)) * jnp.exp(-0.5 * (beyond / 2) ** 2)
    changed = grey + covered * (empty - grey) - fringe
    return jnp.where(exists, changed, grey), exists & (beyond > 0)
