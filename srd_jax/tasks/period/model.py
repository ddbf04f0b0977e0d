"""Defines the SRD network: a convolutional encoder, attention pools and regressors."""

import math
from collections.abc import Callable
from typing import Protocol

import jax
import jax.numpy as jnp
from flax import nnx, struct

from srd_jax.networks import modules
from srd_jax.networks.convolution import add_bias, convolve, max_pool, relu
from srd_jax.tasks.period.config import EncoderConfig, ModelConfig

# Below this number of periods in the receptive field, the regressor's output is bent to stay
# positive. So only periods above four times the field's height are affected.
_FEWEST_PERIODS = 0.25

# Approximate sd that an untrained network predicts, px of the frame.
_INITIAL_SD = 10.0

# A smaller spread of untrained features is rounding, as on blank images, and isn't rescaled.
_LEAST_SD = 1e-6

# By default, accelerators multiply float32 matrices in fewer bits. Full precision is cheap in the
# small pools and regressors.
_FLOAT32 = jax.lax.Precision.HIGHEST


@struct.dataclass
class Prediction:
    """The network's prediction for a batch.

    Attributes:
      period: (B,) float32, px of the frame.
      sd: (B,) float32, px of the frame; None without the confidence branch.
      attention: (B, pools, heads, rows, columns) float32, which sums to 1 over the grid of
        positions; pools are (period,) or (period, sd). None unless asked for.
    """

    period: jax.Array
    sd: jax.Array | None = None
    attention: jax.Array | None = None


class _Convolution(nnx.Module):
    """A VALID convolution with bias."""

    def __init__(self, channels_in: int, channels_out: int, size: int, *, rngs: nnx.Rngs):
        """Draws kernel and bias uniformly from ±1/√fan_in."""
        bound = 1.0 / math.sqrt(size * size * channels_in)

        def draw(*shape):
            return jax.random.uniform(rngs.params(), shape, minval=-bound, maxval=bound)

        self.kernel = nnx.Param(draw(size, size, channels_in, channels_out))
        self.bias = nnx.Param(draw(channels_out))

    def __call__(self, image: jax.Array, pool: tuple[int, int] = (1, 1)) -> jax.Array:
        """Returns (B, rows, columns, channels_out) in the image's type, after a max-pool."""
        kernel, bias = (p[...].astype(image.dtype) for p in (self.kernel, self.bias))
        # The bias of a channel doesn't change where its maximum lies, and there is less to add to.
        return add_bias(max_pool(convolve(image, kernel), pool), bias)


class ConvEncoder(nnx.Module):
    """Blocks of VALID convolutions and a max-pool, with dropout at the end.

    ReLU stands only between the convolutions of a block.
    """

    def __init__(self, config: EncoderConfig, *, rngs: nnx.Rngs):
        """Builds the layers of a config."""
        self.blocks = config.blocks
        self.convolutions = nnx.List()
        channels = 1
        for block in config.blocks:
            for _ in range(block.convolutions):
                self.convolutions.append(
                    _Convolution(channels, config.channels, block.kernel, rngs=rngs)
                )
                channels = config.channels
        self.dropout = nnx.Dropout(config.dropout)

    def __call__(self, image: jax.Array, key: jax.Array | None = None) -> jax.Array:
        """Returns the features at each position of the grid, (B, rows, columns, channels).

        Args:
          image: (B, frame rows, frame columns), normalised.
          key: of the dropout; None switches it off.
        """
        features = image[..., None]
        layers = iter(self.convolutions)
        for block in self.blocks:
            for position in range(block.convolutions):
                if position:
                    features = relu(features)
                last = position == block.convolutions - 1
                features = next(layers)(features, block.pool if last else (1, 1))
        if key is None:
            return features
        return self.dropout(features, deterministic=False, rngs=nnx.Rngs(dropout=key))


