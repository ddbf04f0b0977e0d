"""Prepares and reads sets of grana as a TensorFlow dataset, without TensorFlow.

Importing this module registers the dataset for `tfds.builder("srd_grana:1.0.0", data_dir=...)`. It
is prepared from a folder that `dataset.read_grana` reads, given as `manual_dir`; its files are
ArrayRecord, which `as_data_source` reads.
"""

import contextlib
import io
import os
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from srd_jax.imaging.annotations import read_annotations
from srd_jax.imaging.dataset import ANNOTATIONS, Granum, read_grana
from srd_jax.support.errors import InputError, one_line
from srd_jax.support.files import check_writable, unwritable

_NAME = "srd_grana"
_VERSION = "1.0.0"

# The usual name of the only split of a dataset.
_SPLIT = "train"


class SrdGrana(tfds.core.GeneratorBasedBuilder):
    """Grana as `dataset.read_grana` returns them, in the order of the CSV.

    The only split holds all crops; `dataset.split` splits them as it splits the folder's.
    `px_per_nm` is NaN where the scale isn't known.
    """

    VERSION = tfds.core.Version(_VERSION)
    RELEASE_NOTES = {"1.0.0": "First version."}  # noqa: RUF012
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        "A folder with one image a granum, pure blue outside of its mask, and annotations.csv."
    )

    def __init__(self, *, file_format: str = "array_record", **options: Any):
        """Takes the options of any builder; other file formats need TensorFlow."""
        super().__init__(file_format=file_format, **options)

    def _info(self) -> tfds.core.DatasetInfo:
        tensor = tfds.features.Tensor
        # A tensor in bytes, as a 64-bit Scalar is stored in 32 bits.
        number = tensor(shape=(), dtype=np.float64, encoding="bytes")
        return tfds.core.DatasetInfo(
            builder=self,
            description="Crops of chloroplast grana with their stacking repeat distance.",
            features=tfds.features.FeaturesDict(
                {
                    "name": tfds.features.Text(),
                    "image": tensor(shape=(None, None), dtype=np.float32, encoding="zlib"),
                    "mask": tensor(shape=(None, None), dtype=np.bool_, encoding="zlib"),
                    "period_px": number,
                    "px_per_nm": number,
                }
            ),
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        return {_SPLIT: self._generate_examples(read_grana(dl_manager.manual_dir))}

    def _generate_examples(self, grana: Sequence[Granum]) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, granum in enumerate(grana):
            scale = np.nan if granum.px_per_nm is None else granum.px_per_nm
            yield (
                number,
                {
                    "name": granum.name,
                    "image": granum.image,
                    "mask": granum.mask,
                    "period_px": np.float64(granum.period_px),
                    "px_per_nm": np.float64(scale),
                },
            )


def check_unprepared(data_dir: str | os.PathLike[str]) -> None:
    """Checks that the dataset can be prepared in a folder, before work is spent on it.

    Raises:
      InputError: it is prepared already, or the folder cannot be made or written to.
    """
    folder = _version_folder(data_dir)
    if folder.exists():
        raise InputError(
            f"{folder}: is there already; accepted is a data_dir without {_NAME} {_VERSION}"
        )
    check_writable(pathlib.Path(data_dir, f"{_NAME}.tmp"))


def prepare(folder: str | os.PathLike[str], data_dir: str | os.PathLike[str]) -> pathlib.Path:
    """Prepares the dataset whole or not at all.

    Args:
      folder: of the images and annotations.csv.
      data_dir: where TensorFlow Datasets keeps its datasets.

    Returns:
      The folder of this version of the dataset.

    Raises:
      InputError: it is prepared already, can't be written, or `dataset.read_grana` refuses the
        folder.
    """
    check_unprepared(data_dir)
    # Its message for a missing folder has several lines.
    read_annotations(pathlib.Path(folder, ANNOTATIONS))
    config = tfds.download.DownloadConfig(manual_dir=pathlib.Path(folder).resolve())
    # It prints text and progress bars.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            builder = SrdGrana(data_dir=os.fspath(data_dir))
            builder.download_and_prepare(download_config=config)
        except OSError as error:
            advice = "give a writable folder with room on its disk"
            raise unwritable(data_dir, error, advice) from error
    return _version_folder(data_dir)


def read_tfds(data_dir: str | os.PathLike[str]) -> list[Granum]:
    """Reads the prepared dataset: the same bits as `dataset.read_grana` of its folder.

    Args:
      data_dir: where TensorFlow Datasets keeps its datasets.

    Raises:
      InputError: this version of the dataset isn't there, or is damaged.
    """
    folder = _version_folder(data_dir)
    if not folder.is_dir():
        versions = sorted(path.name for path in folder.parent.glob("*.*.*"))
        found = f"the versions {', '.join(versions)}" if versions else "none"
        raise InputError(
            f"{data_dir}: holds {found} of {_NAME}; accepted is a folder where version {_VERSION} "
            "is prepared (srd make-dataset --tfds, or srd_jax.imaging.tfds.prepare)"
        )
    try:
        builder: Any = SrdGrana(data_dir=os.fspath(data_dir))  # its decorators hide its types
        return [_granum(example) for example in builder.as_data_source(split=_SPLIT)]
    # TensorFlow Datasets raises exceptions of almost every type for damaged files.
    except Exception as error:
        raise InputError(
            f"{folder}: cannot be read, damaged or incomplete ({one_line(error)}); "
            "accepted is the dataset as it was prepared; prepare it again"
        ) from error


def _granum(example: dict[str, Any]) -> Granum:
    scale = float(example["px_per_nm"])
    return Granum(
        name=example["name"].decode(),
        image=example["image"],
        mask=example["mask"],
        period_px=float(example["period_px"]),
        px_per_nm=None if np.isnan(scale) else scale,
    )


def _version_folder(data_dir: str | os.PathLike[str]) -> pathlib.Path:
    return pathlib.Path(data_dir) / _NAME / _VERSION
