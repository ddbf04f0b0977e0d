"""Measures the period of crops with trained weights, and of files with any method."""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import jax
import numpy as np

from srd_jax.imaging.crop import Crop, read_crop
from srd_jax.imaging.orientation import tilt
from srd_jax.imaging.preparation import FRAME, Prepared, prepare
from srd_jax.imaging.rotation import rotate
from srd_jax.measuring.measurement import Measurement, Method, check_batch_size, grey_and_mask
from srd_jax.measuring.result import DEFAULT_LIMITS, Limits, Row, check_scale, row_of
from srd_jax.networks.modules import check_shapes, shapes_of
from srd_jax.support.compiling import jit, over_images
from srd_jax.support.errors import InputError, one_line
from srd_jax.tasks.period import model, weights

BATCH_SIZE = 8

# Lamellae that run flatter than this, degrees, are left as they are: turning blurs a little.
LEVEL = 1.0

Item = TypeVar("Item")
Result = TypeVar("Result")


class Estimator(Method[Prepared]):
    """Measures crops; made by `load`. Deterministic: dropout is off."""

    def __init__(self, found: weights.PeriodWeights, batch_size: int = BATCH_SIZE):
        """Compiles nothing yet; that happens once, at the first crop.

        Args:
          found: parameters and config of a network.
          batch_size: crops measured at once.

        Raises:
          InputError: a parameter is missing, extra or misshapen, the network's grid doesn't fit
            the frame, or the batch size is below 1.
        """
        check_batch_size(batch_size)
        expected = model.parameter_shapes(found.model)
        check_shapes(shapes_of(found.parameters), expected, "weights")
        found.model.geometry.grid(*FRAME)
        self.weights = found
        self.batch_size = batch_size
        self.geometry = found.model.geometry
        self._parameters = jax.device_put(dict(found.parameters))
        self._apply = jit(self._evaluate, static_argnames="with_attention")

    def _evaluate(self, parameters, image, with_attention):
        apply = functools.partial(
            model.as_function(self.weights.model), parameters, with_attention=with_attention
        )
        with jax.default_matmul_precision("highest"):
            return over_images(apply, image)

    def prepare(self, image: np.ndarray | Crop) -> Prepared:
        """Brings one crop into the frame; see `preparation.prepare`.

        Raises:
          InputError: the crop cannot be measured.
        """
        grey, mask = grey_and_mask(image)
        prepared = prepare(grey, mask, FRAME)
        check_lamellae(grey, mask, prepared.box)
        return prepared

    def measure(
        self, prepared: Sequence[Prepared], with_attention: bool = False
    ) -> list[Measurement]:
        """Measures prepared crops, batch by batch through one compiled function.

        Raises:
          InputError: the device has no memory for so large a batch.
        """
        measurements = []
        for start in range(0, len(prepared), self.batch_size):
            part = prepared[start : start + self.batch_size]
            # Padded with the first image: another shape would compile anew.
            frames = [p.image for p in part] + [part[0].image] * (self.batch_size - len(part))
            found = self._predict(np.stack(frames), with_attention)
            measurements += [self._measurement(found, i, one) for i, one in enumerate(part)]
        return measurements

    def _predict(self, frames: np.ndarray, with_attention: bool) -> model.Prediction:
        """Returns the prediction of a whole batch, on the host."""
        try:
            return jax.device_get(
                self._apply(self._parameters, frames, with_attention=with_attention)
            )
        except jax.errors.JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" not in str(error):
                raise
            raise InputError(
                f"batch_size is {self.batch_size}, for which the memory of "
                f"{jax.devices()[0].device_kind} doesn't suffice; accepted is a smaller one"
            ) from error

    def _measurement(self, found: model.Prediction, index: int, prepared: Prepared) -> Measurement:
        """Returns one of a batch, its sd calibrated."""
        sd = None if found.sd is None else self.weights.calibration.apply(np.asarray(found.sd))
        return Measurement(
            period_px=float(found.period[index]) / prepared.scale,
            sd_px=None if sd is None else float(sd[index]) / prepared.scale,
            attention=None if found.attention is None else np.asarray(found.attention[index]),
            scale=prepared.scale,
            box=prepared.box,
        )


def check_lamellae(grey: np.ndarray, mask: np.ndarray, box: tuple[int, int, int, int]) -> None:
    """Checks that something is to be seen in a part of a granum.

    Args:
      grey: (rows, columns) grey values.
      mask: (rows, columns), true inside of the granum.
      box: (row0, row1, column0, column1), the half-open part, px of the crop.

    Raises:
      InputError: every pixel has the same grey value.
    """
    row0, row1, column0, column1 = box
    part = np.s_[row0:row1, column0:column1]
    values = grey[part][mask[part]]
    if values.min() == values.max():
        raise InputError(
            f"every pixel of the granum has the grey value {values[0]:.3g}; "
            "accepted is an image of lamellae"
        )


def load(path: str | os.PathLike[str] | None = None, batch_size: int = BATCH_SIZE) -> Estimator:
    """Returns an estimator from a weights file or from the workdir of a training run.

    Args:
      path: a weights.safetensors, or a workdir, whose weights.safetensors or else best checkpoint
        is taken; None for the weights that come with the package.
      batch_size: crops measured at once.

    Raises:
      InputError: there are no weights, or they are not of this network.
    """
    found = weights.load(path)
    try:
        return Estimator(found, batch_size)
    except InputError as error:
        raise InputError(f"{path or weights.RELEASED}: {error}") from None


@dataclasses.dataclass(frozen=True)
class Measured:
    """A row with what a picture of it needs; crop and measurement are None for an error."""

    row: Row
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
    """Measures files in order; a bad file gives a row of its own.

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
            if isinstance(one, Row):
                yield Measured(one)
            else:
                yield _measured(method, one, next(measured), px_per_nm, limits)


def _ahead(function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
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


def _read(method: Method, auto_rotate: bool, paths: Iterable[pathlib.Path]) -> list[_Read | Row]:
    """Returns what a batch of files holds; of a bad one, the row that says why."""
    read: list[_Read | Row] = []
    for path in paths:
        try:
            crop = read_crop(path)
            degrees, turned = tilt(crop.image, crop.mask), None
            if auto_rotate and degrees is not None and abs(degrees) > LEVEL:
                crop, turned = _turned(crop, -degrees), -degrees
                degrees = tilt(crop.image, crop.mask)
            read.append(_Read(path, crop, method.prepare(crop), degrees, turned))
        except InputError as error:
            # The file's own name is a column of its own.
            reason = str(error).removeprefix(f"{path}: ")
            read.append(Row(str(path), reason=one_line(InputError(reason))))
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
    row = row_of(
        str(read.path),
        measurement,
        crop.px_per_nm if px_per_nm is None else px_per_nm,
        method.field_rows,
        crop.px_per_nm_source if px_per_nm is None else "given",
        limits,
        read.tilt_deg,
    )
    if row.status == "error":
        return Measured(row)
    row = dataclasses.replace(row, rotated_deg=read.rotated_deg)
    return Measured(row, crop, measurement)
