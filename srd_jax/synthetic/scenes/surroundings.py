"""Draws what lies around chloroplasts: cytoplasm, mitochondria, Golgi, walls, vacuoles, vesicles.

Mitochondria, Golgi stacks and cell walls have stripes that are no grana. Lengths in nm.
"""

import jax
import jax.numpy as jnp
from flax import struct

from srd_jax.synthetic.draws import Deck, smooth_field
from srd_jax.synthetic.scenes.config import ScenesConfig

MITOCHONDRIA, GOLGI, VESICLES = 4, 2, 20
_TURN = 2 * jnp.pi
# Half lengths of mitochondria, Golgi stacks and vesicles.
_LENGTHS = (250.0, 700.0), (150.0, 450.0), (18.0, 110.0)


@struct.dataclass
class Bodies:
    """Bodies with stripes or a membrane; (K,) each.

    Attributes:
      exists: 1 or 0.
      x, y, turn: centre and direction, radians.
      long, short: half axes.
      spacing: of the stripes inside.
      waviness: of the stripes, nm.
      level: grey value inside, grey levels over the surroundings.
      dark: of the stripes, grey levels; negative for light ones.
    """

    exists: jax.Array
    x: jax.Array
    y: jax.Array
    turn: jax.Array
    long: jax.Array
    short: jax.Array
    spacing: jax.Array
    waviness: jax.Array
    level: jax.Array
    dark: jax.Array


@struct.dataclass
class Surroundings:
    """What lies around chloroplasts.

    Attributes:
      bodies: mitochondria, then Golgi stacks, then vesicles.
      wall: (6,) existence, direction of its normal, offset, half thickness, grey value, stripes.
      far: grey value beyond the wall.
      vacuole: (4,) existence, direction of its normal, offset, grey value.
      cytoplasm: (3,) grey value, sd of its texture, scale of it, nm.
    """

    bodies: Bodies
    wall: jax.Array
    far: jax.Array
    vacuole: jax.Array
    cytoplasm: jax.Array


def draw_surroundings(
    key: jax.Array, mean: jax.Array, contrast: jax.Array, config: ScenesConfig
) -> Surroundings:
    """Draws the surroundings around the origin.

    Args:
      key: PRNG key.
      mean: () grey value of the stroma.
      contrast: () amplitude of the grana's stripes, grey levels.
      config: ranges.
    """
    count = MITOCHONDRIA + GOLGI + VESICLES
    deck = Deck(key, 16 * count + 40)
    kind = jnp.array([0] * MITOCHONDRIA + [1] * GOLGI + [2] * VESICLES)
    reach = config.long_axis[1] * 1.1
    long = _of_kind(kind, [deck.log_uniform(within, count) for within in _LENGTHS])
    short = long * _of_kind(
        kind, [deck.uniform(w, count) for w in ((0.45, 1.0), (0.2, 0.5), (0.8, 1.0))]
    )
    spacing = _of_kind(kind, [deck.uniform(w, count) for w in ((45.0, 130.0), (34.0, 60.0))] * 2)
    bodies = Bodies(
        exists=(deck.take(count) < jnp.array([0.7, 0.5, 0.8])[kind]).astype(jnp.float32),
        x=deck.uniform((-reach, reach), count),
        y=deck.uniform((-reach, reach), count),
        turn=_TURN * deck.take(count),
        long=long,
        short=short,
        spacing=spacing,
        waviness=deck.uniform((0.1, 0.9), count) * spacing,
        level=contrast * deck.uniform((-2.2, 0.8), count),
        dark=contrast * deck.uniform((0.5, 2.0), count) * jnp.where(deck.chance(0.6, count), 1, -1),
    )
    far = mean + config.spread * deck.uniform((-1.0, 3.0))
    normal = _TURN * deck.take()
    wall = jnp.stack(
        [
            deck.chance(0.5).astype(jnp.float32),
            normal,
            deck.uniform((0.4, 1.1)) * reach,
            deck.log_uniform((60.0, 350.0)),
            mean + config.spread * deck.uniform((-2.0, 2.0)),
            contrast * deck.uniform((0.0, 1.2)),
        ]
    )
    vacuole = jnp.stack(
        [
            deck.chance(0.6).astype(jnp.float32),
            normal + deck.uniform((2.0, 4.3)),
            deck.uniform((0.4, 1.1)) * reach,
            mean + config.spread * deck.uniform((-0.3, 3.2)),
        ]
    )
    cytoplasm = jnp.stack(
        [
            mean + config.spread * deck.uniform((-1.0, 2.2)),
            contrast * deck.uniform((0.1, 1.0)),
            deck.log_uniform((18.0, 45.0)),
        ]
    )
    return Surroundings(bodies, wall, far, vacuole, cytoplasm)


