"""Renders training batches: parts of scenes at the working scale, with the truth of each pixel."""

import dataclasses
import functools

import jax
import jax.numpy as jnp

from srd_jax.support.compiling import over_images
from srd_jax.synthetic.draws import Deck
from srd_jax.synthetic.scenes.batch import GREY_LIMIT, REACH_NM, STRIDE, WORKING_PX_PER_NM, Tiles
from srd_jax.synthetic.scenes.config import ScenesConfig
from srd_jax.synthetic.scenes.develop import develop
from srd_jax.synthetic.scenes.scene import Picture, Scene, blur_at, blurred, draw_scene, paint

# Fewest thylakoids of a granum; thinner stacks count for neither side.
LEAST_LAYERS = 4
# Grana that a part may show.
_NEAREST = 14
# Shares of parts around a granum, around a mitochondrion or Golgi stack, and anywhere.
_AT_GRANUM, _AT_BODY = 0.75, 0.15
# A pixel belongs to the border, nm: outlines are no sharper.
_UNSURE_NM = 4.0
# Beyond this share of the period as the blur's sd, less than 17 % of the contrast is left.
_COARSE = 0.3
# Changes of a part's grey values, because its percentiles aren't its micrograph's.
_GAIN, _OFFSET = 0.35, 0.35
# Shares of parts from coarser pictures, of all and of those where no lamellae can be seen, and the
# sd of the blur by their interpolation, px.
_ENLARGED, _COARSE_ENLARGED, _INTERPOLATION = 0.2, 0.8, (0.5, 1.4)


def render(key: jax.Array, size: int, side: int, config: ScenesConfig) -> Tiles:
    """Returns a batch of parts of drawn micrographs; the same key gives the same bits.

    Args:
      key: PRNG key.
      size: number of parts.
      side: rows and columns of a part, px of the working scale, a multiple of 8.
      config: ranges.
    """
    one = functools.partial(_tile, side=side, config=config)
    return over_images(jax.vmap(one), jax.random.split(key, size))


def _tile(key: jax.Array, side: int, config: ScenesConfig) -> Tiles:
    scene_key, place_key, paint_key, develop_key, grey_key = jax.random.split(key, 5)
    scene = draw_scene(scene_key, config)
    scale = jnp.float32(WORKING_PX_PER_NM)
    row, column = _place(place_key, scene, side, config)
    rows = row + jnp.arange(side, dtype=jnp.float32)
    columns = column + jnp.arange(side, dtype=jnp.float32)
    middle = (column + side / 2) / scale, (row + side / 2) / scale
    shown = paint(paint_key, _near(scene, middle), rows, columns, scale)
    whole = jnp.float32(4 * side)
    grey, noise = develop(
        develop_key,
        shown.grey,
        (rows, columns),
        (whole, whole),
        scale,
        scene.noise_contrast,
        config,
    )
    deck = Deck(grey_key, 5)
    # Pictures coarser than the working scale are interpolated, which blurs their noise: of white
    # noise, a Gaussian that is wide beside a pixel leaves 1 / (2 sqrt(pi) sd).
    coarse = is_coarse(scene, scale)
    enlarged = deck.chance(_ENLARGED) | (coarse & deck.chance(_COARSE_ENLARGED))
    sd = deck.uniform(_INTERPOLATION) * enlarged
    grey, noise = blurred(grey, sd), noise / jnp.sqrt(1 + 4 * jnp.pi * sd**2)
    gain = jnp.exp(deck.uniform((-_GAIN, _GAIN)))
    image = levelled(grey, percentiles(grey)) * gain + deck.uniform((-_OFFSET, _OFFSET))
    return _with_truth(image, truth(shown, noise, coarse, config, scale))


def percentiles(grey: jax.Array) -> jax.Array:
    """Returns the 2nd, 50th and 98th percentile of grey values, (3,)."""
    # Of every fourth pixel: sorting is slow.
    return jnp.percentile(grey[::4, ::4], jnp.array([2.0, 50.0, 98.0]))


def levelled(grey: jax.Array, levels: jax.Array) -> jax.Array:
    """Returns grey values with their percentiles at about -1, 0 and 1; clipped at GREY_LIMIT.

    Args:
      grey: any shape, any unit.
      levels: (3,) 2nd, 50th and 98th percentile.
    """
    half = jnp.maximum((levels[2] - levels[0]) / 2, 1e-3)
    return jnp.clip((grey - levels[1]) / half, -GREY_LIMIT, GREY_LIMIT)


