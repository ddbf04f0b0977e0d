"""Draws random numbers and smooth random fields from a key."""

import math

import jax
import jax.numpy as jnp

# Standard deviation of the Gaussian around each node of a smooth field, in distances of nodes: wide
# enough that the grid of the nodes can't be seen.
_BUMP = 0.7


class Deck:
    """Random numbers for one part of an image, drawn at once and dealt one after the other.

    Drawing many numbers from one key costs compiler and device about as much as drawing one.
    """

    def __init__(self, key: jax.Array, size: int):
        """Draws `size` numbers, uniform between 0 and 1."""
        # Without the barrier, XLA would draw them anew for every use.
        self._numbers = jax.lax.optimization_barrier(jax.random.uniform(key, (size,)))
        self._dealt = 0

    def take(self, *shape: int) -> jax.Array:
        """Returns the next numbers, uniform between 0 and 1, in an array of that shape.

        Raises:
          IndexError: more numbers are taken than were drawn.
        """
        start, self._dealt = self._dealt, self._dealt + math.prod(shape)
        if self._dealt > self._numbers.shape[0]:
            raise IndexError(f"{self._dealt} numbers taken of {self._numbers.shape[0]}")
        return self._numbers[start : self._dealt].reshape(shape)

    def uniform(self, within: tuple[float, float], *shape: int) -> jax.Array:
        """Returns numbers uniform in a range."""
        return within[0] + self.take(*shape) * (within[1] - within[0])

    def log_uniform(self, within: tuple[float, float], *shape: int) -> jax.Array:
        """Returns numbers uniform in their logarithm in a range above 0."""
        low, high = math.log(within[0]), math.log(within[1])
        return jnp.exp(low + self.take(*shape) * (high - low))

    def chance(self, share: float, *shape: int) -> jax.Array:
        """Returns True with a probability of `share`."""
        return self.take(*shape) < share

    def sign(self, *shape: int) -> jax.Array:
        """Returns -1 or 1, float32, with equal probability."""
        return jnp.where(self.take(*shape) < 0.5, -1.0, 1.0)

    def parts(self, count: int) -> jax.Array:
        """Returns numbers of 0 or more that sum to 1, (count,), uniform among all such."""
        lengths = -jnp.log1p(-self.take(count))
        return lengths / jnp.maximum(lengths.sum(), 1e-9)

    def some(self, count: tuple[int, int]) -> jax.Array:
        """Returns ones for a random number of entries and then zeros, float32.

        Args:
          count: fewest and most ones; their number is uniform between them.

        Returns:
          (count[1],).
        """
        number = jnp.floor(self.uniform((count[0], count[1] + 1)))
        return (jnp.arange(count[1]) < number).astype(jnp.float32)


def smooth_field(
    key: jax.Array,
    rows: jax.Array,
    columns: jax.Array,
    scale: tuple[jax.Array, jax.Array],
    finest: tuple[float, float],
) -> jax.Array:
    """Returns a normal random field of unit variance, (R, C), smooth over a given length.

    Independent normal values lie on a grid of nodes. Each pixel is their sum, weighted by a
    Gaussian around the pixel, divided by the root of the sum of the squared weights.

    Args:
      key: PRNG key.
      rows: (R,) rising coordinates of the rows, px.
      columns: (C,) likewise of the columns.
      scale: distance of the nodes along rows and columns, px.
      finest: least distance of the nodes along rows and columns, px; sets their number.
    """
    down = _weights(rows, scale[0], finest[0])
    right = _weights(columns, scale[1], finest[1])
    nodes = jax.random.normal(key, (down.shape[1], right.shape[1]))
    return down @ nodes @ right.T


def _weights(coordinates: jax.Array, scale: jax.Array, finest: float) -> jax.Array:
    """Returns the weight of each node for each coordinate, (coordinates, nodes)."""
    nodes = int(coordinates.shape[0] / finest) + 6
    first = jnp.floor(coordinates[0] / scale) - 2
    distance = coordinates[:, None] / scale - (first + jnp.arange(nodes))[None, :]
    weights = jnp.exp(-0.5 * (distance / _BUMP) ** 2)
    return weights / jnp.linalg.norm(weights, axis=1, keepdims=True)
