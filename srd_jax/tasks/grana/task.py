"""Makes finding grana a task of the training core: network, loss, scores, threshold, pictures."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from scipy import special

from srd_jax.networks.parameters import Parameters
from srd_jax.synthetic.scenes.batch import Tiles
from srd_jax.tasks.grana import losses, model, scores, sources
from srd_jax.tasks.grana.config import MicrographsConfig
from srd_jax.tasks.grana.model import Prediction
from srd_jax.tasks.grana.pictures import write_pictures
from srd_jax.tasks.grana.weights import Calibration, about
from srd_jax.training import curves
from srd_jax.training.task import Calibration as Fitted
from srd_jax.training.task import MetricsRow, Task
from srd_jax.training.workdir import CURVES

_COLUMNS = (
    "train_iou",
    "val_iou",
    "val_loss",
    "val_precision",
    "val_recall",
    "val_direction_deg",
    "val_period_percent",
)


@struct.dataclass
class Found:
    """Predictions and truth of validation tiles.

    Attributes:
      predicted: the maps.
      true: the tiles, with an image of one px, as no score needs it.
    """

    predicted: Prediction
    true: Tiles


def make(config: MicrographsConfig, workdir: pathlib.Path) -> Task:
    """Returns the task of a config; the workdir isn't needed, for all tiles are drawn."""
    source = sources.make(config)
    apply = model.as_function(config.model)

    def loss(parameters: Parameters, batch: Tiles, step: jax.Array, key: jax.Array):
        found = apply(parameters, batch.image)
        value = losses.total(losses.parts(found, batch, config.loss), config.loss)
        return value, {"iou": _iou(found, batch)}

    def evaluate(parameters: Parameters, batch: Tiles) -> Found:
        found = apply(parameters, batch.image)
        return Found(found, dataclasses.replace(batch, image=batch.image[:, :1, :1]))

    def draw(folder, parameters, rows: Sequence[MetricsRow], fitted: Fitted) -> None:
        curves.write_curves(folder / CURVES, rows, scores.IOU)
        threshold = Calibration(**fitted).threshold
        write_pictures(config, folder, source, parameters, threshold)

    return Task(
        source=source,
        shapes=model.parameter_shapes(config.model),
        initial=lambda key, batch: model.random_parameters(config.model, key),
        loss=loss,
        evaluate=evaluate,
        scores=lambda found: _scores(config, found),
        shown=scores.IOU,
        # All heads count in it.
        rank=scores.LOSS,
        columns=_COLUMNS,
        about=about(config.model),
        calibrate=_calibrate,
        summary=_summary,
        draw=draw,
    )


def _iou(found: Prediction, true: Tiles) -> jax.Array:
    """Returns the IoU of a batch at probability 0.5; 1 where nothing is true and nothing found."""
    positive, granum = (found.logit >= 0) & true.care, true.granum & true.care
    union = (positive | granum).sum()
    return jnp.where(union > 0, (positive & granum).sum() / jnp.maximum(union, 1), 1.0)


def _scores(config: MicrographsConfig, found: Found) -> dict[str, float]:
    """Returns scores of a validation set: see _COLUMNS; direction in degrees, period in percent."""
    predicted, true = found.predicted, found.true
    on_device: Found = jax.tree.map(jnp.asarray, found)
    parts = losses.parts(on_device.predicted, on_device.true, config.loss)
    readable = np.asarray(true.granum & true.readable)
    angle = scores.direction_error(
        *(np.asarray(x)[readable] for x in (predicted.cosine, predicted.sine)),
        *(np.asarray(x)[readable] for x in (true.cosine, true.sine)),
    )
    ratio = np.exp(np.asarray(predicted.log_period - true.log_period, np.float64)[readable])
    return scores.granum_scores(*_granum(found)) | {
        "loss": float(losses.total(parts, config.loss)),
        "direction_deg": scores.median(angle),
        "period_percent": 100 * scores.median(np.abs(ratio - 1)),
    }


def _granum(found: Found) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns probability, granum and care of a validation set."""
    probability = special.expit(np.asarray(found.predicted.logit))
    return probability, np.asarray(found.true.granum), np.asarray(found.true.care)


def _calibrate(found: Found) -> Fitted:
    return {"threshold": scores.best_threshold(*_granum(found))}


def _summary(found: Found | None, fitted: Fitted) -> dict[str, Any]:
    """Returns the threshold, and the scores of the validation set at it."""
    threshold = Calibration(**fitted).threshold
    at = None if found is None else scores.granum_scores(*_granum(found), threshold)
    return {"threshold": threshold, "at_threshold": at}
