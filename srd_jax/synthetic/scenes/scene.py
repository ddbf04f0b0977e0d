"""Composes scenes around grana: everything in nm, drawn at any pixels of any scale."""

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct

from srd_jax.synthetic.draws import Deck
from srd_jax.synthetic.scenes import chloroplasts, stacks, stripes, stroma, surroundings
from srd_jax.synthetic.scenes.chloroplasts import GLOBULI, MOST, STARCH
from srd_jax.synthetic.scenes.config import ScenesConfig

# Sd of the blur by a pixel's area, with some of the optics', px.
_PIXEL_BLUR = 0.4
# Thylakoids that go on belong to a granum for so long, nm, if a person likes.
_UNCLEAR_NM = 20.0


@struct.dataclass
class Scene:
    """A scene; the shape is () unless said otherwise.

    Attributes:
      chloroplasts, stacks, stroma, surroundings: see their modules.
      mean: grey value of the stroma.
      contrast: amplitude of the grana's stripes, grey levels.
      membrane: sd of a membrane's dark line, nm.
      apart: distance of a thylakoid's two membranes, nm; 0 where they don't lie apart.
      blur: sd of the microscope's blur, nm.
      noise_contrast: what the noise is measured by, grey levels.
      inclusions: (MOST, GLOBULI + STARCH, 5) u, level, half length, half width, grey value over the
        stroma.
      squeeze: (2, 2) from the micrograph's coordinates to those before the knife's compression.
    """

    chloroplasts: chloroplasts.Chloroplasts
    stacks: stacks.Stacks
    stroma: stroma.Stroma
    surroundings: surroundings.Surroundings
    mean: jax.Array
    contrast: jax.Array
    membrane: jax.Array
    apart: jax.Array
    blur: jax.Array
    noise_contrast: jax.Array
    inclusions: jax.Array
    squeeze: jax.Array


@struct.dataclass
class Picture:
    """A drawn part of a scene before noise; (R, C) each.

    Attributes:
      grey: grey levels.
      number: of the granum, -1 for none.
      depth: distance to its outline, nm.
      layers: number of its thylakoids.
      amplitude: of its stripes after the blur, grey levels.
      cosine, sine: of twice the lamellae's direction, counter-clockwise as seen.
      period: distance of the lamellae, nm of the micrograph.
      near: bool, whether lamellae go on so near that a person couldn't tell the border, or starch
        or a plastoglobulus lies over a granum.
      shade: grey value of the granum over the stroma's, grey levels.
    """

    grey: jax.Array
    number: jax.Array
    depth: jax.Array
    layers: jax.Array
    amplitude: jax.Array
    cosine: jax.Array
    sine: jax.Array
    period: jax.Array
    near: jax.Array
    shade: jax.Array


def draw_scene(key: jax.Array, config: ScenesConfig) -> Scene:
    """Draws a scene around the origin."""
    keys = jax.random.split(key, 8)
    deck = Deck(keys[0], 32 + 5 * MOST * (GLOBULI + STARCH))
    found = chloroplasts.draw_chloroplasts(keys[1], config)
    mean, contrast = deck.uniform(config.mean), deck.log_uniform(config.stacks.stripes)
    period = deck.uniform(config.stacks.period)
    density = deck.uniform(config.stacks.density) * ~deck.chance(config.without)
    placed = []
    for number in range(MOST):
        one = jax.tree.map(lambda values, n=number: values[n], found)
        here = chloroplasts.places(jax.random.fold_in(keys[2], number), one)
        _, _, depth = chloroplasts.coordinates(one, here.x, here.y)
        placed.append(dataclasses.replace(here, exists=density * one.exists * (depth > 80.0)))
    places = jax.tree.map(lambda *parts: jnp.concatenate(parts), *placed)
    grana = stacks.draw_stacks(keys[3], places, period, contrast, config.stacks)
    coarse = deck.chance(config.coarse)
    # Grana whose lamellae can't be seen are told by their grey value alone.
    darker = jnp.where(coarse, -contrast * deck.uniform((0.8, 3.0)), 0.0)
    grana = dataclasses.replace(grana, shade=jnp.minimum(grana.shade, darker))
    between = stroma.draw_stroma(keys[5], contrast, period, config)
    even = jnp.where(coarse, 0.4, 1.0)
    apart = deck.chance(config.stacks.apart) * deck.uniform((0.2, 0.38)) * period
    strain, axis = config.strain * deck.take() * deck.chance(0.5), jnp.pi * deck.take()
    return Scene(
        chloroplasts=found,
        stacks=grana,
        stroma=dataclasses.replace(between, grain=between.grain * even),
        surroundings=surroundings.draw_surroundings(keys[4], mean, contrast, config),
        mean=mean,
        contrast=contrast,
        membrane=deck.uniform(config.stacks.membrane),
        apart=apart,
        blur=jnp.where(coarse, deck.uniform(config.coarse_blur), deck.log_uniform(config.defocus)),
        noise_contrast=contrast * even,
        inclusions=_draw_inclusions(deck, found, contrast),
        squeeze=_squeeze(strain, axis),
    )


