"""Measures image files by any method: reads, turns if asked for, measures, judges."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from srd_jax.imaging.crop import Crop, read_crop
from srd_jax.imaging.orientation import tilt
from srd_jax.imaging.rotation import rotate
from srd_jax.measuring.measurement import Measurement, Method
from srd_jax.measuring.result import DEFAULT_LIMITS, Limits, Result, check_scale, result_of
from srd_jax.support.errors import InputError, one_line

# Lamellae that run flatter than this, degrees, are left as they are: turning blurs a little.
_LEVEL = 1.0

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


@dataclasses.dataclass(frozen=True)
class Measured:
    """A file's result, with its crop and measurement for a picture; both are None for an error."""

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
    """Measures files in order; a bad file gives a result that says why.

    The next batch is read in a thread while one is computed, so no more than three of them are in
    memory.

    Args:
      method: from `load` or `methods.make`.
      paths: image files.
      px_per_nm: scale of all files; None takes what a file states.
      limits: of what is ok.
      with_attention: also return where the method looked, if it can tell.
      auto_rotate: turn each crop by the angle at which its lamellae are found to run, first.

    Raises:
      InputError: the scale isn't above 0, or the device's memory doesn't suffice.
    """
    if px_per_nm is not None:
        check_scale(px_per_nm)
    files, size = list(paths), method.batch_size
    parts = [files[i : i + size] for i in range(0, len(files), size)]
    for read in _ahead(functools.partial(_read, method, auto_rotate), parts):
        good = [one.prepared for one in read if isinstance(one, _Read)]
        measured = iter(method.measure(good, with_attention))
        for one in read:
            if isinstance(one, Result):
                yield Measured(one)
            else:
                yield _measured(method, one, next(measured), px_per_nm, limits)


def _ahead(function: Callable[[_Item], _Made], items: Iterable[_Item]) -> Iterator[_Made]:
    """Yields function(item) in order; a thread computes the next one while one is in use."""
    # A single thread, as reading an image silences warnings and loggers, which all threads share.
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
    """A file's crop, turned if asked for, with what is known of it before it is measured."""

    path: pathlib.Path
    crop: Crop
    prepared: Any
    tilt_deg: float | None
    rotated_deg: float | None


def _read(method: Method, auto_rotate: bool, paths: Iterable[pathlib.Path]) -> list[_Read | Result]:
    """Returns what a batch of files holds; of a bad one, the result that says why."""
    read: list[_Read | Result] = []
    for path in paths:
        try:
            crop = read_crop(path)
            degrees, turned = tilt(crop.image, crop.mask), None
            if auto_rotate and degrees is not None and abs(degrees) > _LEVEL:
                crop, turned = _turned(crop, -degrees), -degrees
                degrees = tilt(crop.image, crop.mask)
            read.append(_Read(path, crop, method.prepare(crop), degrees, turned))
        except InputError as error:
            # The file's own name is a column of its own.
            reason = str(error).removeprefix(f"{path}: ")
            read.append(Result(str(path), reason=one_line(InputError(reason))))
    return read


def _turned(crop: Crop, degrees: float) -> Crop:
    image, mask = rotate(crop.image, crop.mask, degrees)
    return dataclasses.replace(crop, image=image, mask=mask)


def _measured(
    method: Method,
    read: _Read,
    measurement: Measurement,
    px_per_nm: float | None,
    limits: Limits,
) -> Measured:
    crop = read.crop
    result = result_of(
        str(read.path),
        measurement,
        crop.px_per_nm if px_per_nm is None else px_per_nm,
        method.field_rows,
        crop.px_per_nm_source if px_per_nm is None else "given",
        limits,
        read.tilt_deg,
    )
    if result.status == "error":
        return Measured(result)
    result = dataclasses.replace(result, rotated_deg=read.rotated_deg)
    return Measured(result, crop, measurement)
