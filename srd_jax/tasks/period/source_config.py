"""Configuration of what a network learns from: one dataclass a kind of source."""

import dataclasses

from srd_jax.imaging.preparation import MAX_ROWS
from srd_jax.support.fields import limited
from srd_jax.synthetic.config import GranaConfig as GranaConfig
from srd_jax.synthetic.config import LayersConfig as LayersConfig
from srd_jax.synthetic.config import NegativesConfig as NegativesConfig
from srd_jax.synthetic.config import OutlineConfig as OutlineConfig
from srd_jax.synthetic.config import ProfileConfig as ProfileConfig
from srd_jax.synthetic.config import QualityConfig as QualityConfig
from srd_jax.synthetic.config import Range, check_grana
from srd_jax.synthetic.config import training_grana as training_grana


@dataclasses.dataclass
class StripesConfig:
    """Ranges from which synthetic stripes are drawn, each uniformly.

    Attributes:
      period: px of the frame.
      light_fraction: share of the period that is light.
      noise_sd: sd of an image's normal noise, grey levels of 0..255; (0, 0) for none.
      clean_rectangles: fewest and most receptive fields without noise, where there is noise.
    """

    kind: str = "stripes"
    period: Range = limited((20.0, 140.0), 2.0)
    light_fraction: Range = limited((0.15, 0.45), 0.0, 1.0)
    noise_sd: Range = limited((0.0, 0.0), 0.0)
    clean_rectangles: tuple[int, int] = limited((1, 4), 0)


@dataclasses.dataclass
class AugmentConfig:
    """Ranges from which changes of a training crop are drawn, each uniformly (reference: GRANA).

    Attributes:
      tilt: largest tilt to either side, degrees.
      rows: share of the granum's height that is kept.
      columns: share of the granum's width that is kept.
      flip: whether rows and columns are reversed at random, each in half of the images.
      black: grey level of 0..255 that becomes 0.
      white: grey level of 0..255 that becomes 255.
      noise: strength k of the microscope noise.
      max_rows: a granum with more rows of the crop shows that many of them at most.
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
    """Crops of grana with known periods, those of `DataConfig`, changed at random.

    Attributes:
      augment: of training crops.
    """

    kind: str = "crops"
    augment: AugmentConfig = dataclasses.field(default_factory=AugmentConfig)


@dataclasses.dataclass
class MaskedStripesConfig:
    """Synthetic stripes in the masks of crops, those of `DataConfig`, changed at random.

    Attributes:
      stripes: what is drawn in place of the crops' images; its periods are px of the frame that
        shows the whole crop.
      even_noise_sd: sd of an image's normal noise that spares no rectangle, grey levels of 0..255.
      augment: of training crops.
    """

    kind: str = "masked_stripes"
    stripes: StripesConfig = dataclasses.field(
        default_factory=lambda: StripesConfig(noise_sd=(0.0, 100.0))
    )
    even_noise_sd: Range = limited((0.0, 20.0), 0.0)
    augment: AugmentConfig = dataclasses.field(default_factory=AugmentConfig)


SourceConfig = StripesConfig | GranaConfig | CropsConfig | MaskedStripesConfig


def check_source(source: SourceConfig, path: str) -> None:
    """Checks what the limits of single fields leave open.

    Args:
      source: to be checked.
      path: how messages call it.

    Raises:
      InputError: two fields contradict each other.
    """
    if isinstance(source, GranaConfig):
        check_grana(source, path)
