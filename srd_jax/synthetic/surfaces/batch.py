"""Draws batches of pictures of cubic membranes with the truth of each."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from srd_jax.support.compiling import over_images
from srd_jax.synthetic.surfaces.config import SurfacesConfig
from srd_jax.synthetic.surfaces.develop import develop
from srd_jax.synthetic.surfaces.names import KINDS
from srd_jax.synthetic.surfaces.projection import SAMPLES, Surface, project
from srd_jax.synthetic.surfaces.scene import draw_displacement, draw_surface

# Grey values farther from the mean, in sds, are clipped.
_GREY_LIMIT = 4.0


@struct.dataclass
class Pictures:
    """Pictures of cubic membranes and their truth.

    Attributes:
      image: (B, R, C) grey values of mean 0 and sd 1 inside of the mask, 0 outside.
      mask: (B, R, C) bool.
      kind: (B,) number of the kind of surface in `names.KINDS`.
      surface: the slabs, with a leading axis B.
      fraction: (B,) of the volume with f above c.
      px_nm: (B,) nm a pixel.
    """

    image: jax.Array
    mask: jax.Array
    kind: jax.Array
    surface: Surface
    fraction: jax.Array
    px_nm: jax.Array

    @property
    def log_cell_px(self) -> jax.Array:
        """The natural logarithm of the cell in px, (B,)."""
        return jnp.log(self.surface.cell / self.px_nm)


def draw_pictures(
    key: jax.Array,
    config: SurfacesConfig,
    count: int,
    shape: tuple[int, int],
    samples: int = SAMPLES,
) -> Pictures:
    """Draws a batch; the kinds take turns.

    Args:
      key: PRNG key.
      config: ranges.
      count: of pictures.
      shape: rows and columns, multiples of 8.
      samples: along the beam, see `projection.project`.
    """
    grey, masks, truth = draw_grey(key, config, count, shape, samples)
    return dataclasses.replace(truth, image=standardised(grey, masks), mask=masks)


def draw_grey(
    key: jax.Array,
    config: SurfacesConfig,
    count: int,
    shape: tuple[int, int],
    samples: int = SAMPLES,
) -> tuple[jax.Array, jax.Array, Pictures]:
    """Draws micrographs, (B, R, C) whole grey levels 0..255, masks and their truth.

    Args: see `draw_pictures`.
    """
    turns = [config.kinds[i % len(config.kinds)] for i in range(count)]
    keys = jax.random.split(key, (count, 3))
    groups, order = [], []
    for kind in dict.fromkeys(turns):
        members = [i for i, one in enumerate(turns) if one == kind]
        groups.append(_drawn(keys[np.array(members)], kind, config, shape, samples))
        order += members
    places = np.argsort(order)
    projected, others, truth = jax.tree.map(lambda *parts: jnp.concatenate(parts)[places], *groups)
    developed = jax.vmap(functools.partial(develop, look=config.look))
    grey, masks = developed(keys[:, 2], projected, others, truth.px_nm)
    return grey, masks, truth


def _drawn(
    keys: jax.Array, kind: str, config: SurfacesConfig, shape: tuple[int, int], samples: int
) -> tuple[jax.Array, jax.Array, Pictures]:
    """Returns projections of one kind, those of other domains, (B, R, C) nm, and the truth."""

    def one(keys: jax.Array) -> tuple[jax.Array, Pictures]:
        drawn, fraction, px_nm = draw_surface(keys[0], kind, config)
        moved = draw_displacement(keys[1], drawn.cell, px_nm, shape, config)
        projected = project(kind, drawn, px_nm, shape, samples, displacement=moved)
        number, empty = jnp.int32(KINDS.index(kind)), jnp.zeros((0,))
        return projected, Pictures(empty, empty, number, drawn, fraction, px_nm)

    projected, truth = over_images(jax.vmap(one), keys)
    # Another picture's lattice stands in for a neighbouring domain.
    return projected, jnp.roll(projected, 1, axis=0), truth


def standardised(grey: jax.Array, mask: jax.Array) -> jax.Array:
    """Returns grey values of mean 0 and sd 1 inside of a mask, clipped, and 0 outside.

    Args:
      grey: (…, R, C).
      mask: (…, R, C) bool.
    """
    axes = (-2, -1)
    number = jnp.maximum(mask.sum(axes, keepdims=True), 1)
    mean = jnp.where(mask, grey, 0.0).sum(axes, keepdims=True) / number
    away = jnp.where(mask, grey - mean, 0.0)
    sd = jnp.sqrt((away**2).sum(axes, keepdims=True) / number)
    return jnp.clip(away / jnp.maximum(sd, 1e-3), -_GREY_LIMIT, _GREY_LIMIT)
