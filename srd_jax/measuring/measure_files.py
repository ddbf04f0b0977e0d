"""Measures image files by any method: reads, turns if asked, measures, judges."""

import dataclasses
import itertools
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from srd_jax.imaging.crop import Crop, open_crops
from srd_jax.imaging.orientation import rotate, tilt
from srd_jax.measuring.measurement import Measurement, Method
from srd_jax.measuring.result import DEFAULT_LIMITS, Limits, Result, check_scale, result_of
from srd_jax.support import parallel
from srd_jax.support.errors import InputError, reason, unexpected

# Crops tilted by less, degrees, aren't turned: turning blurs a little.
_LEVEL = 1.0

# Scales of an annotation and of the file that differ by less, as a share, agree.
_SCALE_ROUNDING = 0.01

# Grana of a file that a process sends at once; the main one reads a file with more, one by one.
_MOST_AT_ONCE = 32

# Path and scale of a file; None where it isn't given.
_File = tuple[pathlib.Path, float | None]

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


@dataclasses.dataclass(frozen=True)
class Measured:
    """The result of a granum, with crop and measurement for a picture; both None for an error.

    Attributes:
      result: row of the table.
      crop: of the file, turned if asked.
      measurement: of the crop.
      last: whether it is the last granum of its file.
    """

    result: Result
    crop: Crop | None = None
    measurement: Measurement | None = None
    last: bool = True


def measure_files(
    method: Method,
    paths: Iterable[pathlib.Path],
    px_per_nm: float | None = None,
    limits: Limits = DEFAULT_LIMITS,
    with_attention: bool = False,
    auto_rotate: bool = False,
    scales: Mapping[pathlib.Path, float] | None = None,
    workers: int = 0,
) -> Iterator[Measured]:
    """Yields the results of files in order; a bad file gives a result with the reason.

    A file whose mask tells several grana apart gives a result for each, with its label. A thread
    reads the next batch while one is measured, so up to three of them are in memory; worker
    processes read one more, and as many files as they are.

    Args:
      method: from `estimator.load` or `methods.make`.
      paths: image files; each is taken shortly before it is read.
      px_per_nm: scale of all files; None takes each file's own.
      limits: of status ok.
      with_attention: also return the attention, if the method has any.
      auto_rotate: turn each crop first, so that its lamellae run horizontally.
      scales: of some files, by their paths as given, which count above a file's own.
      workers: processes that read and prepare files; 0 for the thread alone. A program that asks
        for some needs the guard `if __name__ == "__main__"`, see `multiprocessing`.

    Raises:
      InputError: the scale isn't above 0, the device's memory doesn't suffice, or no process can be
        started.
    """
    if px_per_nm is not None:
        check_scale(px_per_nm)
    given = scales or {}
    files = ((path, given.get(path)) for path in paths)
    reader = _Reader(method.preparing() if workers else method.prepare, auto_rotate)
    if workers:
        grana = _by_workers(reader, files, workers, method.batch_size)
    else:
        grana = itertools.chain.from_iterable(map(reader.grana, files))
    for read in _ahead(grana, method.batch_size):
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
      last: whether it is the last granum of its file.
    """

    path: pathlib.Path
    label: int | None
    prepared: Any
    crop: Crop | None = None
    tilt_deg: float | None = None
    rotated_deg: float | None = None
    last: bool = True


@dataclasses.dataclass(frozen=True)
class _Reader:
    """Reads and prepares the grana of files, also in another process.

    Attributes:
      prepare: of the method.
      auto_rotate: whether each crop is turned first.
    """

    prepare: Callable[[Crop], Any]
    auto_rotate: bool

    def grana(self, file: _File) -> Iterator[_Read]:
        """Yields the grana of a file one by one."""
        path, scale = file
        crops = _or_reason(path, lambda: open_crops(path))
        if isinstance(crops, str):
            yield _Read(path, None, crops)
            return
        for number, (label, read_crop) in enumerate(crops.items(), 1):
            last = number == len(crops)

            def read(label=label, read_crop=read_crop, last=last) -> _Read:
                return self._prepared(path, label, _with_scale(read_crop(), scale), last)

            one = _or_reason(path, read)
            yield _Read(path, label, one, last=last) if isinstance(one, str) else one

    def few(self, file: _File) -> list[_Read] | None:
        """Returns the grana of a file; None if they are too many to be in memory at once."""
        found = list(itertools.islice(self.grana(file), _MOST_AT_ONCE))
        return found if found[-1].last else None

    def _prepared(self, path: pathlib.Path, label: int | None, crop: Crop, last: bool) -> _Read:
        """Returns a granum prepared by the method, turned if asked.

        Raises:
          InputError: it cannot be measured.
        """
        degrees, turned = tilt(crop.image, crop.mask), None
        if self.auto_rotate and degrees is not None and abs(degrees) > _LEVEL:
            crop, turned = _turned(crop, -degrees), -degrees
            degrees = tilt(crop.image, crop.mask)
        return _Read(path, label, self.prepare(crop), crop, degrees, turned, last)


def _by_workers(
    reader: _Reader, files: Iterable[_File], workers: int, batch_size: int
) -> Iterator[_Read]:
    """Yields the grana of files, which processes read."""
    read = parallel.ordered(
        reader.few, files, workers, batch_size + workers, _lost, preload=[__name__]
    )
    for file, grana in read:
        yield from reader.grana(file) if grana is None else grana


def _lost(file: _File) -> list[_Read]:
    why = "the process that read it was killed; accepted are files that memory suffices for"
    return [_Read(file[0], None, why)]


def _or_reason(path: pathlib.Path, function: Callable[[], _Made]) -> _Made | str:
    """Returns what a function makes of a file, or the reason why it can't."""
    try:
        return function()
    except InputError as error:
        return reason(error, path)  # the name of the file is a column of its own
    except Exception as error:
        return f"could not be measured ({unexpected(error)})"


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
        result = Result(str(read.path), reason=answer, label=read.label)
        return Measured(result, last=read.last)
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
        return Measured(dataclasses.replace(result, label=read.label), last=read.last)
    result = dataclasses.replace(
        result, rotated_deg=read.rotated_deg, mask=crop.mask_source, label=read.label
    )
    return Measured(result, crop, answer, read.last)
