"""Measures the period of crops with trained weights: the estimator, and rows for files."""

import dataclasses
import functools
import math
import os
import pathlib
from collections.abc import Iterable, Iterator, Sequence

import jax
import numpy as np

from srd_jax import checkpoint, model, weights
from srd_jax.compiling import jit
from srd_jax.errors import InputError, one_line
from srd_jax.images import Crop, read_crop
from srd_jax.preparation import Prepared, prepare
from srd_jax.weights import Weights

FRAME = (476, 476)


@dataclasses.dataclass(frozen=True)
class Measurement:
    """What the network says of one crop; lengths in px of the crop.

    Attributes:
      period_px: mean period.
      sd_px: its standard deviation; None where the weights have no confidence branch.
      attention: (pools, heads, rows, columns) on the grid of positions, None unless asked for.
      scale: px of the frame per px of the crop, vertically.
      box: (row0, row1, column0, column1), the half-open part of the crop that was measured.
    """

    period_px: float
    sd_px: float | None
    attention: np.ndarray | None
    scale: float
    box: tuple[int, int, int, int]


@dataclasses.dataclass(frozen=True)
class Limits:
    """When a measurement is reported as ok rather than low_confidence.

    The values with a scale are those that the GRANA application accepts (Bukat, Bukowicki et al.
    2025, Plant Physiology kiaf212).

    Attributes:
      sd_nm: greatest sd where the scale is known.
      period_nm: shortest and longest period where the scale is known.
      relative_sd: greatest sd / period where the scale isn't known.
    """

    sd_nm: float = 2.5
    period_nm: tuple[float, float] = (14.0, 30.0)
    relative_sd: float = 0.125


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the results; px of the crop, None for what isn't known."""

    file: str
    period_px: float | None = None
    sd_px: float | None = None
    px_per_nm: float | None = None
    period_nm: float | None = None
    sd_nm: float | None = None
    status: str = "error"
    reason: str = ""
    px_per_nm_source: str = ""


class Estimator:
    """Measures crops; made by `load`. Deterministic: dropout is off."""

    def __init__(self, found: Weights, batch_size: int = 8):
        """Compiles nothing yet; that happens once, at the first crop.

        Raises:
          InputError: a parameter is missing, extra or misshapen.
        """
        expected = model.parameter_shapes(found.model)
        shapes = {name: value.shape for name, value in found.parameters.items()}
        weights.check_shapes(shapes, expected, "weights")
        self.weights = found
        self.batch_size = batch_size
        self.frame = FRAME
        self._parameters = jax.device_put(dict(found.parameters))
        self._apply = jit(self._evaluate, static_argnames="with_attention")

    def _evaluate(self, parameters, image, with_attention):
        with jax.default_matmul_precision("highest"):
            return model.as_function(self.weights.model)(
                parameters, image, with_attention=with_attention
            )

    def __call__(
        self, images: Iterable[np.ndarray | Crop], with_attention: bool = False
    ) -> list[Measurement]:
        """Measures crops of grana whose lamellae run horizontally.

        Args:
          images: crops as `images.read_crop` gives them, or (rows, columns) grey values 0..1 or
            uint8, which are measured whole.
          with_attention: also return where the network looked.

        Raises:
          InputError: a crop cannot be measured; the message says which.
        """
        prepared = []
        for number, image in enumerate(images):
            try:
                prepared.append(self.prepare(image))
            except InputError as error:
                raise InputError(f"image {number}: {error}") from None
        return self.measure(prepared, with_attention)

    def prepare(self, image: np.ndarray | Crop) -> Prepared:
        """Brings one crop into the frame; see `preparation.prepare`.

        Raises:
          InputError: the crop cannot be measured.
        """
        if isinstance(image, Crop):
            grey, mask = image.image, image.mask
        else:
            grey = np.asarray(image)
            grey = grey / np.float32(255) if grey.dtype == np.uint8 else grey
            mask = np.ones(grey.shape, bool)
        prepared = prepare(grey, mask, self.frame)
        if np.ptp(grey[mask]) == 0:
            raise InputError(
                f"every pixel of the granum has the grey value {grey[mask][0]:.3g}; "
                "accepted is an image of lamellae"
            )
        return prepared

    def measure(
        self, prepared: Sequence[Prepared], with_attention: bool = False
    ) -> list[Measurement]:
        """Measures prepared crops, batch by batch through one compiled function."""
        measurements = []
        for start in range(0, len(prepared), self.batch_size):
            part = prepared[start : start + self.batch_size]
            # Padded with the first image: another shape would compile anew.
            frames = [p.image for p in part] + [part[0].image] * (self.batch_size - len(part))
            found = jax.device_get(
                self._apply(self._parameters, np.stack(frames), with_attention=with_attention)
            )
            measurements += [_measurement(found, i, one) for i, one in enumerate(part)]
        return measurements


