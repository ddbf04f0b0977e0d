"""Writes the figures of a training run: its curves, and the attention in validation images."""

import functools
import math
import pathlib
from collections.abc import Sequence

import jax
import numpy as np

from srd_jax.imaging.folders import ATTENTION_ENDING
from srd_jax.support.compiling import jit
from srd_jax.tasks.period import model
from srd_jax.tasks.period.attention import attention_figure, title, write_figure
from srd_jax.tasks.period.calibration import Calibration
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.tasks.period.scores import MAE
from srd_jax.tasks.period.sources import PeriodSource
from srd_jax.training.curves import write_curves
from srd_jax.training.workdir import CURVES, FIGURES

_NOT_CALIBRATED = Calibration()


def write_figures(
    config: PeriodConfig,
    workdir: pathlib.Path,
    source: PeriodSource,
    parameters: dict[str, np.ndarray],
    rows: Sequence[dict[str, float]],
    calibration: Calibration = _NOT_CALIBRATED,
) -> None:
    """Writes curves.png, and attention/*.attention.png with a PDF of each, into a workdir.

    Args:
      config: of the run.
      workdir: of the run.
      source: of the run; its first validation images are shown.
      parameters: of the network that measures these images.
      rows: all metrics rows.
      calibration: of the sd in the titles.

    Raises:
      InputError: a file cannot be written.
    """
    reference = None if math.isnan(config.reference_mae) else config.reference_mae
    beside = {"val_sd": "mean of the predicted sd, validation"}
    write_curves(workdir / CURVES, rows, MAE, reference, beside)
    draw = jit(source.validation)
    predict = jit(functools.partial(model.as_function(config.model), with_attention=True))
    size, kind = config.validation.batch_size, "validation" if source.held_out else "training"
    scales = source.validation_scale
    names = source.validation_names or [
        f"{kind} image {number}" for number in range(source.validation_size)
    ]
    for number in range(min(config.validation.pictures, source.validation_size)):
        index, place = divmod(number, size)
        batch = draw(source.arrays, index)
        image = batch.image[place]
        found = jax.device_get(predict(parameters, image[None]))
        text = title(
            f"{config.name}: {names[number]}",
            period=float(found.period[0]),
            sd=None if found.sd is None else float(calibration.apply(found.sd)[0]),
            true=float(batch.target[place]),
            scale=None if scales is None else float(scales[number]),
        )
        write_figure(
            workdir / FIGURES / f"{kind}_{number:03d}{ATTENTION_ENDING}",
            attention_figure(np.asarray(image), found.attention[0], config.model.geometry, text),
        )
