"""Renders striped images on the device by pure functions of a key.

Grey levels, periods, noise and clean rectangles are those of GRANA (Bukat, Bukowicki et al. 2025,
Plant Physiology kiaf212), but periods are real numbers, edges anti-aliased and noise clipped.
"""

import jax
import jax.numpy as jnp

from srd_jax.networks.receptive_field import Geometry, Size
from srd_jax.synthetic.batch import Batch
from srd_jax.synthetic.config import StripesConfig

# Ranges of the grey levels of dark and light stripes, 0..255.
_DARK, _LIGHT = (0.0, 100.0), (156.0, 255.0)


def render(
    key: jax.Array, size: int, frame: Size, config: StripesConfig, geometry: Geometry
) -> Batch:
    """Returns a batch of striped images; the same key gives the same bits.

    Args:
      key: PRNG key.
      size: number of images.
      frame: rows and columns of the frame, px.
      config: ranges.
      geometry: of the encoder; clean rectangles are receptive fields of it.

    Raises:
      InputError: the frame does not align.
    """
    geometry.grid(*frame)
    keys = jax.random.split(key, size)
    image, period = jax.vmap(lambda k: _image(k, frame, config, geometry))(keys)
    return Batch(image=image, mask=jnp.ones((size, *frame), bool), target=period)


def _image(
    key: jax.Array, frame: Size, config: StripesConfig, geometry: Geometry
) -> tuple[jax.Array, jax.Array]:
    """Returns one image, grey value 0..1, and its period in px of the frame."""
    shape_key, grain_key, noise_key, clean_key = jax.random.split(key, 4)
    period, light_fraction, phase = _uniform(
        shape_key, (config.period, config.light_fraction, (0.0, 1.0))
    )
    light = light_cover(frame[0], period, light_fraction, phase)[:, None]
    low = _DARK[0] + light * (_LIGHT[0] - _DARK[0])
    high = _DARK[1] + light * (_LIGHT[1] - _DARK[1])
    grey = low + jax.random.uniform(grain_key, frame) * (high - low)
    if config.noise_sd[1] > 0:
        sd_key, field_key = jax.random.split(noise_key)
        (sd,) = _uniform(sd_key, (config.noise_sd,))
        noise = sd * jax.random.normal(field_key, frame)
        clean = clean_rectangles(clean_key, frame, config.clean_rectangles, geometry)
        grey = jnp.clip(grey + jnp.where(clean, 0.0, noise), 0.0, 255.0)
    return grey / 255.0, period


def light_cover(
    rows: int, period: jax.Array, light_fraction: jax.Array, phase: jax.Array
) -> jax.Array:
    """Returns the share of each row of pixels that light stripes cover, (rows,) in 0..1.

    It is the exact mean over each row of a square wave: 1 on [0, light_fraction) of a cycle, 0 on
    the rest.

    Args:
      rows: number of rows.
      period: () px.
      light_fraction: () share of a cycle that is light.
      phase: () position of the wave at the top edge, cycles.
    """

    def light_until(cycles):
        whole = jnp.floor(cycles)
        return whole * light_fraction + jnp.minimum(cycles - whole, light_fraction)

    edges = phase + jnp.arange(rows + 1, dtype=jnp.float32) / period
    return jnp.clip(jnp.diff(jax.vmap(light_until)(edges)) * period, 0.0, 1.0)


def clean_rectangles(
    key: jax.Array, frame: Size, count: tuple[int, int], geometry: Geometry
) -> jax.Array:
    """Returns the union of receptive fields at random positions of the grid, (rows, columns) bool.

    Args:
      key: PRNG key.
      frame: rows and columns, px.
      count: fewest and most rectangles; their number is uniform between them.
      geometry: of the encoder.
    """
    number_key, place_key = jax.random.split(key)
    number = jax.random.randint(number_key, (), count[0], count[1] + 1)
    inside = []
    for axis, positions in enumerate(geometry.grid(*frame)):
        place = jax.random.randint(jax.random.fold_in(place_key, axis), (count[1],), 0, positions)
        start = place[:, None] * geometry.stride[axis]
        pixel = jnp.arange(frame[axis])[None, :]
        inside.append((pixel >= start) & (pixel < start + geometry.receptive_field[axis]))
    drawn = (jnp.arange(count[1]) < number)[:, None]
    return jnp.any((inside[0] & drawn)[:, :, None] & inside[1][:, None, :], axis=0)


def _uniform(key: jax.Array, ranges: tuple[tuple[float, float], ...]) -> jax.Array:
    """Returns one uniform value from each range."""
    low, high = jnp.array(ranges, jnp.float32).T
    return low + jax.random.uniform(key, low.shape) * (high - low)
