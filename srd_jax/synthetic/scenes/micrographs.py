"""Draws whole micrographs with the truth of each granum, for evaluation and demonstration."""

import dataclasses
import functools
import json

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.support.compiling import jit
from srd_jax.support.fields import from_dict, to_json
from srd_jax.synthetic.draws import Deck
from srd_jax.synthetic.marks import BLOCK
from srd_jax.synthetic.scenes import render
from srd_jax.synthetic.scenes.config import ScenesConfig
from srd_jax.synthetic.scenes.develop import develop
from srd_jax.synthetic.scenes.scene import draw_scene, paint

# A granum counts as readable if so much of it is, and at all if it covers so many nm².
_READABLE, _LEAST_NM2 = 0.6, 4000.0


@dataclasses.dataclass(frozen=True)
class DrawnGranum:
    """The truth of a granum on a drawn micrograph.

    Attributes:
      number: its value in the label image.
      direction_deg: of its lamellae, counter-clockwise from the horizontal as seen, 0..180.
      period_px: mean distance of its lamellae, as if somebody counted them over its area.
      layers: number of its thylakoids.
      certain: whether most of it is readable and it has enough layers; others count for neither
        side.
      touches_border: whether it reaches the border of the micrograph.
    """

    number: int
    direction_deg: float
    period_px: float
    layers: int
    certain: bool
    touches_border: bool


@dataclasses.dataclass(frozen=True)
class DrawnMicrograph:
    """A drawn micrograph.

    Attributes:
      grey: (rows, columns) uint8.
      px_per_nm: scale.
      labels: (rows, columns) uint16, number of the granum at each pixel; 0 for none.
      grana: in the order of their numbers.
      strain: relative stretch of lengths along one axis by the knife, 0 for none.
    """

    grey: np.ndarray
    px_per_nm: float
    labels: np.ndarray
    grana: tuple[DrawnGranum, ...]
    strain: float


def draw(seed: int, config: ScenesConfig | None = None) -> DrawnMicrograph:
    """Draws a micrograph; the same seed gives the same bits."""
    made = jax.device_get(_compiled(to_json(config or ScenesConfig()))(jax.random.key(seed)))
    labels, grana = _grana(made)
    return DrawnMicrograph(
        made["grey"].astype(np.uint8), float(made["scale"]), labels, grana, float(made["strain"])
    )


@functools.cache
def _compiled(config: str):
    """Returns the compiled drawing of a config, given as JSON because configs can't be hashed."""
    return jit(functools.partial(_draw, config=from_dict(ScenesConfig, json.loads(config))))


def _draw(key: jax.Array, config: ScenesConfig) -> dict[str, jax.Array]:
    scene_key, deck_key, paint_key, develop_key = jax.random.split(key, 4)
    scene, deck = draw_scene(scene_key, config), Deck(deck_key, 4)
    scale = deck.log_uniform(config.px_per_nm)
    rows, columns = (-(-length // BLOCK) * BLOCK for length in config.size)
    # Coarse pictures show all of a chloroplast, fine ones a part of it.
    off = deck.uniform((-0.3, 0.3), 2) * config.long_axis[0] * scale
    at = (
        jnp.round(off[0]) + jnp.arange(rows, dtype=jnp.float32) - rows / 2,
        jnp.round(off[1]) + jnp.arange(columns, dtype=jnp.float32) - columns / 2,
    )
    shown = paint(paint_key, scene, *at, scale)
    size = jnp.float32(rows), jnp.float32(columns)
    grey, noise = develop(develop_key, shown.grey, at, size, scale, scene.noise_contrast, config)
    return {
        "grey": grey,
        "scale": scale,
        "number": shown.number,
        "layers": scene.stacks.layers,
        "strain": jnp.linalg.eigvalsh(scene.squeeze).max() - 1,
        "nm": shown.period,
        **render.truth(shown, noise, render.is_coarse(scene, scale), config, scale),
        # Thin stacks, which count for neither side, have a direction, too.
        "cosine": shown.cosine,
        "sine": shown.sine,
    }


def _grana(made: dict[str, np.ndarray]) -> tuple[np.ndarray, tuple[DrawnGranum, ...]]:
    """Returns the label image and the truth of each granum."""
    numbers, scale = made["number"], float(made["scale"])
    labels, grana = np.zeros(numbers.shape, np.uint16), []
    for index in np.unique(numbers[numbers >= 0]):
        here = numbers == index
        if here.sum() < _LEAST_NM2 * scale**2:
            continue
        number = len(grana) + 1
        labels[here] = number
        steep = (1 / made["nm"][here]).mean()
        thick = int(made["layers"][index])
        cosine, sine = made["cosine"][here].mean(), made["sine"][here].mean()
        edges = (here[0], here[-1], here[:, 0], here[:, -1])
        grana.append(
            DrawnGranum(
                number=number,
                direction_deg=float(np.rad2deg(np.arctan2(sine, cosine)) / 2 % 180),
                period_px=float(scale / steep),
                layers=thick,
                certain=bool(
                    thick >= render.LEAST_LAYERS and made["readable"][here].mean() >= _READABLE
                ),
                touches_border=any(bool(edge.any()) for edge in edges),
            )
        )
    return labels, tuple(grana)