def _draw_inclusions(
    deck: Deck, found: chloroplasts.Chloroplasts, contrast: jax.Array
) -> jax.Array:
    count = GLOBULI + STARCH
    starch = jnp.arange(count) >= GLOBULI
    size = jnp.where(
        starch,
        deck.log_uniform((90.0, 380.0), MOST, count),
        deck.log_uniform((12.0, 55.0), MOST, count),
    )
    exists = deck.take(MOST, count) < jnp.where(starch, 0.25, 0.5)[None, :]
    size = size * exists
    u = deck.uniform((-0.85, 0.85), MOST, count) * found.long[:, None]
    level = deck.uniform((-0.8, 0.8), MOST, count) * found.short[:, None]
    flip = jnp.arange(count) % 5 == 4
    value = jnp.where(starch, 2.5, jnp.where(flip, 1.5, -3.0)) * contrast
    width = size * jnp.where(starch, 0.6, 0.95)[None, :]
    return jnp.stack([u, level, size, width, jnp.broadcast_to(value[None, :], u.shape)], -1)


def _squeeze(strain: jax.Array, axis: jax.Array) -> jax.Array:
    """Returns the symmetric matrix of determinant 1 that stretches by 1 + strain along an axis."""
    cosine, sine = jnp.cos(axis), jnp.sin(axis)
    turn = jnp.array([[cosine, -sine], [sine, cosine]])
    scale = jnp.array([1 + strain, 1 / (1 + strain)])
    return (turn * scale[None, :]) @ turn.T


def blur_at(scene: Scene, px_per_nm: jax.Array) -> jax.Array:
    """Returns the sd of the blur by the microscope and by the pixels' area, () nm."""
    return jnp.hypot(scene.blur, _PIXEL_BLUR / px_per_nm)


def blurred(grey: jax.Array, sd: jax.Array) -> jax.Array:
    """Returns grey values, (R, C), under a Gaussian of an sd, () px; mirrored beyond the edges."""
    rows, columns = (jnp.pi * jnp.arange(n, dtype=jnp.float32) / n for n in grey.shape)
    # A Gaussian's Fourier transform is one, and a cosine transform mirrors at the edges.
    left = jnp.exp(-(sd**2) * (rows[:, None] ** 2 + columns[None, :] ** 2) / 2)
    return jax.scipy.fft.idctn(jax.scipy.fft.dctn(grey, norm="ortho") * left, norm="ortho")


