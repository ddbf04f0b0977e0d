"""Pictures of cubic membranes of known parameters, as regions of micrographs."""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.analysis.surfaces.region import Region
from srd_jax.synthetic.surfaces import projection, rotations
from srd_jax.synthetic.surfaces.fractions import level_of_fraction

NM_PER_PX = 2.5


@functools.cache
def rendered(kind, hkl=(1.0, 0.2, 0.8), cell=78.0, fraction=0.3, side=96, in_plane=0.4):
    """Grey values of a slab without noise, dark membranes, of sd 1, and its rotation."""
    rotation = rotations.from_hkl(jnp.array(hkl, jnp.float32), in_plane)
    level = float(level_of_fraction(kind, jnp.float32(fraction)))
    slab = projection.surface(cell, rotation, level, (0.1, 0.3, 0.7), ((0.0, 7.0),), 70.0, 2.0)
    draw = jax.jit(projection.project, static_argnums=(0, 3, 4))
    grey = -np.asarray(draw(kind, slab, jnp.float32(NM_PER_PX), (side, side), 24))
    return (grey - grey.mean()) / grey.std(), np.asarray(rotation)


def region(grey, noise=0.0, seed=0, nm_per_px=NM_PER_PX):
    """A region of grey values 0..255 with white noise of an sd in those of the pattern."""
    noisy = grey + noise * np.random.default_rng(seed).normal(size=grey.shape)
    grey = (128 + 20 * noisy).astype(np.float32)
    corners = (0, 0, grey.shape[1], grey.shape[0])
    return Region("whole", corners, grey, np.ones(grey.shape, bool), nm_per_px)


def stripes(side=96, period=11.0):
    at = np.arange(side)
    return np.sqrt(2) * np.sin(2 * np.pi * (0.8 * at[:, None] + 0.6 * at[None, :]) / period)
