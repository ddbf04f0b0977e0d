"""Measures image files by any method: reads, turns if asked, measures, judges."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from srd_jax.imaging.crop import Crop, read_crop
from srd_jax.imaging.orientation import tilt
from srd_jax.imaging.rotation import rotate
from srd_jax.measuring.measurement import Measurement, Method
from srd_jax.measuring.result import DEFAULT_LIMITS, Limits, Result, check_scale, result_of
from srd_jax.support.errors import InputError, reason, unexpected

# Crops tilted by less, degrees, aren't turned: turning blurs a little.
_LEVEL = 1.0

# Scales of an annotation and of the file that differ by less, as a share, agree.
_SCALE_ROUNDING = 0.01

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


@dataclasses.dataclass(frozen=True)
class Measured:
    """The result of a file, with crop and measurement for a picture; both None for an error."""

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
    scales: Mapping[pathlib.Path, float] | None = None,
) -> Iterator[Measured]:
    """Yields the results of files in order; a bad file gives a result with the reason.

    A thread reads the next batch while one is measured, so up to three of them are in memory.

    Args:
      method: from `estimator.load` or `methods.make`.
      paths: image files.
      px_per_nm: scale of all files; None takes each file's own.
      limits: of status ok.
      with_attention: also return the attention, if the method has any.
      auto_rotate: turn each crop first, so that its lamellae run horizontally.
      scales: of some files, by their paths as given, which count above a file's own.

    Raises:
      InputError: the scale isn't above 0, or the device's memory doesn't suffice.
    """
    if px_per_nm is not None:
        check_scale(px_per_nm)
    files, size = list(paths), method.batch_size
    parts = [files[i : i + size] for i in range(0, len(files), size)]
    for read in _ahead(functools.partial(_read, method, auto_rotate, scales or {}), parts):
        answers = method.measure_good([one.prepared for one in read], with_attention)
        for one, answer in zip(read, answers, strict=True):
            yield _measured(method, one, answer, px_per_nm, limits)


def _ahead(function: Callable[[_Item], _Made], items: Iterable[_Item]) -> Iterator[_Made]:
    """Yields function(item) in order, while a thread computes the next one."""
    # One thread only, as reading an image silences the warnings and loggers of all threads.
    with ThreadPoolExecutor(max_workers=1) as pool:
        current = None
        for item in items:
            following = pool.submit(function, item)
            if current is not None:
                yield current.result()
            current = following
        if current is not None:
            yield current.result()


@dataclasses.dataclass(frozen=True)
class _Read:
    """A file before it is measured.

    Attributes:
      path: of the file.
      prepared: crop prepared by the method, or the reason why it cannot be measured.
      crop: of the file, turned if asked.
      tilt_deg: direction of the crop's lamellae; None if it isn't clear.
      rotated_deg: how far the crop was turned; None if it wasn't.
    """

    path: pathlib.Path
    prepared: Any
    crop: Crop | None = None
    tilt_deg: float | None = None
    rotated_deg: float | None = None


def _read(
    method: Method,
    auto_rotate: bool,
    scales: Mapping[pathlib.Path, float],
    paths: Iterable[pathlib.Path],
) -> list[_Read]:
    """Reads and prepares a batch of files."""
    read = []
    for path in paths:
        try:
            crop = _with_scale(read_crop(path), scales.get(path))
            degrees, turned = tilt(crop.image, crop.mask), None
            if auto_rotate and degrees is not None and abs(degrees) > _LEVEL:
                crop, turned = _turned(crop, -degrees), -degrees
                degrees = tilt(crop.image, crop.mask)
            read.append(_Read(path, method.prepare(crop), crop, degrees, turned))
        except InputError as error:
            # The name of the file is a column of its own.
            read.append(_Read(path, reason(error, path)))
        except Exception as error:
            read.append(_Read(path, f"could not be measured ({unexpected(error)})"))
    return read


def _with_scale(crop: Crop, px_per_nm: float | None) -> Crop:
    """Returns a crop with the scale of its annotation, and with a note if its own differs."""
    if px_per_nm is None:
        return crop
    notes = crop.notes
    if crop.px_per_nm is not None and abs(crop.px_per_nm / px_per_nm - 1) > _SCALE_ROUNDING:
        notes += (
            f"annotated with {px_per_nm:.4g} px/nm, but {crop.px_per_nm:.4g} px/nm by "
            f"{crop.px_per_nm_source}",
        )
    return dataclasses.replace(
        crop, px_per_nm=px_per_nm, px_per_nm_source="annotations", notes=notes
    )


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
        return Measured(Result(str(read.path), reason=answer))
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
    )
    if result.status == "error":
        return Measured(result)
    result = dataclasses.replace(result, rotated_deg=read.rotated_deg)
    return Measured(result, crop, answer)