def paint(
    key: jax.Array,
    scene: Scene,
    rows: jax.Array,
    columns: jax.Array,
    px_per_nm: jax.Array,
) -> Picture:
    """Paints a part of a scene, blurred by the microscope but without noise.

    Args:
      key: PRNG key of the textures.
      scene: to paint.
      rows: (R,) coordinates of pixels from the middle of the micrograph, px, y down.
      columns: (C,) likewise, x right.
      px_per_nm: () scale.
    """
    # The pixels' area blurs what is painted; the microscope, the whole picture.
    optics, whole = scene.blur, blur_at(scene, px_per_nm)
    scene = dataclasses.replace(scene, blur=_PIXEL_BLUR / px_per_nm)
    keys = jax.random.split(key, 6)
    right = jnp.broadcast_to(columns[None, :] / px_per_nm, (rows.shape[0], columns.shape[0]))
    down = jnp.broadcast_to(rows[:, None] / px_per_nm, right.shape)
    x = scene.squeeze[0, 0] * right + scene.squeeze[0, 1] * down
    y = scene.squeeze[1, 0] * right + scene.squeeze[1, 1] * down
    at = rows, columns
    around = surroundings.paint(keys[0], scene.surroundings, x, y, at, px_per_nm, scene.blur)
    interior = chloroplasts.locate(keys[1], scene.chloroplasts, x, y, at)
    place = stacks.locate(scene.stacks, x, y)
    place = dataclasses.replace(place, depth=jnp.minimum(place.depth, interior.depth - 25.0))
    shown = stripes.show(scene.stacks, place, scene.membrane, scene.apart, scene.blur, whole)
    between = stroma.paint(
        keys[2], scene.stroma, interior, shown, at, px_per_nm, scene.membrane, scene.blur
    )
    grey = scene.mean + jnp.where(shown.inside, shown.light, between)
    grey, covered = _with_inclusions(scene, interior, x, y, grey)
    grey = jnp.where(interior.depth > 0, grey, around)
    wide = jnp.hypot(3.0, scene.blur)
    for depth in (0.0, 18.0):  # the envelope's two membranes
        away = (interior.depth - depth) / wide
        grey = grey - 1.3 * scene.contrast * 3.0 / wide * jnp.exp(-(away**2) / 2)
    across = scene.squeeze[1, 0] * shown.down + scene.squeeze[0, 0] * shown.right
    below = scene.squeeze[1, 1] * shown.down + scene.squeeze[0, 1] * shown.right
    steep = across**2 + below**2
    # Lamellae run at right angles to the gradient (across, below), y down: their direction is
    # (-below, across), so twice its angle, counter-clockwise as seen, has this cosine and sine.
    safe = jnp.maximum(steep, 1e-12)
    return Picture(
        grey=blurred(grey, optics * px_per_nm),
        number=shown.number,
        depth=shown.depth,
        layers=shown.layers,
        amplitude=shown.amplitude,
        cosine=(below**2 - across**2) / safe,
        sine=2 * across * below / safe,
        period=1 / jnp.sqrt(safe),
        near=(~shown.inside & (shown.beside > 0.3) & (shown.depth > -_UNCLEAR_NM))
        | (shown.inside & (covered > 0.5)),
        shade=shown.shade,
    )


def _with_inclusions(
    scene: Scene,
    interior: chloroplasts.Interior,
    x: jax.Array,
    y: jax.Array,
    grey: jax.Array,
) -> tuple[jax.Array, jax.Array]:
    """Returns grey values with plastoglobuli and starch over them, and how far these cover them."""
    every = scene.inclusions.reshape(-1, 5)

    def one(number, drawn):
        grey, covered = drawn
        parent = jax.tree.map(
            lambda values: values[number // (GLOBULI + STARCH)], scene.chloroplasts
        )
        u, level, length, width, value = every[number]
        cosine, sine = jnp.cos(parent.turn), jnp.sin(parent.turn)
        centre_x = parent.x + u * cosine - level * sine
        centre_y = parent.y + u * sine + level * cosine
        along = (x - centre_x) * cosine + (y - centre_y) * sine
        across = (y - centre_y) * cosine - (x - centre_x) * sine
        depth = length - jnp.hypot(along, across * length / jnp.maximum(width, 1.0))
        share = jax.nn.sigmoid(depth / jnp.maximum(scene.blur, 2.0)) * (length > 0)
        grey = grey + share * (scene.mean + value - grey)
        return grey, jnp.maximum(covered, share)

    return jax.lax.fori_loop(0, every.shape[0], one, (grey, jnp.zeros_like(grey)))
