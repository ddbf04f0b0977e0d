"""Defines the network of cubic membranes: it reads a picture and its spectrum.

The spectrum is read around the ring of its directions, so that a turned picture has the same
answer, turned. The picture itself adds the same to all directions.
"""

import itertools
import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx, struct

from srd_jax.networks import modules
from srd_jax.networks.convolution import max_pool, relu
from srd_jax.networks.layers import Convolution, WholeGroupNorm
from srd_jax.networks.ring import Neighbours, RingConvolution
from srd_jax.tasks.surfaces import grid, spectrum
from srd_jax.tasks.surfaces.config import ModelConfig

# Numbers that are estimated with an sd, in the order of `Prediction.log_sd`.
NUMBERS = ("log_cell", "fraction", "turn", "tilt")
# Logarithm of the sds of an untrained network, and how far they can go from there.
_LOG_SD, _LOG_SD_REACH = (-1.2, -2.0, -2.5, -2.5), 4.0
# Keeps the gradient of a root finite.
_LEAST_SQUARE = 1e-4
_INITIAL_FRACTION = math.log(0.3 / 0.7)


@struct.dataclass
class Prediction:
    """The network's answers at all cells of the grid, (B, T, M) of turns and axes.

    The numbers of a cell are those of a surface whose kind and orientation are the cell's.

    Attributes:
      logit: of the probability.
      log_cell: natural logarithm of the cell a, px.
      fraction: of the volume, see `targets.told_fraction`; 0..1.
      offset: (B, T, M, 3) from the cell of the grid, see `grid.Grid.rotation`.
      log_sd: (B, T, M, 4) natural logarithms of the sds of NUMBERS; turn and tilt in radians, tilt
        of each of its two components.
    """

    logit: jax.Array
    log_cell: jax.Array
    fraction: jax.Array
    offset: jax.Array
    log_sd: jax.Array


class _SpectrumLevel(nnx.Module):
    """Two convolutions, the second one added to the first; then pairs of radii become channels."""

    def __init__(self, channels_in: int, channels: int, group: int, *, rngs: nnx.Rngs):
        self.first = RingConvolution(channels_in, channels, rngs=rngs)
        self.first_norm = WholeGroupNorm(channels, group)
        self.second = RingConvolution(channels, channels, rngs=rngs)
        self.second_norm = WholeGroupNorm(channels, group)

    def __call__(self, features: jax.Array) -> jax.Array:
        features = relu(self.first_norm(self.first(features)))
        features = relu(features + self.second_norm(self.second(features)))
        # No maximum: where a peak lies between the radii tells the cell.
        rows = features.shape[1] // 2
        pairs = features.reshape(features.shape[0], rows, 2, *features.shape[2:])
        return jnp.concatenate([pairs[:, :, 0], pairs[:, :, 1]], axis=-1)


class _ImageLevel(nnx.Module):
    """A convolution, and but at the first level a second one that is added to it."""

    def __init__(self, channels_in: int, channels: int, group: int, *, rngs: nnx.Rngs):
        self.first = Convolution(channels_in, channels, rngs=rngs)
        self.first_norm = WholeGroupNorm(channels, group)
        self.residual = channels_in > 2
        if self.residual:
            self.second = Convolution(channels, channels, rngs=rngs)
            self.second_norm = WholeGroupNorm(channels, group)

    def __call__(self, features: jax.Array) -> jax.Array:
        features = relu(self.first_norm(self.first(features)))
        if not self.residual:
            return features
        return relu(features + self.second_norm(self.second(features)))


class _Context(nnx.Module):
    """Adds to the features at a direction something of those at two others."""

    def __init__(self, channels: int, distance: int, group: int, *, rngs: nnx.Rngs):
        self.others = Neighbours(channels, channels, distance, rngs=rngs)
        self.norm = WholeGroupNorm(channels, group)

    def __call__(self, features: jax.Array) -> jax.Array:
        return relu(features + _normalised(self.norm, self.others(features)))


