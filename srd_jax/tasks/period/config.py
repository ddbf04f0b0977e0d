"""Configuration of a training run: dataclasses and the checks across their fields.

Fields stay mutable so that command-line flags can set them; flags arrive after __post_init__, so
whoever runs a config calls `validated` once.
"""

import dataclasses
import math
import operator

from srd_jax.imaging.preparation import FRAME
from srd_jax.networks.receptive_field import Block, Geometry, Size, geometry_of
from srd_jax.support.errors import InputError
from srd_jax.support.fields import check_limits, check_number, did_you_mean, from_dict, limited
from srd_jax.support.fields import differences as differences
from srd_jax.support.fields import to_json as to_json
from srd_jax.tasks.period.data_config import DataConfig as DataConfig
from srd_jax.tasks.period.data_config import check_data
from srd_jax.tasks.period.source_config import AugmentConfig as AugmentConfig
from srd_jax.tasks.period.source_config import CropsConfig as CropsConfig
from srd_jax.tasks.period.source_config import GranaConfig as GranaConfig
from srd_jax.tasks.period.source_config import LayersConfig as LayersConfig
from srd_jax.tasks.period.source_config import MaskedStripesConfig as MaskedStripesConfig
from srd_jax.tasks.period.source_config import NegativesConfig as NegativesConfig
from srd_jax.tasks.period.source_config import OutlineConfig as OutlineConfig
from srd_jax.tasks.period.source_config import ProfileConfig as ProfileConfig
from srd_jax.tasks.period.source_config import QualityConfig as QualityConfig
from srd_jax.tasks.period.source_config import StripesConfig as StripesConfig
from srd_jax.tasks.period.source_config import check_source
from srd_jax.tasks.period.source_config import confidence_augment as confidence_augment
from srd_jax.tasks.period.source_config import training_grana as training_grana
from srd_jax.training.config import CONFIDENCE_CLONES as CONFIDENCE_CLONES
from srd_jax.training.config import CloneConfig as CloneConfig
from srd_jax.training.config import EndConfig as EndConfig
from srd_jax.training.config import StartConfig as StartConfig
from srd_jax.training.config import check_start

SCHEDULES = ("constant", "cosine", "step")
COMPUTE_TYPES = ("float32", "bfloat16")
PRECISIONS = ("default", "high", "highest")
OPTIMIZERS = ("adamw", "muon")
LOSSES = (
    "mse",
    "mae",
    "log_period",
    "log_period_and_student_nll",
    "gaussian_nll",
    "mse_to_gaussian_nll",
)
NEEDS_CONFIDENCE = ("log_period_and_student_nll", "gaussian_nll", "mse_to_gaussian_nll")


@dataclasses.dataclass
class EncoderConfig:
    """The encoder's specification, from which its geometry follows (reference: GRANA)."""

    blocks: tuple[Block, ...] = (
        Block(2, (2, 2)),
        Block(2, (2, 1)),
        Block(2, (2, 1)),
        Block(2, (2, 1)),
        Block(1, (2, 1)),
        Block(1, (2, 1)),
    )
    channels: int = limited(32, 1)
    dropout: float = limited(0.1, 0.0, 0.99)


@dataclasses.dataclass
class ModelConfig:
    """The network.

    Attributes:
      encoder: see there.
      heads: queries of a pool.
      hidden: units of a regressor.
      confidence: whether it predicts an sd too.
      grey_mean: with grey_sd, normalises grey values 0..1 (reference: GRANA).
      grey_sd: likewise.
      compute_dtype: of the convolutions.
      initial_period: what an untrained network answers, about; px of the frame.
    """

    encoder: EncoderConfig = dataclasses.field(default_factory=EncoderConfig)
    heads: int = limited(2, 1)
    hidden: int = limited(8, 1)
    confidence: bool = False
    grey_mean: float = limited(0.2845, -math.inf)
    grey_sd: float = limited(0.1447, 1e-6)
    compute_dtype: str = "float32"
    initial_period: float = limited(55.0, 1.0)

    @property
    def geometry(self) -> Geometry:
        """Receptive field and stride of the encoder."""
        return geometry_of(tuple(self.encoder.blocks))


