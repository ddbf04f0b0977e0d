"""Makes the period a task of the training core: network, loss, scores, calibration, figures."""

import dataclasses
import functools
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from srd_jax.networks.parameters import Parameters
from srd_jax.synthetic.batch import Batch
from srd_jax.tasks.period import calibration, candidates, losses, model, sources
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.tasks.period.figures import write_figures
from srd_jax.tasks.period.scores import MAE, by_sd, sd_scores
from srd_jax.tasks.period.weights import about, calibration_of
from srd_jax.training.task import Calibration, MetricsRow, Score, Task

# Ranks networks that predict an sd, because a likelihood judges the sd too.
_LOSS = Score("loss", "loss")


@struct.dataclass
class Found:
    """Predictions and truth of validation images, each (N,) float32, px of the frame.

    Attributes:
      period: predicted.
      sd: predicted; None without the confidence branch.
      target: true period.
    """

    period: jax.Array
    sd: jax.Array | None
    target: jax.Array


def make(config: PeriodConfig, workdir: pathlib.Path) -> Task:
    """Returns the task of a config.

    Args:
      config: of the run, checked.
      workdir: of the run; see `sources.make`.

    Raises:
      InputError: the crops that the config names cannot be used.
    """
    candidates.check_unlabelled(config)
    source = sources.make(config, workdir)
    apply = model.as_function(config.model)

    def evaluate(parameters: Parameters, batch: Batch) -> Found:
        found = apply(parameters, batch.image)
        return Found(found.period, found.sd, batch.target)

    def compare(several: Sequence[Parameters]) -> Mapping[str, np.ndarray]:
        return candidates.compare(config, workdir, source, evaluate, several)

    def draw(folder, parameters, rows: Sequence[MetricsRow], fitted: Calibration) -> None:
        write_figures(config, folder, source, parameters, rows, calibration_of(fitted))

    confidence = config.model.confidence
    return Task(
        source=source,
        shapes=model.parameter_shapes(config.model),
        initial=lambda key, batch: model.initial_parameters(config.model, key, batch.image),
        loss=_loss(config, apply),
        evaluate=evaluate,
        scores=lambda found: _scores(config, found),
        shown=MAE,
        rank=_LOSS if confidence else MAE,
        columns=("train_mae", "val_mae", "val_loss", "val_sd"),
        about=about(config.model),
        calibrate=_calibrate if confidence else None,
        summary=functools.partial(_summary, source) if confidence else None,
        draw=draw,
        compare=compare if confidence else None,
    )


def _loss(config: PeriodConfig, apply: model.Apply):
    """Returns the config's loss plus the penalty on overlapping queries; it reports the MAE too."""

    def loss(parameters: Parameters, batch: Batch, step: jax.Array, key: jax.Array):
        epoch = step // config.steps_per_epoch
        found = apply(parameters, batch.image, key)
        value = losses.LOSSES[config.loss.name](
            found.period, found.sd, batch.target, epoch, config.loss.ramp_epochs
        ).mean()
        overlap = losses.query_overlap(model.queries(parameters))
        error = losses.mae(found.period, batch.target).mean()
        return value + config.loss.query_overlap * overlap, {"mae": error}

    return loss


def _scores(config: PeriodConfig, found: Found) -> dict[str, float]:
    """Returns MAE and mean sd, px of the frame, and the loss; with an sd, this is the NLL."""
    name = "gaussian_nll" if config.model.confidence else config.loss.name
    sd = None if found.sd is None else jnp.asarray(found.sd)
    period, target = jnp.asarray(found.period), jnp.asarray(found.target)
    scores = {
        "mae": float(np.abs(np.asarray(found.period, np.float64) - found.target).mean()),
        "loss": float(losses.LOSSES[name](period, sd, target, jnp.int32(0), 1).mean()),
    }
    return scores if found.sd is None else scores | {"sd": float(found.sd.mean())}


def _calibrate(found: Found) -> Calibration:
    return dataclasses.asdict(calibration.fit(*_errors(found)))


def _summary(
    source: sources.PeriodSource, found: Found | None, fitted: Calibration
) -> dict[str, Any]:
    """Returns the calibration, and errors, counts and coverage by calibrated sd, px of the crop.

    All of them come from the held-out crops that the sd was calibrated on.
    """
    calibrated = calibration_of(fitted)
    summary: dict[str, Any] = {"calibration": dataclasses.asdict(calibrated)}
    if found is None:
        return summary | {"by_sd": None, "sd": None}
    scale = 1.0 if source.validation_scale is None else source.validation_scale
    error, sd = _errors(found)
    error, sd = error / scale, calibrated.apply(sd) / scale
    return summary | {"by_sd": by_sd(error, sd), "sd": sd_scores(error, sd)}


def _errors(found: Found) -> tuple[np.ndarray, np.ndarray]:
    """Returns errors and their predicted sds, px of the frame."""
    period, sd, target = (np.asarray(x, np.float64) for x in (found.period, found.sd, found.target))
    return period - target, sd