def _place(
    key: jax.Array, scene: Scene, side: int, config: ScenesConfig
) -> tuple[jax.Array, jax.Array]:
    """Returns the first row and column of a part, px from the middle of the micrograph."""
    deck = Deck(key, 8)
    kind, pick = deck.take(), deck.take()
    grana, bodies = scene.stacks, scene.surroundings.bodies
    at = jnp.where(grana.exists > 0, 0.0, -jnp.inf).at[0].max(-20.0)
    granum = jax.random.categorical(jax.random.fold_in(key, 1), at)
    # Those with stripes come first.
    body = jnp.floor(pick**3 * bodies.x.shape[0]).astype(jnp.int32)
    anywhere = deck.uniform((-1.0, 1.0), 2) * config.long_axis[1]
    x = jnp.where(kind < _AT_GRANUM, grana.x[granum], anywhere[0])
    y = jnp.where(kind < _AT_GRANUM, grana.y[granum], anywhere[1])
    beside = (kind >= _AT_GRANUM) & (kind < _AT_GRANUM + _AT_BODY)
    x, y = jnp.where(beside, bodies.x[body], x), jnp.where(beside, bodies.y[body], y)
    # From the coordinates before the compression to the micrograph's.
    (a, b), (_, d) = scene.squeeze
    x, y = d * x - b * y, a * y - b * x
    moved = deck.uniform((-0.5, 0.5), 2) * side
    column, row = jnp.stack([x, y]) * WORKING_PX_PER_NM + moved - side / 2
    return jnp.round(row), jnp.round(column)


def _near(scene: Scene, middle: tuple[jax.Array, jax.Array]) -> Scene:
    """Returns a scene with the grana nearest to a place alone, for speed."""
    x, y = middle
    grana = scene.stacks
    here_x = scene.squeeze[0, 0] * x + scene.squeeze[0, 1] * y
    here_y = scene.squeeze[1, 0] * x + scene.squeeze[1, 1] * y
    reach = jnp.hypot(grana.width, grana.height) / 2
    away = jnp.hypot(grana.x - here_x, grana.y - here_y) - reach + 1e6 * (grana.exists == 0)
    _, nearest = jax.lax.top_k(-away, _NEAREST)
    return dataclasses.replace(scene, stacks=jax.tree.map(lambda values: values[nearest], grana))


def is_coarse(scene: Scene, px_per_nm: jax.Array) -> jax.Array:
    """Tells whether a micrograph is so coarse or unsharp that no lamellae can be seen, () bool."""
    return blur_at(scene, px_per_nm) > _COARSE * jnp.median(scene.stacks.period)


def truth(
    shown: Picture,
    noise: jax.Array,
    coarse: jax.Array,
    config: ScenesConfig,
    px_per_nm: jax.Array,
) -> dict[str, jax.Array]:
    """Returns the truth of each pixel, by the names of `Tiles`, (R, C) each.

    Args:
      shown: drawn part.
      noise: () sd of the noise, grey levels.
      coarse: () bool, whether lamellae can't be seen anywhere.
      config: ranges.
      px_per_nm: () scale of the part.
    """
    granum = (shown.number >= 0) & (shown.layers >= LEAST_LAYERS)
    thin = (shown.number >= 0) & ~granum
    # At finer scales, more pixels show a stripe.
    finer = jnp.minimum(WORKING_PX_PER_NM / px_per_nm, 1.0)
    readable = granum & (shown.amplitude >= config.visible * noise * finer)
    # Lamellae that can't be seen anywhere: grana are dark blocks then.
    block = granum & coarse & (-shown.shade >= config.dark * noise * finer)
    unsure = jnp.abs(shown.depth) < _UNSURE_NM
    care = ~thin & ~(granum & ~readable & ~block) & ~unsure & ~shown.near
    return {
        "granum": granum,
        "care": care,
        "distance": jnp.clip(shown.depth / REACH_NM, 0.0, 1.0) * granum,
        "cosine": shown.cosine * granum,
        "sine": shown.sine * granum,
        "log_period": jnp.log(jnp.clip(shown.period * px_per_nm, 1.0, 100.0)) * granum,
        "readable": readable,
    }


def _with_truth(image: jax.Array, fine: dict[str, jax.Array]) -> Tiles:
    """Returns the image with the truth at every STRIDE-th pixel; of masks, of most of its block."""
    coarse = {name: values[::STRIDE, ::STRIDE] for name, values in fine.items()}
    for name in ("granum", "care"):
        blocks = fine[name].reshape(
            fine[name].shape[0] // STRIDE, STRIDE, fine[name].shape[1] // STRIDE, STRIDE
        )
        coarse[name] = blocks.mean((1, 3)) >= 0.5
    return Tiles(image=image, **coarse)
