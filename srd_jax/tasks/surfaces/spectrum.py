"""The spectrum of a picture at directions and wavelengths, in which lattices are peaks.

When the picture is turned, the spectrum moves along its directions; when the lattice grows, along
its wavelengths, which are even in the logarithm. Where the lattice lies doesn't matter.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

# Of the power of noise of the picture's variance, added before the logarithm.
_FLOOR = 0.3
_LEAST = 1e-6


def polar(
    image: jax.Array,
    mask: jax.Array,
    wavelengths: tuple[float, float],
    radii: int,
    directions: int,
) -> jax.Array:
    """Returns the power of waves in a picture, (B, radii, directions).

    A picture of independent noise has 1 on average.

    Args:
      image: (B, R, C) grey values.
      mask: (B, R, C) bool, of the pixels that count.
      wavelengths: shortest and longest, px; the radii go from the longest to the shortest.
      radii: even in the logarithm.
      directions: of the waves, over half a turn, counter-clockwise as seen, the first to the right.
    """
    rows, columns = image.shape[-2:]
    window = mask * jnp.asarray(_taper(rows)[None, :, None] * _taper(columns)[None, None, :])
    flat = window * _without_plane(image, window)
    right, down = _waves(rows, columns, wavelengths, radii, directions)
    real = jnp.einsum("brc,cp->brp", flat, jnp.asarray(right), precision="high")
    # The product with the waves down the rows: (a + ib)(c + id).
    a, b = jnp.split(real, 2, axis=-1)
    c, d = jnp.split(jnp.asarray(down), 2, axis=-1)
    real = jnp.sum(a * c[None] - b * d[None], axis=1)
    imaginary = jnp.sum(a * d[None] + b * c[None], axis=1)
    # Noise of variance s² has the power s² Σ w² at every wave.
    expected = jnp.sum(flat**2, axis=(1, 2))
    power = (real**2 + imaginary**2) / jnp.maximum(expected, _LEAST)[:, None]
    return power.reshape(-1, radii, directions)


def features(power: jax.Array) -> jax.Array:
    """Returns powers as a network reads them, (B, radii, directions, 2).

    These are the logarithm, and the amplitude over that of the strongest wave.
    """
    strongest = jnp.max(power, axis=(1, 2), keepdims=True)
    shares = jnp.sqrt(power / jnp.maximum(strongest, _LEAST))
    return jnp.stack([jnp.log(power + _FLOOR) / 2, 2 * shares], axis=-1)


def _taper(length: int) -> np.ndarray:
    """Returns half a sine wave, (length,), with zeros just outside."""
    return np.sin(np.pi * (np.arange(length) + 0.5) / length).astype(np.float32)


@functools.cache
def _waves(
    rows: int, columns: int, wavelengths: tuple[float, float], radii: int, directions: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns cosines and sines of the waves, (columns, 2 P) and (rows, 2 P), P = all waves."""
    shortest, longest = wavelengths
    number = 2 * np.pi / np.geomspace(longest, shortest, radii)[:, None]
    turn = np.arange(directions)[None, :] * np.pi / directions
    # y points down.
    right, down = (number * np.cos(turn)).reshape(-1), (-number * np.sin(turn)).reshape(-1)

    def of(length: int, number: np.ndarray) -> np.ndarray:
        phase = (np.arange(length) - (length - 1) / 2)[:, None] * number
        return np.concatenate([np.cos(phase), np.sin(phase)], axis=1).astype(np.float32)

    return of(columns, right), of(rows, down)


def _without_plane(image: jax.Array, window: jax.Array) -> jax.Array:
    """Returns grey values without their weighted mean and slopes, (B, R, C)."""
    rows, columns = image.shape[-2:]
    y = jnp.broadcast_to(jnp.linspace(-1, 1, rows)[:, None], (rows, columns))
    x = jnp.broadcast_to(jnp.linspace(-1, 1, columns)[None, :], (rows, columns))
    plane = jnp.stack([jnp.ones_like(x), x, y])
    weighted = jnp.einsum("brc,irc->birc", window, plane, precision="highest")
    normal = jnp.einsum("birc,jrc->bij", weighted, plane, precision="highest")
    given = jnp.einsum("birc,brc->bi", weighted, image, precision="highest")
    # A mask of a few pixels has no slopes.
    steady = normal + _LEAST * rows * columns * jnp.eye(3)[None]
    found = jnp.linalg.solve(steady, given[..., None])[..., 0]
    return image - jnp.einsum("bi,irc->brc", found, plane, precision="highest")
