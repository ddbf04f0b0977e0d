"""The estimator: measures the period of crops with trained weights."""

import functools
import os
import pathlib
from collections.abc import Sequence

import jax
import numpy as np

from srd_jax.imaging.crop import Crop
from srd_jax.imaging.masks import check_lamellae, slices
from srd_jax.imaging.preparation import FRAME, Prepared, prepare
from srd_jax.measuring.measurement import (
    BATCH_SIZE,
    Measurement,
    Method,
    check_batch_size,
    grey_and_mask,
)
from srd_jax.networks.modules import check_shapes, shapes_of
from srd_jax.support.compiling import jit, over_images
from srd_jax.support.errors import InputError, naming
from srd_jax.tasks.period import model, weights


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
        part = slices(prepared.box)
        check_lamellae(grey[part], mask[part])
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
    with naming(pathlib.Path(path or weights.RELEASED)):
        return Estimator(found, batch_size)
