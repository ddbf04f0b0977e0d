"""Configuration of the crops that networks learn from."""

import dataclasses

from srd_jax.support.errors import InputError
from srd_jax.support.fields import did_you_mean, limited
from srd_jax.tasks.period.source_config import GranaConfig, check_source

DATASET_FORMATS = ("folder", "tfds")


@dataclasses.dataclass
class DataConfig:
    """A set of crops with known periods, as real ones come, for the sources that need one.

    Attributes:
      format: folder (PNGs beside a CSV of annotations) or tfds (a prepared TensorFlow dataset).
      dir: the folder, or the data_dir of TensorFlow Datasets; where it is empty, a set is drawn
        on first use into the folder `dataset` beside the run's workdir.
      annotations: name of the CSV in the folder.
      validation_share: share of the crops that validation keeps to itself; 0 for none.
      images: how many crops are drawn.
      seed: of drawn crops.
      drawn: ranges of drawn crops.
    """

    format: str = "folder"
    dir: str = ""
    annotations: str = "annotations.csv"
    validation_share: float = limited(0.3, 0.0, 0.99)
    images: int = limited(1000, 2)
    seed: int = limited(0, 0, 2**31 - 1)
    drawn: GranaConfig = dataclasses.field(default_factory=GranaConfig)


def check_data(data: DataConfig, path: str) -> None:
    """Checks what the limits of single fields leave open.

    Raises:
      InputError: the format is none of its choices, or drawn periods and rows contradict each
        other.
    """
    if data.format not in DATASET_FORMATS:
        raise InputError(
            f"{path}.format is {data.format!r}; accepted: {', '.join(DATASET_FORMATS)}"
            + did_you_mean(data.format, DATASET_FORMATS)
        )
    check_source(data.drawn, f"{path}.drawn")
