"""The SRD network: convolutional encoder, attention pools with learned queries, regressors."""

import math
from collections.abc import Callable
from typing import Protocol

import jax
import jax.numpy as jnp
from flax import nnx, struct

from srd_jax.networks import modules
from srd_jax.networks.convolution import add_bias, convolve, max_pool
from srd_jax.tasks.period.config import EncoderConfig, ModelConfig

# Below this number of periods in the receptive field the regressor's output is bent so that it
# stays positive; the bend starts at periods four times as long as the field is high.
_FEWEST_PERIODS = 0.25

# The sd that an untrained net answers, about, px of the frame.
_INITIAL_SD = 10.0

# Below it the spread of an untrained channel is rounding, as on blank images, and is left alone.
_LEAST_SD = 1e-6

# By default, accelerators multiply float32 matrices in fewer bits. The pools and regressors are
# small, so that float32 costs nothing here.
_FLOAT32 = jax.lax.Precision.HIGHEST


@struct.dataclass
class Prediction:
    """What the network says of a batch.

    Attributes:
      period: (B,) float32, px of the frame.
      sd: (B,) float32, px of the frame; None without the confidence branch.
      attention: (B, pools, heads, rows, columns) float32 on the grid of positions, summing to 1
        over the grid; pools are (period,) or (period, sd). None unless asked for.
    """

    period: jax.Array
    sd: jax.Array | None = None
    attention: jax.Array | None = None


class Convolution(nnx.Module):
    """A VALID convolution with bias."""

    def __init__(self, channels_in: int, channels_out: int, size: int, *, rngs: nnx.Rngs):
        """Draws kernel and bias uniformly from ±1/√fan_in."""
        bound = 1.0 / math.sqrt(size * size * channels_in)

        def draw(*shape):
            return jax.random.uniform(rngs.params(), shape, minval=-bound, maxval=bound)

        self.kernel = nnx.Param(draw(size, size, channels_in, channels_out))
        self.bias = nnx.Param(draw(channels_out))

    def __call__(self, image: jax.Array) -> jax.Array:
        """Returns (B, rows − size + 1, columns − size + 1, channels_out) in the image's type."""
        kernel, bias = (p[...].astype(image.dtype) for p in (self.kernel, self.bias))
        return add_bias(convolve(image, kernel), bias)


class ConvEncoder(nnx.Module):
    """Blocks of VALID convolutions, each block ended by a max-pool.

    ReLU stands between the convolutions of a block only; dropout ends the encoder.
    """

    def __init__(self, config: EncoderConfig, *, rngs: nnx.Rngs):
        """Builds the layers that the specification names."""
        self.blocks = config.blocks
        self.convolutions = nnx.List()
        channels = 1
        for block in config.blocks:
            for _ in range(block.convolutions):
                self.convolutions.append(
                    Convolution(channels, config.channels, block.kernel, rngs=rngs)
                )
                channels = config.channels
        self.dropout = nnx.Dropout(config.dropout)

    def __call__(self, image: jax.Array, key: jax.Array | None = None) -> jax.Array:
        """Returns the features of each position, (B, rows, columns, channels) of the grid.

        Args:
          image: (B, frame rows, frame columns), normalised.
          key: of the dropout; None switches it off.
        """
        features = image[..., None]
        layers = iter(self.convolutions)
        for block in self.blocks:
            for position in range(block.convolutions):
                if position:
                    features = jax.nn.relu(features)
                features = next(layers)(features)
            features = max_pool(features, block.pool)
        if key is None:
            return features
        return self.dropout(features, deterministic=False, rngs=nnx.Rngs(dropout=key))


class AttentionPool(nnx.Module):
    """Weighted means of the features under learned queries, without projections or scaling."""

    def __init__(self, heads: int, channels: int, *, rngs: nnx.Rngs):
        """Draws the queries (Xavier normal)."""
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


class Regressor(nnx.Module):
    """Two linear layers with a ReLU between them; one number an image."""

    def __init__(self, inputs: int, hidden: int, output_bias: float, *, rngs: nnx.Rngs):
        """Draws the weights; the number starts near `output_bias`, all hidden units active."""
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
    """Period of the lamellae, with its sd where the confidence branch is there.

    period = receptive-field height / u and sd = exp(v), px of the frame, where u and v are what
    the two regressors say: u is the number of periods seen in one receptive field.
    """

    def __init__(self, config: ModelConfig, *, rngs: nnx.Rngs):
        """Draws the parameters of a net whose first guesses lie near config.initial_period."""
        encoder = config.encoder
        field = config.geometry.receptive_field[0]
        inputs = encoder.channels * config.heads
        self.config = config
        self.encoder = ConvEncoder(encoder, rngs=rngs)
        self.period_pool = AttentionPool(config.heads, encoder.channels, rngs=rngs)
        self.period_regressor = Regressor(
            inputs, config.hidden, field / config.initial_period, rngs=rngs
        )
        # nnx.data, since None or a module may stand here.
        self.sd_pool: AttentionPool | None = nnx.data(None)
        self.sd_regressor: Regressor | None = nnx.data(None)
        if config.confidence:
            self.sd_pool = AttentionPool(config.heads, encoder.channels, rngs=rngs)
            self.sd_regressor = Regressor(inputs, config.hidden, math.log(_INITIAL_SD), rngs=rngs)

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
          key: of the dropout; None switches it off (evaluation).
          with_attention: also return the attention maps.

        Raises:
          InputError: the frame does not align.
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
    """Returns u where it is at least _FEWEST_PERIODS, below it a smooth positive continuation.

    The continuation f²/(2f − u) is the one under which the period goes on along its tangent, so
    that neither the period nor its gradient overflows, however wrong u is.
    """
    floor = _FEWEST_PERIODS
    # The inner minimum keeps the denominator positive where it is not selected.
    return jnp.where(u < floor, floor**2 / (2.0 * floor - jnp.minimum(u, floor)), u)


class Apply(Protocol):
    """The network as a pure function; see SRDNet.__call__ for the arguments."""

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
    """Returns the shape of every parameter of a config's network by its name."""
    return modules.parameter_shapes(_builder(config))


def random_parameters(config: ModelConfig, key: jax.Array) -> dict[str, jax.Array]:
    """Returns random parameters of a config's network."""
    return modules.parameters_of(SRDNet(config, rngs=nnx.Rngs(key)))


def initial_parameters(
    config: ModelConfig, key: jax.Array, image: jax.Array
) -> dict[str, jax.Array]:
    """Returns random parameters whose convolutions have outputs of unit sd on some images.

    Orthogonal kernels are divided by that sd one layer after the other, over all channels,
    positions and images; biases are zero. Pools and regressors are as the model draws them.
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
