"""Draws grana that look real, in px of the crop, by pure functions of a key."""

import functools

import jax
import jax.numpy as jnp
from flax import struct

from srd_jax.imaging.preparation import FRAME, MAX_ROWS
from srd_jax.synthetic import layers, negatives, outline, profile
from srd_jax.synthetic.config import GranaConfig
from srd_jax.synthetic.draws import Deck
from srd_jax.synthetic.layers import Layers
from srd_jax.synthetic.micrograph import develop
from srd_jax.synthetic.negatives import Disguise
from srd_jax.synthetic.outline import Outline

# White of a scale bar's border, and its width in px of the crop.
_BORDER_GREY, _BORDER_WIDTH = 255.0, 3.0
# Numbers folded into a crop's keys for its disguise and for the disguise's texture.
_DISGUISE, _TEXTURE = 2**31 - 1, 2**31 - 2
# The local period is averaged over every fourth row and column.
_SPARSE = 4


@struct.dataclass
class Granum:
    """One granum; lengths in px of the crop.

    Attributes:
      size: (2,) rows and columns of its crop, whole numbers.
      period: () nominal distance of its lamellae.
      layers: where its lamellae run.
      disguise: what the crop shows in place of the granum; None where all crops are grana.
      harmonics: of the profile across the lamellae, before blur.
      outline: of its mask.
      micrograph: PRNG key of noise, marks and file.
    """

    size: jax.Array
    period: jax.Array
    layers: Layers
    disguise: Disguise | None
    harmonics: jax.Array
    outline: Outline
    micrograph: jax.Array


def draw(key: jax.Array, config: GranaConfig) -> Granum:
    """Draws a granum whose nominal period, px of the frame, is uniform in its logarithm."""
    size_key, layer_key, profile_key, outline_key, micrograph_key = jax.random.split(key, 5)
    period, height, width = _draw_size(size_key, config)
    size = height, width
    found = layers.draw_layers(layer_key, period, size, config.layers)
    across = jnp.linspace(-0.5, 0.5, outline.SAMPLES) * width
    bend = layers.deflection(found, across)
    shown = None
    if config.negatives.share:
        disguise_key = jax.random.fold_in(key, _DISGUISE)
        shown, found = negatives.disguise(disguise_key, found, height, config.negatives)
    return Granum(
        size=jnp.stack(size),
        period=period,
        layers=found,
        disguise=shown,
        harmonics=profile.draw_profile(profile_key, config.profile),
        outline=outline.draw_outline(outline_key, size, period, bend, config.outline),
        micrograph=micrograph_key,
    )


def _draw_size(key: jax.Array, config: GranaConfig) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Draws the period and the rows and columns of the crop, px of the crop."""
    deck = Deck(key, 3)
    frame_period = deck.log_uniform(config.frame_period)
    # Rows that the frame shows, at the shortest and at the longest period of the crop.
    least, most = (FRAME[0] * end / frame_period for end in config.period)
    tallest = jnp.where(most >= MAX_ROWS, config.rows[1], most)
    low, high = jnp.clip(least, *config.rows), jnp.clip(tallest, *config.rows)
    height = jnp.floor(low * (high / low) ** deck.take())
    period = frame_period * jnp.minimum(height, MAX_ROWS) / FRAME[0]
    # Grana are about as wide as high, up to six times.
    low, high = jnp.clip(0.8 * height, *config.columns), jnp.clip(6.5 * height, *config.columns)
    return period, height, jnp.floor(low * (high / low) ** deck.take())


def paint(
    granum: Granum, rows: jax.Array, columns: jax.Array, config: GranaConfig
) -> tuple[jax.Array, jax.Array]:
    """Paints a part of a granum's crop.

    Args:
      granum: to paint.
      rows: (R,) coordinates of pixels, px from the upper edge of the crop; R is a multiple of 8.
      columns: (C,) likewise from the left edge.
      config: ranges of the micrograph's quality.

    Returns:
      (R, C) float32 whole grey levels 0..255, 0 outside of the mask, and the mask, (R, C) bool.
    """
    found, (height, width) = granum.layers, granum.size
    deck_key, micrograph_key = jax.random.split(granum.micrograph)
    deck = Deck(deck_key, 3)
    defocus = deck.uniform(config.quality.defocus)
    harmonics = profile.blurred(granum.harmonics, defocus, granum.period)
    phase = layers.phase(found, rows - height / 2, columns - width / 2)
    if (shown := granum.disguise) is not None:
        texture_key = jax.random.fold_in(micrograph_key, _TEXTURE)
        phase = negatives.phase(texture_key, shown, phase, rows, columns)
        harmonics *= shown.kind != negatives.BLANK
    grey = develop(
        micrograph_key,
        profile.light(harmonics, phase),
        (rows, columns),
        (height, width),
        granum.period,
        config.quality,
    )
    distances = outline.hole_distances(granum.outline, rows, columns)
    for bordered, distance in zip(granum.outline.bordered, distances, strict=True):
        grey = jnp.where((bordered > 0) & (distance < _BORDER_WIDTH), _BORDER_GREY, grey)
    wide = outline.inside(granum.outline, _one_more(rows), _one_more(columns))
    mask = wide[1:-1, 1:-1]
    rim = deck.chance(config.outline.rim) * deck.uniform(config.outline.rim_darkness)
    return jnp.where(mask, jnp.round(grey * (1 - rim * ~_interior(wide))), 0.0), mask


def _one_more(coordinates: jax.Array) -> jax.Array:
    """Returns coordinates with the pixel before and the one after them."""
    return jnp.concatenate([coordinates[:1] - 1, coordinates, coordinates[-1:] + 1])


def _interior(wide: jax.Array) -> jax.Array:
    """Returns the pixels of a mask whose four neighbours are in it, an erosion of the mask.

    Args:
      wide: (R + 2, C + 2) bool, the mask with one more pixel on each side.

    Returns:
      (R, C) bool.
    """
    rows, columns = (size - 2 for size in wide.shape)
    sides = ((1, 1), (0, 1), (2, 1), (1, 0), (1, 2))
    return functools.reduce(
        jnp.logical_and, (wide[y : y + rows, x : x + columns] for y, x in sides)
    )


def mean_period(granum: Granum, mask: jax.Array, rows: jax.Array, columns: jax.Array) -> jax.Array:
    """Returns the mean distance of adjacent lamellae over the masked area, () px of the crop.

    It is the area divided by the integral of the phase's gradient. So every distance counts once,
    as if somebody measured along lines across the lamellae and divided by the number of layers. The
    nominal period is returned for a disguise, and where no pixel of the part is inside of the mask.

    Args:
      granum: a part of it was painted.
      mask: (R, C) of that part.
      rows: (R,) coordinates of its pixels, px from the upper edge of the crop.
      columns: (C,) likewise from the left edge.
    """
    height, width = granum.size
    sparse = mask[::_SPARSE, ::_SPARSE]
    local = layers.local_period(
        granum.layers, rows[::_SPARSE] - height / 2, columns[::_SPARSE] - width / 2
    )
    layers_seen = jnp.sum(sparse / local)
    known = layers_seen > 0
    if granum.disguise is not None:
        known &= granum.disguise.kind == negatives.GRANUM
    return jnp.where(known, jnp.sum(sparse) / layers_seen, granum.period)
