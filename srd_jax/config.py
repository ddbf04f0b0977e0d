"""Configuration of a training run: dataclasses, checks across fields, JSON round trip.

Fields stay mutable so that command-line flags can set them; flags arrive after __post_init__, so
whoever runs a config calls `validated` once.
"""

import dataclasses
import difflib
import json
import math
import typing
from typing import Any, TypeVar

from srd_jax.errors import InputError
from srd_jax.geometry import Block, Geometry, Size, geometry_of

Range = tuple[float, float]
T = TypeVar("T")

SCHEDULES = ("constant", "cosine", "step")
COMPUTE_TYPES = ("float32", "bfloat16")
PRECISIONS = ("default", "high", "highest")
PARAMETERS = ("averaged", "last")


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
    channels: int = 32
    dropout: float = 0.1


@dataclasses.dataclass
class ModelConfig:
    """The network. grey_mean and grey_sd normalise grey values 0..1 (reference: GRANA)."""

    encoder: EncoderConfig = dataclasses.field(default_factory=EncoderConfig)
    heads: int = 2
    hidden: int = 8
    confidence: bool = False
    grey_mean: float = 0.2845
    grey_sd: float = 0.1447
    compute_dtype: str = "float32"
    initial_period: float = 55.0  # px of the frame: what an untrained net answers, about

    @property
    def geometry(self) -> Geometry:
        """Receptive field and stride of the encoder."""
        return geometry_of(tuple(self.encoder.blocks))


@dataclasses.dataclass
class StripesConfig:
    """Ranges from which synthetic stripes are drawn, each uniformly.

    Attributes:
      period: px of the frame.
      light_fraction: share of the period that is light.
      noise_sd: sd of an image's normal noise, grey levels of 0..255; (0, 0) for none.
      clean_rectangles: fewest and most receptive fields without noise, where there is noise.
    """

    period: Range = (20.0, 140.0)
    light_fraction: Range = (0.15, 0.45)
    noise_sd: Range = (0.0, 0.0)
    clean_rectangles: tuple[int, int] = (1, 4)


@dataclasses.dataclass
class OptimizerConfig:
    """AdamW with gradient clipping and an exponential average of the parameters.

    Attributes:
      learning_rate: its peak.
      weight_decay: of AdamW.
      clip_norm: the gradient's global norm is clipped to it.
      schedule: constant, cosine (to zero at the end of the run) or step; each after the warm-up.
      warmup_steps: steps over which the rate rises linearly from zero.
      step_epochs: epochs at which the step schedule multiplies the rate by step_factor.
      step_factor: see step_epochs.
      average_decay: of the exponential average; less during the first steps.
    """

    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    schedule: str = "cosine"
    warmup_steps: int = 100
    step_epochs: tuple[int, ...] = (100, 150)
    step_factor: float = 0.1
    average_decay: float = 0.99


@dataclasses.dataclass
class LossConfig:
    """Name in losses.LOSSES, length of its ramp, and the weight of the queries' overlap."""

    name: str = "log_period"
    ramp_epochs: int = 30
    query_overlap: float = 0.1


@dataclasses.dataclass
class ValidationConfig:
    """A fixed set of images, drawn once from its own seed."""

    images: int = 102
    frame: Size = (476, 476)
    seed: int = 1_000_003
    batch_size: int = 6
    every_epochs: int = 1
    pictures: int = 3  # of the attention, drawn at the end of the run


@dataclasses.dataclass
class StartConfig:
    """Where the first parameters come from: another run's workdir, or scratch if both are empty.

    Attributes:
      workdir: of the run to start from; its `best` checkpoint is taken.
      stage: name of a workdir beside this run's own; used where `workdir` is empty.
      parameters: averaged or last.
    """

    workdir: str = ""
    stage: str = ""
    parameters: str = "averaged"


