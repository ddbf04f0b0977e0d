"""Configures a run that learns to measure the period: network, images, loss."""

import dataclasses
import math
import operator

from srd_jax.imaging import FRAME, MAX_ROWS
from srd_jax.networks.receptive_field import Block, Geometry, Size, geometry_of
from srd_jax.support.errors import InputError
from srd_jax.support.fields import check_number, choice, limited
from srd_jax.synthetic.config import GranaConfig, Range, StripesConfig
from srd_jax.training.config import CloneConfig, RunConfig

_COMPUTE_TYPES = ("float32", "bfloat16")
ROBUST, FIXED = "robust", "fixed"
_DATASET_FORMATS = ("folder", "tfds")

# Words for the losses in a report, by name; `losses.LOSSES` holds their functions.
LOSSES = {
    "mse": "squared error",
    "mae": "absolute error",
    "log_period": "error of the period's logarithm",
    "log_period_and_student_nll": "error of the period's logarithm, with a tenth of Student's "
    "likelihood (NLL) for the sd",
    "gaussian_nll": "Gaussian likelihood (NLL)",
    "mse_to_gaussian_nll": "squared error, over {ramp} epochs to Gaussian likelihood (NLL)",
}
NEEDS_CONFIDENCE = ("log_period_and_student_nll", "gaussian_nll", "mse_to_gaussian_nll")

# The reference copies the confidence branch from the period's branch in the same way (GRANA: Bukat,
# Bukowicki et al. 2025, Plant Physiology kiaf212).
CONFIDENCE_CLONES = (
    CloneConfig("sd_pool", "period_pool"),
    CloneConfig("sd_regressor.hidden", "period_regressor.hidden"),
    CloneConfig("sd_regressor.output", "period_regressor.output", 0.1),
)


@dataclasses.dataclass
class EncoderConfig:
    """The encoder's blocks, channels and dropout; the defaults are the reference's."""

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

    def check(self, path: str) -> None:
        """Checks that there are blocks of positive sizes.

        Raises:
          InputError: there are none, or a size is below 1.
        """
        if not self.blocks:
            raise InputError(f"{path}.blocks is (); accepted: at least one block")
        for i, block in enumerate(self.blocks):
            sizes = {"convolutions": block.convolutions, "kernel": block.kernel}
            sizes |= {f"pool[{axis}]": size for axis, size in enumerate(block.pool)}
            for name, size in sizes.items():
                check_number(f"{path}.blocks[{i}].{name}", size, 1)


@dataclasses.dataclass
class ModelConfig:
    """The network.

    Attributes:
      encoder: see `EncoderConfig`.
      heads: number of queries of a pool.
      hidden: number of hidden units of a regressor.
      confidence: whether the network predicts an sd too.
      grey: how grey values are brought to one range first: robust, by `preparation.normalised`; or
        fixed, not at all, as the reference does.
      grey_mean: subtracted from grey values 0..1; the reference's.
      grey_sd: divides grey values after that; the reference's.
      compute_dtype: type of the convolutions.
      initial_period: approximate period that an untrained network predicts, px of the frame.
    """

    encoder: EncoderConfig = dataclasses.field(default_factory=EncoderConfig)
    heads: int = limited(2, 1)
    hidden: int = limited(8, 1)
    confidence: bool = False
    grey: str = choice(FIXED, (ROBUST, FIXED), later=True)
    grey_mean: float = limited(0.2845, -math.inf)
    grey_sd: float = limited(0.1447, 1e-6)
    compute_dtype: str = choice("float32", _COMPUTE_TYPES)
    initial_period: float = limited(55.0, 1.0)

    @property
    def geometry(self) -> Geometry:
        """The receptive field and the stride of the encoder."""
        return geometry_of(tuple(self.encoder.blocks))


@dataclasses.dataclass
class AugmentConfig:
    """Ranges of a training crop's random changes, each drawn uniformly; the reference's.

    Attributes:
      tilt: largest tilt to either side, degrees.
      rows: share of the granum's height that is kept.
      columns: share of the granum's width that is kept.
      flip: whether rows and columns are reversed at random, each in half of the images.
      black: grey level of 0..255 that becomes 0.
      white: grey level of 0..255 that becomes 255.
      noise: strength k of the microscope noise.
      max_rows: greatest number of rows of the crop that are shown.
    """

    tilt: float = limited(3.0, 0.0, 20.0)
    rows: Range = limited((0.7, 1.0), 0.1, 1.0)
    columns: Range = limited((0.5, 1.0), 0.1, 1.0)
    flip: bool = True
    black: Range = limited((-10.0, 30.0), -100.0, 100.0)
    white: Range = limited((225.0, 265.0), 150.0, 400.0)
    noise: Range = limited((0.0, 3.0), 0.0, 10.0)
    max_rows: int = limited(MAX_ROWS, 2)


def confidence_augment() -> AugmentConfig:
    """Returns the ranges of the reference's confidence stages."""
    return AugmentConfig(
        tilt=2.0, columns=(0.3, 1.0), black=(-10.0, 50.0), white=(205.0, 265.0), noise=(0.0, 3.5)
    )


