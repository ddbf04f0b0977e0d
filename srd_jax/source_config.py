"""Configuration of what a network learns from: one dataclass a kind of source."""

import dataclasses

Range = tuple[float, float]

DATASET_FORMATS = ("folder", "tfds")


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

    tilt: float = 3.0
    rows: Range = (0.7, 1.0)
    columns: Range = (0.5, 1.0)
    flip: bool = True
    black: Range = (-10.0, 30.0)
    white: Range = (225.0, 265.0)
    noise: Range = (0.0, 3.0)
    max_rows: int = 300


@dataclasses.dataclass
class CropsConfig:
    """Crops of grana with known periods, as real sets come.

    Attributes:
      format: folder (PNGs beside a CSV of annotations) or tfds (a prepared TensorFlow dataset).
      dir: the folder, or the data_dir of TensorFlow Datasets.
      annotations: name of the CSV in the folder.
      validation_share: share of the crops that validation keeps to itself.
      augment: of training crops.
    """

    format: str = "folder"
    dir: str = ""
    annotations: str = "annotations.csv"
    validation_share: float = 0.3
    augment: AugmentConfig = dataclasses.field(default_factory=AugmentConfig)
