"""Measures image files by any method: reads, turns if asked, measures, judges."""

import dataclasses
import itertools
import pathlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from srd_jax.imaging.crop import Crop, open_crops
from srd_jax.imaging.orientation import rotate, tilt
from srd_jax.measuring.measurement import Measurement, Method
from srd_jax.measuring.result import DEFAULT_LIMITS, Limits, Result, check_scale, result_of
from srd_jax.support.errors import InputError, reason

# Crops tilted by less, degrees, aren't turned: turning blurs a little.
_LEVEL = 1.0

_Item = TypeVar("_Item")


@dataclasses.dataclass(frozen=True)
class Measured:
    """The result of a granum, with crop and measurement for a picture; both None for an error."""

    result: Result
    crop: Crop | None = None
    measurement: Measurement | None = None


def measure_files(
    method: Method,
    paths: Iterable[pathlib.Path],
    px_per_nm: float | None = None,
    limits: Limits = DEFAULT_LIMITS,
    with_attention: bool = False,
    auto_rotate: bool = False,
) -> Iterator[Measured]:
    """Yields the results of files in order; a bad file gives a result with the reason.

    A file whose mask tells several grana apart gives a result for each, with its label. A thread
    reads the next batch while one is measured, so up to three of them are in memory.

    Args:
      method: from `estimator.load` or `methods.make`.
      paths: image files.
      px_per_nm: scale of all files; None takes each file's own.
      limits: of status ok.
      with_attention: also return the attention, if the method has any.
      auto_rotate: turn each crop first, so that its lamellae run horizontally.

    Raises:
      InputError: the scale isn't above 0, or the device's memory doesn't suffice.
    """
    if px_per_nm is not None:
        check_scale(px_per_nm)
    for read in _ahead(_read(method, auto_rotate, paths), method.batch_size):
        answers = method.measure_good([one.prepared for one in read], with_attention)
        for one, answer in zip(read, answers, strict=True):
            yield _measured(method, one, answer, px_per_nm, limits)


def _ahead(items: Iterator[_Item], size: int) -> Iterator[list[_Item]]:
    """Yields batches of items in order, while a thread makes the next one."""
    # One thread only, as reading an image silences the warnings and loggers of all threads.
    with ThreadPoolExecutor(max_workers=1) as pool:
        following = pool.submit(_batch, items, size)
        while batch := following.result():
            following = pool.submit(_batch, items, size)
            yield batch


def _batch(items: Iterator[_Item], size: int) -> list[_Item]:
    return list(itertools.islice(items, size))


@dataclasses.dataclass(frozen=True)
class _Read:
    """A granum before it is measured.

    Attributes:
      path: of the file.
      label: of the granum in the mask file; None where it is the only one.
      prepared: crop prepared by the method, or the reason why it cannot be measured.
      crop: of the file, turned if asked.
      tilt_deg: direction of the crop's lamellae; None if it isn't clear.
      rotated_deg: how far the crop was turned; None if it wasn't.
    """

    path: pathlib.Path
    label: int | None
    prepared: Any
    crop: Crop | None = None
    tilt_deg: float | None = None
    rotated_deg: float | None = None


def _read(method: Method, auto_rotate: bool, paths: Iterable[pathlib.Path]) -> Iterator[_Read]:
    """Reads and prepares the grana of files."""
    for path in paths:
        try:
            crops = open_crops(path)
        except InputError as error:
            # The name of the file is a column of its own.
            yield _Read(path, None, reason(error, path))
            continue
        for label, read_crop in crops.items():
            try:
                yield _prepared(method, auto_rotate, path, label, read_crop())
            except InputError as error:
                yield _Read(path, label, reason(error, path))


def _prepared(
    method: Method, auto_rotate: bool, path: pathlib.Path, label: int | None, crop: Crop
) -> _Read:
    """Returns a granum prepared by the method, turned if asked.

    Raises:
      InputError: it cannot be measured.
    """
    degrees, turned = tilt(crop.image, crop.mask), None
    if auto_rotate and degrees is not None and abs(degrees) > _LEVEL:
        crop, turned = _turned(crop, -degrees), -degrees
        degrees = tilt(crop.image, crop.mask)
    return _Read(path, label, method.prepare(crop), crop, degrees, turned)


def _turned(crop: Crop, degrees: float) -> Crop:
    image, mask = rotate(crop.image, crop.mask, degrees)
    return dataclasses.replace(crop, image=image, mask=mask)


def _measured(
    method: Method,
    read: _Read,
    answer: Measurement | str,
    px_per_nm: float | None,
    limits: Limits,
) -> Measured:
    """Returns the result of a file from its measurement, or from the reason why there is none."""
    if isinstance(answer, str):
        return Measured(Result(str(read.path), reason=answer, label=read.label))
    crop = read.crop
    assert crop is not None
    result = result_of(
        str(read.path),
        answer,
        crop.px_per_nm if px_per_nm is None else px_per_nm,
        method.field_rows,
        crop.px_per_nm_source if px_per_nm is None else "given",
        limits,
        read.tilt_deg,
        crop.notes,
        crop.doubts,
        int(crop.mask.sum(axis=0).max()),
    )
    if result.status == "error":
        return Measured(dataclasses.replace(result, label=read.label))
    result = dataclasses.replace(
        result, rotated_deg=read.rotated_deg, mask=crop.mask_source, label=read.label
    )
    return Measured(result, crop, answer)