def _measurement(found: model.Prediction, index: int, prepared: Prepared) -> Measurement:
    return Measurement(
        period_px=float(found.period[index]) / prepared.scale,
        sd_px=None if found.sd is None else float(found.sd[index]) / prepared.scale,
        attention=None if found.attention is None else np.asarray(found.attention[index]),
        scale=prepared.scale,
        box=prepared.box,
    )


def load(path: str | os.PathLike[str], batch_size: int = 8) -> Estimator:
    """Returns an estimator from a weights file or from the workdir of a training run.

    Args:
      path: a weights.safetensors, or a workdir, whose weights.safetensors or else best checkpoint
        is taken.
      batch_size: crops measured at once.

    Raises:
      InputError: there are no weights, or they are not of this network.
    """
    path = pathlib.Path(path)
    if not path.is_dir():
        found = weights.load(path)
    elif (path / "weights.safetensors").exists():
        found = weights.load(path / "weights.safetensors")
    else:
        parameters, config, step = checkpoint.load_parameters(path)
        found = Weights(parameters, config.model, {"run": config.name, "step": step})
    try:
        return Estimator(found, batch_size)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


@dataclasses.dataclass(frozen=True)
class Measured:
    """A row with what a picture of it needs; crop and measurement are None for an error."""

    row: Row
    crop: Crop | None = None
    measurement: Measurement | None = None


def measure_files(
    estimator: Estimator,
    paths: Iterable[pathlib.Path],
    px_per_nm: float | None = None,
    limits: Limits = Limits(),
    with_attention: bool = False,
) -> Iterator[Measured]:
    """Measures files in order, a batch in memory at a time; a bad file gives a row of its own.

    Args:
      estimator: from `load`.
      paths: image files.
      px_per_nm: scale of all files; None takes what a file states.
      limits: of what is ok.
      with_attention: also return where the network looked.
    """
    files, size = list(paths), estimator.batch_size
    field = estimator.weights.model.geometry.receptive_field[0]
    for part in (files[i : i + size] for i in range(0, len(files), size)):
        read = [_read(estimator, path) for path in part]
        good = [one[1] for one in read if not isinstance(one, InputError)]
        measured = iter(estimator.measure(good, with_attention))
        for path, one in zip(part, read, strict=True):
            if isinstance(one, InputError):
                yield Measured(Row(str(path), reason=one_line(one)))
                continue
            measurement = next(measured)
            row = _row(path, one[0], measurement, px_per_nm, limits, field)
            yield Measured(row, one[0], measurement)


def _read(estimator: Estimator, path: pathlib.Path) -> tuple[Crop, Prepared] | InputError:
    try:
        crop = read_crop(path)
    except InputError as error:
        return error
    try:
        return crop, estimator.prepare(crop)
    except InputError as error:
        return InputError(f"{path}: {error}")


def _row(
    path: pathlib.Path,
    crop: Crop,
    measurement: Measurement,
    px_per_nm: float | None,
    limits: Limits,
    field: int,
) -> Row:
    source = crop.px_per_nm_source if px_per_nm is None else "given"
    scale = crop.px_per_nm if px_per_nm is None else px_per_nm
    period, sd = measurement.period_px, measurement.sd_px
    in_nm = functools.partial(_divided, by=scale)
    row = Row(
        str(path), period, sd, scale, in_nm(period), in_nm(sd), "ok", "", source if scale else ""
    )
    if not math.isfinite(period) or not math.isfinite(sd or 0.0):
        return Row(str(path), reason=f"{path}: the network gives period {period}, sd {sd}")
    if reason := _doubt(row, field / measurement.scale, limits):
        return dataclasses.replace(row, status="low_confidence", reason=reason)
    if sd is None:
        return dataclasses.replace(row, reason="these weights give no sd")
    return row


def _divided(length: float | None, by: float | None) -> float | None:
    return None if length is None or by is None else length / by


def _doubt(row: Row, field_px: float, limits: Limits) -> str:
    """Returns why a row is not to be trusted, or an empty text; field_px is in px of the crop."""
    low, high = limits.period_nm
    reasons = []
    if row.period_px is not None and row.period_px > field_px:
        reasons.append(
            f"period {row.period_px:.1f} px is longer than the {field_px:.1f} px seen at once"
        )
    if row.period_nm is not None and not low <= row.period_nm <= high:
        reasons.append(f"period {row.period_nm:.1f} nm is outside of {low:g} to {high:g} nm")
    if row.sd_nm is not None:
        if row.sd_nm > limits.sd_nm:
            reasons.append(f"sd {row.sd_nm:.1f} nm is above {limits.sd_nm:g} nm")
    elif row.sd_px is not None and row.period_px is not None:
        relative = row.sd_px / row.period_px
        if relative > limits.relative_sd:
            reasons.append(f"sd is {relative:.0%} of the period, above {limits.relative_sd:.1%}")
    return "; ".join(reasons)