class AttentionPool(nnx.Module):
    """Weighted means of the features under learned queries, without projections or scaling."""

    def __init__(self, heads: int, channels: int, *, rngs: nnx.Rngs):
        """Draws the queries from the Xavier normal distribution."""
        self.queries = nnx.Param(nnx.initializers.glorot_normal()(rngs.params(), (heads, channels)))

    def __call__(self, features: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Returns the pooled features and the attention, both float32.

        Args:
          features: (B, rows, columns, C).

        Returns:
          (B, C·H), index c·H + h, and (B, H, rows, columns), which sums to 1 over the grid.
        """
        batch, rows, columns, channels = features.shape
        flat = features.astype(jnp.float32).reshape(batch, rows * columns, channels)
        queries = self.queries[...]
        energy = jnp.einsum("hc,bnc->bhn", queries, flat, precision=_FLOAT32)
        attention = jax.nn.softmax(energy, axis=-1)
        pooled = jnp.einsum("bhn,bnc->bch", attention, flat, precision=_FLOAT32)
        return (
            pooled.reshape(batch, channels * queries.shape[0]),
            attention.reshape(batch, queries.shape[0], rows, columns),
        )


class _Regressor(nnx.Module):
    """Two linear layers with a ReLU between them, which return one value for each image."""

    def __init__(self, inputs: int, hidden: int, output_bias: float, *, rngs: nnx.Rngs):
        """Draws weights; the output starts near `output_bias`, with all hidden units active."""
        ones = nnx.initializers.ones_init()
        constant = nnx.initializers.constant(output_bias)
        self.hidden = nnx.Linear(inputs, hidden, bias_init=ones, precision=_FLOAT32, rngs=rngs)
        self.output = nnx.Linear(
            hidden,
            1,
            kernel_init=nnx.initializers.variance_scaling(0.1, "fan_in", "normal"),
            bias_init=constant,
            precision=_FLOAT32,
            rngs=rngs,
        )

    def __call__(self, pooled: jax.Array) -> jax.Array:
        """Returns (B,) from (B, inputs)."""
        return self.output(jax.nn.relu(self.hidden(pooled)))[:, 0]


class SRDNet(nnx.Module):
    """A network for the period of the lamellae, and its sd if it has a confidence branch.

    The regressors return u, the number of periods in a receptive field, and v. Then
    period = height of the receptive field / u and sd = exp(v), px of the frame.
    """

    def __init__(self, config: ModelConfig, *, rngs: nnx.Rngs):
        """Draws parameters so that the first predictions lie near config.initial_period."""
        encoder = config.encoder
        field = config.geometry.receptive_field[0]
        inputs = encoder.channels * config.heads
        self.config = config
        self.encoder = ConvEncoder(encoder, rngs=rngs)
        self.period_pool = AttentionPool(config.heads, encoder.channels, rngs=rngs)
        self.period_regressor = _Regressor(
            inputs, config.hidden, field / config.initial_period, rngs=rngs
        )
        # nnx.data allows None as well as a module.
        self.sd_pool: AttentionPool | None = nnx.data(None)
        self.sd_regressor: _Regressor | None = nnx.data(None)
        if config.confidence:
            self.sd_pool = AttentionPool(config.heads, encoder.channels, rngs=rngs)
            self.sd_regressor = _Regressor(inputs, config.hidden, math.log(_INITIAL_SD), rngs=rngs)

    def __call__(
        self,
        image: jax.Array,
        key: jax.Array | None = None,
        *,
        with_attention: bool = False,
    ) -> Prediction:
        """Returns the prediction of a batch.

        Args:
          image: (B, rows, columns) of an aligned frame, grey value 0..1, 0 outside of the mask.
          key: of the dropout; None switches it off, for evaluation.
          with_attention: whether to return the attention maps.

        Raises:
          InputError: the frame does not align with the grid.
        """
        config = self.config
        rows, columns = image.shape[1:]
        config.geometry.grid(rows, columns)
        normalised = (image - config.grey_mean) / config.grey_sd
        features = self.encoder(normalised.astype(config.compute_dtype), key)
        pooled, attention = self.period_pool(features)
        u = _positive(self.period_regressor(pooled))
        period = config.geometry.receptive_field[0] / u
        sd, maps = None, [attention]
        if self.sd_pool is not None and self.sd_regressor is not None:
            pooled, attention = self.sd_pool(features)
            sd = jnp.exp(self.sd_regressor(pooled))
            maps.append(attention)
        return Prediction(period, sd, jnp.stack(maps, 1) if with_attention else None)


def _positive(u: jax.Array) -> jax.Array:
    """Returns u, continued below f = _FEWEST_PERIODS as f² / (2f − u), which is positive.

    Since the period is proportional to 1 / u, it continues along its tangent. So neither the period
    nor its gradient overflows for any u.
    """
    floor = _FEWEST_PERIODS
    # The inner minimum keeps the denominator positive in the branch that isn't selected.
    return jnp.where(u < floor, floor**2 / (2.0 * floor - jnp.minimum(u, floor)), u)


class Apply(Protocol):
    """The network as a pure function of its parameters; see SRDNet.__call__."""

    def __call__(
        self,
        parameters: modules.Parameters,
        image: jax.Array,
        key: jax.Array | None = None,
        *,
        with_attention: bool = False,
    ) -> Prediction:
        """Returns the prediction of a batch."""
        ...


def as_function(config: ModelConfig) -> Apply:
    """Returns the network of a config as a pure function of its parameters."""
    return modules.as_function(_builder(config))


def parameter_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Returns the shapes of all parameters of a config's network by name."""
    return modules.parameter_shapes(_builder(config))


def random_parameters(config: ModelConfig, key: jax.Array) -> dict[str, jax.Array]:
    """Returns random parameters of a config's network by name."""
    return modules.parameters_of(SRDNet(config, rngs=nnx.Rngs(key)))


def initial_parameters(
    config: ModelConfig, key: jax.Array, image: jax.Array
) -> dict[str, jax.Array]:
    """Returns random parameters whose convolutions have outputs of unit sd on given images.

    Layer by layer, an orthogonal kernel is divided by the sd of its outputs over all channels,
    positions and images. Biases are zero. Pools and regressors are those of `random_parameters`.
    Source: Dmytro Mishkin and Jiri Matas, "All you need is a good init" (ICLR 2016,
    arXiv:1511.06422).

    Args:
      config: of the network.
      key: of the draw.
      image: (B, rows, columns) of an aligned frame, grey value 0..1.
    """
    parameters = random_parameters(config, key)
    orthogonal = jax.nn.initializers.orthogonal()
    features = ((image - config.grey_mean) / config.grey_sd)[..., None]
    layer = 0
    for block in config.encoder.blocks:
        for position in range(block.convolutions):
            if position:
                features = jax.nn.relu(features)
            name = f"encoder.convolutions.{layer}"
            shape = parameters[f"{name}.kernel"].shape
            kernel = orthogonal(jax.random.fold_in(key, layer), shape)
            features = convolve(features, kernel)
            sd = features.std()
            sd = jnp.where(sd > _LEAST_SD, sd, 1.0)
            parameters[f"{name}.kernel"], features = kernel / sd, features / sd
            parameters[f"{name}.bias"] = jnp.zeros_like(parameters[f"{name}.bias"])
            layer += 1
        features = max_pool(features, block.pool)
    return parameters


def _builder(config: ModelConfig) -> Callable[[], SRDNet]:
    return lambda: SRDNet(config, rngs=nnx.Rngs(0))


def queries(parameters: modules.Parameters) -> jax.Array:
    """Returns the learned queries of all pools, (pools, heads, channels)."""
    pools = ("period_pool.queries", "sd_pool.queries")
    return jnp.stack([parameters[name] for name in pools if name in parameters])