@dataclasses.dataclass
class OptimizerConfig:
    """An optimiser with gradient clipping and an exponential average of the parameters.

    Attributes:
      name: adamw, or muon for the convolutions' kernels with adamw for all other parameters.
      learning_rate: its peak.
      weight_decay: decoupled, times the learning rate.
      clip_norm: the gradient's global norm is clipped to it.
      schedule: constant, cosine (to zero at the end of the run) or step; each after the warm-up.
      warmup_steps: steps over which the rate rises linearly from zero.
      step_epochs: epochs at which the step schedule multiplies the rate by step_factor.
      step_factor: see step_epochs.
      average_decay: of the exponential average; less during the first steps.
    """

    name: str = "muon"
    learning_rate: float = limited(2e-3, 0.0)
    weight_decay: float = limited(0.01, 0.0)
    clip_norm: float = limited(1.0, 1e-12)
    schedule: str = "cosine"
    warmup_steps: int = limited(100, 0)
    step_epochs: tuple[int, ...] = (100, 150)
    step_factor: float = limited(0.1, 0.0)
    average_decay: float = limited(0.99, 0.0, 0.999999)


@dataclasses.dataclass
class LossConfig:
    """Name among LOSSES, length of its ramp, and the weight of the queries' overlap."""

    name: str = "log_period"
    ramp_epochs: int = limited(30, 1)
    query_overlap: float = limited(0.1, 0.0)


@dataclasses.dataclass
class ValidationConfig:
    """A fixed set of images: drawn once from its own seed, or the crops that training leaves.

    Attributes:
      images: how many are drawn; of crops, `data.validation_share` decides.
      frame: rows and columns.
      seed: of drawn images.
      batch_size: images at once.
      every_epochs: epochs from one validation to the next.
      pictures: of the attention, drawn at the end of the run.
    """

    images: int = limited(102, 1)
    frame: Size = (476, 476)
    seed: int = limited(1_000_003, 0, 2**31 - 1)
    batch_size: int = limited(6, 1)
    every_epochs: int = limited(1, 1)
    pictures: int = limited(3, 0)


@dataclasses.dataclass
class TrainConfig:
    """One training run. An epoch is steps_per_epoch batches of batch_size images."""

    name: str = "stage1"
    seed: int = limited(0, 0, 2**31 - 1)
    frame: Size = (476, 476)
    batch_size: int = limited(16, 1)
    steps_per_epoch: int = limited(50, 1)
    epochs: int = limited(40, 1)
    log_every_steps: int = limited(10, 1)
    matmul_precision: str = "default"
    keep_checkpoints: int = limited(2, 1)
    reference_mae: float = math.nan  # px of the frame: a line in the curves, where known
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    source: StripesConfig | GranaConfig | CropsConfig | MaskedStripesConfig = dataclasses.field(
        default_factory=StripesConfig
    )
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    optimizer: OptimizerConfig = dataclasses.field(default_factory=OptimizerConfig)
    loss: LossConfig = dataclasses.field(default_factory=LossConfig)
    validation: ValidationConfig = dataclasses.field(default_factory=ValidationConfig)
    start: StartConfig = dataclasses.field(default_factory=StartConfig)
    end: EndConfig = dataclasses.field(default_factory=EndConfig)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch


def validated(config: TrainConfig) -> TrainConfig:
    """Returns a copy of a config with every field of its declared type, checked across fields.

    Raises:
      InputError: a field has the wrong type or value, or two fields contradict each other.
    """
    config = from_dict(TrainConfig, config)
    _check_choices(config)
    check_limits(config)
    _check_blocks(config)
    _check_step_epochs(config)
    check_source(config.source, "config.source")
    check_data(config.data, "config.data")
    check_start(config.start, "config.start")
    _check_frames(config)
    _check_pairs(config)
    return config


