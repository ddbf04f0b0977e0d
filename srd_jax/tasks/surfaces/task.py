"""Makes cubic membranes a task of the training core: network, loss, scores, calibration."""

import dataclasses
import pathlib
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from srd_jax.networks.parameters import Parameters
from srd_jax.synthetic.surfaces.batch import Pictures
from srd_jax.tasks.surfaces import grid, losses, model, scores, sources
from srd_jax.tasks.surfaces.candidates import candidates, kind_probability
from srd_jax.tasks.surfaces.config import CubicMembranesConfig
from srd_jax.tasks.surfaces.pictures import write_pictures
from srd_jax.tasks.surfaces.scores import Found
from srd_jax.tasks.surfaces.targets import truth
from srd_jax.tasks.surfaces.weights import Calibration, about
from srd_jax.training import curves
from srd_jax.training.task import Calibration as Fitted
from srd_jax.training.task import MetricsRow, Task
from srd_jax.training.workdir import CURVES

# Candidates that a validation keeps of each picture.
_KEPT = 5
_COLUMNS = (
    "train_accuracy",
    *(f"train_{name}_loss" for name in ("pose", *model.NUMBERS)),
    "val_accuracy",
    "val_loss",
    "val_cell_percent",
    "val_axis_deg",
    "val_turn_deg",
    "val_angle_deg",
    "val_fraction",
    "val_reached",
    *(f"val_{name}_loss" for name in ("pose", *model.NUMBERS)),
)


def make(config: CubicMembranesConfig, workdir: pathlib.Path) -> Task:
    """Returns the task of a config; the workdir isn't needed, for all pictures are drawn."""
    source, cells = sources.make(config), grid.make(config.model.grid)
    apply = model.as_function(config.model)

    def loss(parameters: Parameters, batch: Pictures, step: jax.Array, key: jax.Array):
        found, true = apply(parameters, batch.image, batch.mask), truth(batch)
        terms = losses.parts(found, true, cells, config.loss)
        kinds = jnp.argmax(kind_probability(found, cells), axis=-1)
        reported = {f"{name}_loss": jnp.mean(term) for name, term in terms.items()}
        reported["accuracy"] = jnp.mean((kinds == true.kind).astype(jnp.float32))
        return jnp.mean(losses.total(terms, config.loss)), reported

    def evaluate(parameters: Parameters, batch: Pictures) -> Found:
        found, true = apply(parameters, batch.image, batch.mask), truth(batch)
        terms = losses.parts(found, true, cells, config.loss)
        best = candidates(found, cells, _KEPT)
        apart, axis = scores.away_of(best, true)
        kinds, total = kind_probability(found, cells), losses.total(terms, config.loss)
        return Found(kinds, best, true, apart, axis, terms, total)

    def draw(folder, parameters, rows: Sequence[MetricsRow], fitted: Fitted) -> None:
        curves.write_curves(folder / CURVES, rows, scores.ACCURACY)
        write_pictures(config, folder, source, parameters, Calibration(**fitted))

    return Task(
        source=source,
        shapes=model.parameter_shapes(config.model),
        initial=lambda key, batch: model.random_parameters(config.model, key),
        loss=loss,
        evaluate=evaluate,
        scores=scores.scores,
        shown=scores.ACCURACY,
        # All numbers count in it.
        rank=scores.LOSS,
        columns=_COLUMNS,
        about=about(config.model),
        calibrate=lambda found: dataclasses.asdict(scores.calibrate(found)),
        summary=_summary,
        draw=draw,
    )


def _summary(found: Found | None, fitted: Fitted) -> dict[str, Any]:
    """Returns the calibration, how it covers the errors, and which kinds are confused."""
    at = Calibration(**fitted)
    if found is None:
        return {"calibration": dataclasses.asdict(at)}
    return {
        "calibration": dataclasses.asdict(at),
        "coverage": scores.coverage(found, at),
        "confusion": scores.confusion(found),
    }
