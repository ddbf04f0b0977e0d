"""Tiles of one striped ellipse each on noise: a quick stand-in for drawn micrographs."""

import functools

import jax
import jax.numpy as jnp

from srd_jax.synthetic.scenes.batch import STRIDE, Tiles


def render(key, batch, size, config=None):
    """Tiles as `synthetic.scenes.render.render` makes them; the config is of no matter."""
    return jax.vmap(functools.partial(_tile, size=size))(jax.random.split(key, batch))


def _tile(key, size):
    place, shape, turn, period_key, noise = jax.random.split(key, 5)
    centre = size * jax.random.uniform(place, (2,), minval=0.4, maxval=0.6)
    radii = size * jax.random.uniform(shape, (2,), minval=0.2, maxval=0.35)
    angle = jax.random.uniform(turn, (), maxval=jnp.pi)
    period = jax.random.uniform(period_key, (), minval=6.0, maxval=12.0)
    fine = jnp.arange(size, dtype=jnp.float32)
    inside, phase = _ellipse(fine, centre, radii, angle, period)
    grey = jnp.where(inside, jnp.cos(phase), 0.3) + 0.3 * jax.random.normal(noise, (size, size))
    coarse = STRIDE * jnp.arange(size // STRIDE, dtype=jnp.float32) + (STRIDE - 1) / 2
    granum, _ = _ellipse(coarse, centre, radii, angle, period)
    # Lamellae of direction d, counter-clockwise as seen, rows down.
    maps = [
        jnp.where(granum, value, 0.0) for value in (1.0, jnp.cos(2 * angle), jnp.sin(2 * angle))
    ]
    log_period = jnp.where(granum, jnp.log(period), 0.0)
    every = jnp.ones_like(granum)
    return Tiles(grey, granum, every, *maps, log_period, every)


def _ellipse(grid, centre, radii, angle, period):
    """Whether each point lies in the ellipse, and the phase of the stripes there."""
    down, right = grid[:, None] - centre[0], grid[None, :] - centre[1]
    along = right * jnp.cos(angle) - down * jnp.sin(angle)
    across = right * jnp.sin(angle) + down * jnp.cos(angle)
    inside = (along / radii[0]) ** 2 + (across / radii[1]) ** 2 < 1
    return inside, 2 * jnp.pi * across / period