def _check_choices(config: TrainConfig) -> None:
    for name, choices in (
        ("loss.name", LOSSES),
        ("optimizer.name", OPTIMIZERS),
        ("optimizer.schedule", SCHEDULES),
        ("model.compute_dtype", COMPUTE_TYPES),
        ("matmul_precision", PRECISIONS),
    ):
        value = operator.attrgetter(name)(config)
        if value not in choices:
            raise InputError(
                f"config.{name} is {value!r}; accepted: {', '.join(choices)}"
                + did_you_mean(value, choices)
            )


def _check_blocks(config: TrainConfig) -> None:
    if not config.model.encoder.blocks:
        raise InputError("config.model.encoder.blocks is (); accepted: at least one block")
    for i, block in enumerate(config.model.encoder.blocks):
        sizes = {"convolutions": block.convolutions, "kernel": block.kernel}
        sizes |= {f"pool[{axis}]": size for axis, size in enumerate(block.pool)}
        for name, size in sizes.items():
            check_number(f"config.model.encoder.blocks[{i}].{name}", size, 1)


def _check_step_epochs(config: TrainConfig) -> None:
    epochs = config.optimizer.step_epochs
    # A repeated epoch would count once.
    if list(epochs) != sorted(set(epochs)) or any(epoch < 1 for epoch in epochs):
        raise InputError(
            f"config.optimizer.step_epochs is {epochs}; accepted: rising, each at least 1"
        )


def _check_frames(config: TrainConfig) -> None:
    for name in ("frame", "validation.frame"):
        try:
            config.model.geometry.grid(*operator.attrgetter(name)(config))
        except InputError as error:
            raise InputError(f"config.{name}: {error}") from None

    if not isinstance(config.source, StripesConfig):
        _check_crop_frames(config)


def _check_crop_frames(config: TrainConfig) -> None:
    """Checks that frames show crops as prediction does: all rows, all or fewer columns."""
    whole = isinstance(config.source, CropsConfig | MaskedStripesConfig)
    for name, narrow in (("frame", True), ("validation.frame", not whole)):
        rows, columns = operator.attrgetter(name)(config)
        if rows != FRAME[0] or columns > FRAME[1] or (columns < FRAME[1] and not narrow):
            accepted = f"{FRAME[0]}x{FRAME[1]}" + (", or fewer columns" if narrow else "")
            raise InputError(
                f"config.{name} is {rows}x{columns}; accepted with a source of kind "
                f"{config.source.kind}: {accepted}"
            )


def _check_pairs(config: TrainConfig) -> None:
    for divisor, whole in (
        ("log_every_steps", "steps_per_epoch"),
        ("validation.batch_size", "validation.images"),
    ):
        small, large = operator.attrgetter(divisor, whole)(config)
        if large % small:
            raise InputError(
                f"config.{divisor} is {small}, config.{whole} is {large}: "
                "the first must divide the second"
            )
    validation = config.validation
    if validation.pictures > validation.images:
        raise InputError(
            f"config.validation.pictures is {validation.pictures}, "
            f"config.validation.images is {validation.images}: the first must not exceed the second"
        )
    if config.optimizer.warmup_steps >= config.steps:
        raise InputError(
            f"config.optimizer.warmup_steps is {config.optimizer.warmup_steps}, but the run has "
            f"{config.steps} steps (epochs x steps_per_epoch); the warm-up must be shorter"
        )
    if config.end.keeps and not config.model.confidence:
        raise InputError(
            "config.end keeps candidates, among which the sd decides, but config.model.confidence "
            "is False; accepted: True, or no keep_epochs and keep_minima 0"
        )
    if config.loss.name in NEEDS_CONFIDENCE and not config.model.confidence:
        raise InputError(
            f"config.loss.name is {config.loss.name!r}, which needs an sd, but "
            "config.model.confidence is False; accepted: True, or a loss of the period alone: "
            + ", ".join(name for name in LOSSES if name not in NEEDS_CONFIDENCE)
        )