@dataclasses.dataclass
class TrainConfig:
    """One training run. An epoch is steps_per_epoch batches of batch_size images."""

    name: str = "stage1"
    seed: int = 0
    frame: Size = (476, 476)
    batch_size: int = 16
    steps_per_epoch: int = 50
    epochs: int = 40
    log_every_steps: int = 10
    matmul_precision: str = "default"
    keep_checkpoints: int = 2
    reference_mae: float = math.nan  # px of the frame: a line in the curves, where known
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    source: StripesConfig = dataclasses.field(default_factory=StripesConfig)
    optimizer: OptimizerConfig = dataclasses.field(default_factory=OptimizerConfig)
    loss: LossConfig = dataclasses.field(default_factory=LossConfig)
    validation: ValidationConfig = dataclasses.field(default_factory=ValidationConfig)
    start: StartConfig = dataclasses.field(default_factory=StartConfig)

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return self.epochs * self.steps_per_epoch


def validated(config: TrainConfig) -> TrainConfig:
    """Returns a copy of a config with every field of its declared type, checked across fields.

    Raises:
      InputError: a field has the wrong type or value, or two fields contradict each other.
    """
    config = from_dict(TrainConfig, dataclasses.asdict(config))
    geometry = config.model.geometry
    for name, frame in (("frame", config.frame), ("validation.frame", config.validation.frame)):
        try:
            geometry.grid(*frame)
        except InputError as error:
            raise InputError(f"config.{name}: {error}") from None
    _check_choices(config)
    _check_ranges(config)
    if config.steps_per_epoch % config.log_every_steps:
        raise InputError(
            f"config.log_every_steps is {config.log_every_steps}, config.steps_per_epoch is "
            f"{config.steps_per_epoch}: the first must divide the second"
        )
    if config.validation.images % config.validation.batch_size:
        raise InputError(
            f"config.validation.batch_size is {config.validation.batch_size}, "
            f"config.validation.images is {config.validation.images}: "
            "the first must divide the second"
        )
    if config.optimizer.warmup_steps >= config.steps:
        raise InputError(
            f"config.optimizer.warmup_steps is {config.optimizer.warmup_steps}, but the run has "
            f"{config.steps} steps (epochs x steps_per_epoch); the warm-up must be shorter"
        )
    return config


def _check_choices(config: TrainConfig) -> None:
    for name, value, choices in (
        ("optimizer.schedule", config.optimizer.schedule, SCHEDULES),
        ("model.compute_dtype", config.model.compute_dtype, COMPUTE_TYPES),
        ("matmul_precision", config.matmul_precision, PRECISIONS),
        ("start.parameters", config.start.parameters, PARAMETERS),
    ):
        if value not in choices:
            raise InputError(
                f"config.{name} is {value!r}; accepted: {', '.join(choices)}"
                + _did_you_mean(value, choices)
            )