def _of_kind(kind: jax.Array, values: list[jax.Array]) -> jax.Array:
    return jnp.choose(kind, values[:3], mode="clip")


def paint(
    key: jax.Array,
    here: Surroundings,
    x: jax.Array,
    y: jax.Array,
    at: tuple[jax.Array, jax.Array],
    px_per_nm: jax.Array,
    blur: jax.Array,
) -> jax.Array:
    """Returns the grey values of the surroundings, (R, C), grey levels.

    Args:
      key: PRNG key of the textures.
      here: surroundings.
      x, y: (R, C) of the pixels, nm.
      at: rising coordinates of rows and columns, px.
      px_per_nm: () scale.
      blur: () sd of the microscope's blur, nm.
    """
    keys = jax.random.split(key, 4)
    level, roughness, scale = here.cytoplasm
    fine = jnp.maximum(scale * px_per_nm, 4.0)
    dots = smooth_field(keys[0], *at, (fine, fine), (4.0, 4.0))
    clouds = smooth_field(keys[1], *at, (5 * fine, 5 * fine), (20.0, 20.0))
    # Ribosomes: dark dots that crowd in clouds.
    grey = level - roughness * (1.2 * jax.nn.relu(dots + 0.5 * clouds) + 0.4 * clouds)
    fibres = smooth_field(keys[2], *at, (3 * fine, 3 * fine), (12.0, 12.0))
    bent = smooth_field(keys[3], *at, (600 * px_per_nm, 600 * px_per_nm), (60.0, 60.0))
    grey = _bodies(here.bodies, grey, x, y, fibres, blur)
    exists, normal, offset, value = here.vacuole
    inside = x * jnp.cos(normal) + y * jnp.sin(normal) - offset + 60 * bent
    grey = jnp.where((exists > 0) & (inside > 0), value, grey)
    edge = jnp.exp(-((inside / jnp.hypot(4.0, blur)) ** 2) / 2) * exists
    grey = grey - 1.2 * roughness * edge
    exists, normal, offset, half, value, stripes = here.wall
    beyond = x * jnp.cos(normal) + y * jnp.sin(normal) - offset + 40 * bent
    grey = jnp.where((exists > 0) & (beyond > half), here.far, grey)
    # Microfibrils run along the wall at uneven distances.
    layers = jnp.sin(_TURN * beyond / 45.0 + 2.5 * fibres + 3 * bent)
    within = (exists > 0) & (jnp.abs(beyond) < half)
    return jnp.where(within, value + stripes * layers, grey)


def _bodies(
    bodies: Bodies,
    grey: jax.Array,
    x: jax.Array,
    y: jax.Array,
    fibres: jax.Array,
    blur: jax.Array,
) -> jax.Array:
    """Returns grey values with mitochondria, Golgi stacks and vesicles over them."""
    wide = jnp.hypot(3.5, blur)

    def one(number, grey):
        here = jax.tree.map(lambda values: values[number], bodies)
        cosine, sine = jnp.cos(here.turn), jnp.sin(here.turn)
        u = (x - here.x) * cosine + (y - here.y) * sine
        v = (y - here.y) * cosine - (x - here.x) * sine
        radius = jnp.hypot(u / here.long, v / here.short) + 0.04 * fibres
        depth = (1 - radius) * here.short
        golgi = (number >= MITOCHONDRIA) & (number < MITOCHONDRIA + GOLGI)
        # Cisternae are curved and thin; cristae reach in from the envelope and end.
        curved = v - golgi * 0.35 * u**2 / here.long + here.waviness * fibres
        away = curved - here.spacing * jnp.round(curved / here.spacing)
        thick = jnp.where(golgi, 6.0, 5.0 + 0.06 * here.spacing)
        line = jnp.exp(-((away / jnp.hypot(thick, blur)) ** 2) / 2)
        present = jnp.where(golgi, 1.0, jax.nn.sigmoid(6 * (fibres - 0.2)))
        striped = number < MITOCHONDRIA + GOLGI
        shown = here.level * ~golgi - here.dark * line * present * striped
        # Two membranes around a mitochondrion, one around a vesicle, none around a Golgi stack.
        double = 16.0 * (number < MITOCHONDRIA)
        rim = jnp.exp(-((depth / wide) ** 2) / 2)
        rim += jnp.exp(-(((depth - double) / wide) ** 2) / 2) * (double > 0)
        darkest = jnp.abs(here.dark) * ~golgi
        here_too = (here.exists > 0) & (depth > -3 * wide)
        drawn = jnp.where(depth > 0, grey + shown, grey) - darkest * rim
        return jnp.where(here_too, drawn, grey)

    return jax.lax.fori_loop(0, bodies.x.shape[0], one, grey)