@dataclasses.dataclass
class CropsConfig:
    """Crops with known periods, from the set in `PeriodConfig.data`, changed at random.

    Attributes:
      augment: of training crops.
    """

    kind: str = "crops"
    augment: AugmentConfig = dataclasses.field(default_factory=AugmentConfig)


@dataclasses.dataclass
class MaskedStripesConfig:
    """Synthetic stripes in the masks of crops, from the set in `PeriodConfig.data`.

    Attributes:
      stripes: ranges of the stripes; their periods are px of a frame that shows the whole crop.
      even_noise_sd: sd of normal noise all over an image, clean rectangles included, grey levels of
        0..255.
      augment: of training crops.
    """

    kind: str = "masked_stripes"
    stripes: StripesConfig = dataclasses.field(
        default_factory=lambda: StripesConfig(noise_sd=(0.0, 100.0))
    )
    even_noise_sd: Range = limited((0.0, 20.0), 0.0)
    augment: AugmentConfig = dataclasses.field(default_factory=AugmentConfig)


@dataclasses.dataclass
class DataConfig:
    """A set of annotated crops, real or drawn, for the sources that need one.

    Attributes:
      format: folder (PNGs beside a CSV of annotations) or tfds (a prepared TensorFlow dataset).
      dir: the folder, or the data_dir of TensorFlow Datasets; where it is empty, a set is drawn
        on first use into the folder `dataset` beside the run's workdir.
      annotations: name of the CSV in the folder.
      validation_share: share of the crops that is held out for validation; 0 for none.
      images: number of drawn crops.
      seed: of drawn crops.
      drawn: ranges of drawn crops.
    """

    format: str = choice("folder", _DATASET_FORMATS)
    dir: str = ""
    annotations: str = "annotations.csv"
    validation_share: float = limited(0.3, 0.0, 0.99)
    images: int = limited(1000, 2)
    seed: int = limited(0, 0, 2**31 - 1)
    drawn: GranaConfig = dataclasses.field(default_factory=GranaConfig)


@dataclasses.dataclass
class LossConfig:
    """The loss.

    Attributes:
      name: one of LOSSES.
      ramp_epochs: epochs over which the loss mse_to_gaussian_nll changes.
      query_overlap: weight of the penalty on overlapping queries.
    """

    name: str = choice("log_period", LOSSES)
    ramp_epochs: int = limited(30, 1)
    query_overlap: float = limited(0.1, 0.0)


@dataclasses.dataclass
class PeriodConfig(RunConfig):
    """A run that learns to measure the period.

    Attributes:
      frame: rows and columns of training images.
      reference_mae: the reference's MAE, px of the frame, a line in the curves; NaN if unknown.
      model: the network.
      source: of the images.
      data: crops, for the sources that need them.
      loss: the loss.
    """

    kind: str = "period"
    name: str = "stage1"
    frame: Size = (476, 476)
    reference_mae: float = math.nan
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    source: StripesConfig | GranaConfig | CropsConfig | MaskedStripesConfig = dataclasses.field(
        default_factory=StripesConfig
    )
    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    loss: LossConfig = dataclasses.field(default_factory=LossConfig)

    def check(self, path: str) -> None:
        """Checks frames against the network and source, and loss and end against the sd.

        Raises:
          InputError: two fields contradict each other.
        """
        super().check(path)
        for name in ("frame", "validation.frame"):
            try:
                self.model.geometry.grid(*operator.attrgetter(name)(self))
            except InputError as error:
                raise InputError(f"{path}.{name}: {error}") from None
        if not isinstance(self.source, StripesConfig):
            _check_crop_frames(self, path)
        if not self.model.confidence:
            _check_without_confidence(self, path)


def _check_crop_frames(config: PeriodConfig, path: str) -> None:
    """Checks that frames have prediction's rows, and its columns or fewer where allowed."""
    whole = isinstance(config.source, CropsConfig | MaskedStripesConfig)
    for name, narrow in (("frame", True), ("validation.frame", not whole)):
        rows, columns = operator.attrgetter(name)(config)
        if rows != FRAME[0] or columns > FRAME[1] or (columns < FRAME[1] and not narrow):
            accepted = f"{FRAME[0]}x{FRAME[1]}" + (", or fewer columns" if narrow else "")
            raise InputError(
                f"{path}.{name} is {rows}x{columns}; accepted with a source of kind "
                f"{config.source.kind}: {accepted}"
            )


def _check_without_confidence(config: PeriodConfig, path: str) -> None:
    """Checks that neither the loss nor the candidates need an sd."""
    if config.end.keeps:
        raise InputError(
            f"{path}.end keeps candidates, among which the sd decides, but {path}.model.confidence "
            "is False; accepted: True, or no keep_epochs and keep_minima 0"
        )
    if config.loss.name in NEEDS_CONFIDENCE:
        raise InputError(
            f"{path}.loss.name is {config.loss.name!r}, which needs an sd, but "
            f"{path}.model.confidence is False; accepted: True, or a loss of the period alone: "
            + ", ".join(name for name in LOSSES if name not in NEEDS_CONFIDENCE)
        )