def _check_ranges(config: TrainConfig) -> None:
    source, optimizer = config.source, config.optimizer
    for name, (low, high), least, most in (
        ("source.period", source.period, 2.0, math.inf),
        ("source.light_fraction", source.light_fraction, 0.0, 1.0),
        ("source.noise_sd", source.noise_sd, 0.0, math.inf),
        ("source.clean_rectangles", source.clean_rectangles, 0, math.inf),
    ):
        if not least <= low <= high <= most:
            raise InputError(
                f"config.{name} is ({low}, {high}); accepted: "
                f"two rising values between {least} and {most}"
            )
    for name, value, least, most in (
        ("batch_size", config.batch_size, 1, math.inf),
        ("steps_per_epoch", config.steps_per_epoch, 1, math.inf),
        ("epochs", config.epochs, 1, math.inf),
        ("log_every_steps", config.log_every_steps, 1, math.inf),
        ("keep_checkpoints", config.keep_checkpoints, 1, math.inf),
        ("seed", config.seed, 0, 2**31 - 1),
        ("model.heads", config.model.heads, 1, math.inf),
        ("model.hidden", config.model.hidden, 1, math.inf),
        ("model.grey_sd", config.model.grey_sd, 1e-6, math.inf),
        ("model.initial_period", config.model.initial_period, 1.0, math.inf),
        ("model.encoder.channels", config.model.encoder.channels, 1, math.inf),
        ("model.encoder.dropout", config.model.encoder.dropout, 0.0, 0.99),
        ("optimizer.learning_rate", optimizer.learning_rate, 0.0, math.inf),
        ("optimizer.clip_norm", optimizer.clip_norm, 1e-12, math.inf),
        ("optimizer.warmup_steps", optimizer.warmup_steps, 0, math.inf),
        ("optimizer.average_decay", optimizer.average_decay, 0.0, 0.999999),
        ("loss.ramp_epochs", config.loss.ramp_epochs, 1, math.inf),
        ("loss.query_overlap", config.loss.query_overlap, 0.0, math.inf),
        ("validation.images", config.validation.images, 1, math.inf),
        ("validation.batch_size", config.validation.batch_size, 1, math.inf),
        ("validation.every_epochs", config.validation.every_epochs, 1, math.inf),
        ("validation.pictures", config.validation.pictures, 0, config.validation.images),
    ):
        if not least <= value <= most:
            raise InputError(f"config.{name} is {value}; accepted: {least} to {most}")


def to_json(config: Any) -> str:
    """Returns a config dataclass as indented JSON."""
    return json.dumps(dataclasses.asdict(config), indent=2) + "\n"


def from_dict(cls: type[T], data: Any, path: str = "config") -> T:
    """Returns a dataclass from nested dicts and lists, every field present and of its type.

    Raises:
      InputError: a field is unknown, missing or of another type; the message names it.
    """
    if not isinstance(data, dict):
        raise InputError(f"{path} is {data!r}; accepted: the fields of {cls.__name__}")
    hints = typing.get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(typing.cast(Any, cls))]
    for name in data:
        if name not in names:
            raise InputError(f"{path}.{name} is unknown{_did_you_mean(name, names)}")
    for name in names:
        if name not in data:
            raise InputError(f"{path}.{name} is missing")
    return cls(**{n: _converted(hints[n], data[n], f"{path}.{n}") for n in names})


def _converted(hint: Any, value: Any, path: str) -> Any:
    """Returns `value` as the type that `hint` declares; numbers are never cut or parsed."""
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type, hint), value, path)
    if typing.get_origin(hint) is tuple:
        return _converted_tuple(hint, value, path)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        raise InputError(f"{path} is {value!r}; accepted: {hint.__name__}")
    return value


def _converted_tuple(hint: Any, value: Any, path: str) -> tuple[Any, ...]:
    items = typing.get_args(hint)
    if not isinstance(value, (tuple, list)):
        raise InputError(f"{path} is {value!r}; accepted: a tuple")
    if items[-1] is Ellipsis:
        items = (items[0],) * len(value)
    if len(items) != len(value):
        raise InputError(f"{path} has {len(value)} values; accepted: {len(items)}")
    return tuple(
        _converted(item, part, f"{path}[{i}]")
        for i, (item, part) in enumerate(zip(items, value, strict=True))
    )


def differences(first: Any, second: Any, path: str = "config") -> list[str]:
    """Returns one line a field in which two dataclasses of one type differ."""
    lines = []
    for field in dataclasses.fields(first):
        a, b = getattr(first, field.name), getattr(second, field.name)
        name = f"{path}.{field.name}"
        if dataclasses.is_dataclass(a):
            lines += differences(a, b, name)
        elif a != b and not (a != a and b != b):  # NaN equals NaN here
            lines.append(f"{name}: {a!r} against {b!r}")
    return lines


def _did_you_mean(name: str, known: typing.Sequence[str]) -> str:
    close = difflib.get_close_matches(str(name), known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