class SurfacesNet(nnx.Module):
    """Reads pictures of cubic membranes; the result is `Prediction`."""

    def __init__(self, config: ModelConfig, *, rngs: nnx.Rngs):
        """Draws the parameters."""
        self.config = config
        turns, group, hidden = config.grid.turns, config.group, config.hidden
        inputs = (2, *(2 * number for number in config.spectrum_channels))
        self.spectrum = nnx.List(
            _SpectrumLevel(a, b, group, rngs=rngs)
            for a, b in zip(inputs[:-1], config.spectrum_channels, strict=True)
        )
        flat = config.radii // 2 ** len(config.spectrum_channels) * inputs[-1]
        self.narrow = nnx.Linear(flat, hidden, rngs=rngs)
        self.narrow_norm = WholeGroupNorm(hidden, group)
        channels = (2, *config.image_channels)
        self.image = nnx.List(
            _ImageLevel(a, b, group, rngs=rngs) for a, b in itertools.pairwise(channels)
        )
        self.whole = nnx.Linear(2 * channels[-1], hidden, rngs=rngs)
        # Together, these reach around the whole ring.
        distances = [1]
        while 2 * sum(distances) + 1 < turns:
            distances.append(2 * distances[-1])
        self.context = nnx.List(_Context(hidden, d, group, rngs=rngs) for d in distances)
        self.axes = len(grid.make(config.grid).kind)
        small = nnx.initializers.normal(0.02)
        self.logit = nnx.Linear(hidden, self.axes, kernel_init=small, rngs=rngs)
        self.numbers = nnx.Linear(hidden, 9 * self.axes, kernel_init=small, rngs=rngs)
        first = (math.log(config.initial_cell), _INITIAL_FRACTION, 0.0, 0.0, 0.0)
        first += (0.0,) * len(NUMBERS)
        self.numbers.bias = nnx.Param(jnp.tile(jnp.asarray(first, jnp.float32), self.axes))

    def __call__(self, image: jax.Array, mask: jax.Array) -> Prediction:
        """Returns the answers for a batch.

        Args:
          image: (B, R, C) grey values as `synthetic.surfaces.batch.standardised` returns them.
          mask: (B, R, C) bool.
        """
        features = self._of_directions(image, mask)
        features = features + self.whole(self._of_picture(image, mask))[:, None]
        features = relu(_normalised(self.narrow_norm, features))
        for layer in self.context:
            features = layer(features)
        logit = self.logit(features)
        numbers = self.numbers(features).reshape(*logit.shape, 9)
        reach = _LOG_SD_REACH * jnp.tanh(numbers[..., 5:] / _LOG_SD_REACH)
        return Prediction(
            logit,
            numbers[..., 0],
            jax.nn.sigmoid(numbers[..., 1]),
            numbers[..., 2:5],
            reach + jnp.asarray(_LOG_SD)[None, None, None],
        )

    def _of_directions(self, image: jax.Array, mask: jax.Array) -> jax.Array:
        """Returns features of the spectrum at each direction, (B, T, hidden)."""
        config = self.config
        power = spectrum.polar(image, mask, config.wavelengths, config.radii, config.grid.turns)
        features = spectrum.features(power)
        for level in self.spectrum:
            features = level(features)
        features = jnp.swapaxes(features, 1, 2)
        return self.narrow(features.reshape(*features.shape[:2], -1))

    def _of_picture(self, image: jax.Array, mask: jax.Array) -> jax.Array:
        """Returns mean and root mean square of the features, (B, 2 · channels)."""
        seen = mask.astype(image.dtype)[..., None]
        features = _halved(jnp.concatenate([image[..., None], seen], axis=-1))
        seen = max_pool(seen, (2, 2))
        for number, level in enumerate(self.image):
            if number:
                features, seen = max_pool(features, (2, 2)), max_pool(seen, (2, 2))
            features = level(features)
        both = jnp.concatenate([features, jnp.square(features)], axis=-1) * seen
        mean = jnp.sum(both, axis=(1, 2)) / jnp.maximum(jnp.sum(seen, axis=(1, 2)), 1.0)
        first, second = jnp.split(mean, 2, axis=-1)
        return jnp.concatenate([first, jnp.sqrt(second + _LEAST_SQUARE)], axis=-1)


def _halved(image: jax.Array) -> jax.Array:
    """Returns means over 2 × 2 px, (B, R // 2, C // 2, channels)."""
    rows, columns = (n // 2 * 2 for n in image.shape[1:3])
    corners = [image[:, i:rows:2, j:columns:2] for i in range(2) for j in range(2)]
    return sum(corners[1:], corners[0]) / 4


def _normalised(norm: WholeGroupNorm, features: jax.Array) -> jax.Array:
    """Returns normalised features of places in a row, (B, places, channels)."""
    return norm(features[:, None])[:, 0]


Apply = Callable[[modules.Parameters, jax.Array, jax.Array], Prediction]


def as_function(config: ModelConfig) -> Apply:
    """Returns the network of a config as a pure function of parameters, pictures and masks."""
    return modules.as_function(_builder(config))


def parameter_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of all parameters of a config's network by name."""
    return modules.parameter_shapes(_builder(config))


def random_parameters(config: ModelConfig, key: jax.Array) -> dict[str, jax.Array]:
    """Returns random parameters of a config's network by name."""
    return modules.parameters_of(SurfacesNet(config, rngs=nnx.Rngs(key)))


def _builder(config: ModelConfig) -> Callable[[], SurfacesNet]:
    return lambda: SurfacesNet(config, rngs=nnx.Rngs(0))
