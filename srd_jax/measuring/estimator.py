"""The estimator: measures the period of crops by a trained network."""

import dataclasses
import functools
import os
import pathlib
from collections.abc import Callable, Sequence

import jax
import numpy as np

from srd_jax.imaging.crop import Crop
from srd_jax.imaging.preparation import FRAME, Prepared
from srd_jax.measuring import BATCH_SIZE
from srd_jax.measuring.measurement import (
    Framing,
    Measurement,
    Method,
    check_batch_size,
    of_views,
)
from srd_jax.networks.modules import check_shapes, shapes_of
from srd_jax.support.compiling import jit, over_images
from srd_jax.support.errors import InputError, naming
from srd_jax.tasks.period import model, weights
from srd_jax.tasks.period.config import ROBUST


class Estimator(Method[tuple[Prepared, ...]]):
    """Measures crops by a network, deterministically; `load` makes it."""

    def __init__(self, found: weights.PeriodWeights, batch_size: int = BATCH_SIZE):
        """Checks the weights; the first crop compiles the network.

        Args:
          found: parameters and config of a network.
          batch_size: number of crops measured at once.

        Raises:
          InputError: a parameter is missing, extra or of another shape, the network's grid doesn't
            fit the frame, or the batch size is below 1.
        """
        check_batch_size(batch_size)
        expected = model.parameter_shapes(found.model)
        check_shapes(shapes_of(found.parameters), expected, "weights")
        found.model.geometry.grid(*FRAME)
        # A network that was trained in fewer bits measures in all of them.
        self.weights = dataclasses.replace(
            found, model=dataclasses.replace(found.model, compute_dtype="float32")
        )
        self.batch_size = batch_size
        self.geometry = found.model.geometry
        self.digest = weights.digest(found)
        self.framing = Framing(found.model.grey == ROBUST)
        self._parameters = jax.device_put(dict(found.parameters))
        self._apply = jit(self._evaluate, static_argnames="with_attention")

    def _evaluate(self, parameters, image, with_attention):
        apply = functools.partial(
            model.as_function(self.weights.model), parameters, with_attention=with_attention
        )
        with jax.default_matmul_precision("highest"):
            return over_images(apply, image)

    def prepare(self, image: np.ndarray | Crop) -> tuple[Prepared, ...]:
        """Rescales one crop to frames; see `preparation.prepare_scales`.

        A network that was trained on grey values as they are sees one frame, as the reference's.

        Raises:
          InputError: the crop cannot be measured.
        """
        return self.framing.scales(image)

    def preparing(self) -> Callable[[np.ndarray | Crop], tuple[Prepared, ...]]:
        """Returns `prepare` as a function that other processes can be sent, without weights."""
        return self.framing.scales

    def measure(
        self, prepared: Sequence[tuple[Prepared, ...]], with_attention: bool = False
    ) -> list[Measurement]:
        """Measures prepared crops, and combines the measurements at several scales.

        Raises:
          InputError: the device's memory doesn't suffice for the batch.
        """
        frames = [frame for frames in prepared for frame in frames]
        measured = iter(self.measure_frames(frames, with_attention))
        return [of_views([next(measured) for _ in frames]) for frames in prepared]

    def measure_frames(
        self, prepared: Sequence[Prepared], with_attention: bool = False
    ) -> list[Measurement]:
        """Measures frames in batches by one compiled function; on a CPU, one by one.

        Raises:
          InputError: the device's memory doesn't suffice for the batch.
        """
        measurements = []
        # A CPU takes image by image anyhow, see `over_images`.
        size = 1 if jax.default_backend() == "cpu" else self.batch_size
        for start in range(0, len(prepared), size):
            part = prepared[start : start + size]
            # Padded with its first image, as another shape would be compiled anew.
            frames = [p.image for p in part] + [part[0].image] * (size - len(part))
            found = self._predict(np.stack(frames), with_attention)
            measurements += [self._measurement(found, i, one) for i, one in enumerate(part)]
        return measurements

    def _predict(self, frames: np.ndarray, with_attention: bool) -> model.Prediction:
        """Returns the prediction for a batch, on the host."""
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
        """Returns one measurement of a batch, with a calibrated sd."""
        sd = None if found.sd is None else self.weights.calibration.apply(np.asarray(found.sd))
        return Measurement(
            period_px=float(found.period[index]) / prepared.scale,
            sd_px=None if sd is None else float(sd[index]) / prepared.scale,
            attention=None if found.attention is None else np.asarray(found.attention[index]),
            scale=prepared.scale,
            box=prepared.box,
        )


def load(path: str | os.PathLike[str] | None = None, batch_size: int = BATCH_SIZE) -> Estimator:
    """Loads an estimator from a weights file or the workdir of a training run.

    Args:
      path: weights.safetensors, or a workdir, of which weights.safetensors or else the best
        checkpoint is read; None for the weights of the package.
      batch_size: number of crops measured at once.

    Raises:
      InputError: there are no weights, or they belong to another network.
    """
    found = weights.load(path)
    with naming(pathlib.Path(path or weights.RELEASED)):
        return Estimator(found, batch_size)
