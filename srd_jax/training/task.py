"""Defines a task, the record of pure functions that the training core trains.

A whole task, which fits a line to points and scores it by R², where higher is better:

    def make_line(config, workdir):
        def draw(key):
            x = jax.random.normal(key, (8,))
            return x, 2.0 * x + 1.0

        def fit(parameters, batch):
            return {"y": parameters["slope"] * batch[0] + parameters["offset"], "true": batch[1]}

        def loss(parameters, batch, step, key):
            found = fit(parameters, batch)
            return jnp.square(found["y"] - found["true"]).mean(), {}

        def scores(found):
            rest = np.square(found["y"] - found["true"]).mean()
            return {"r2": float(1.0 - rest / found["true"].var())}

        return Task(
            source=Source(
                arrays=(),
                train=lambda arrays, step, key: draw(key),
                validation=lambda arrays, index: draw(jax.random.fold_in(jax.random.key(7), index)),
                validation_size=24,
            ),
            shapes={"slope": (), "offset": ()},
            initial=lambda key, batch: {"slope": jnp.float32(0.0), "offset": jnp.float32(0.0)},
            loss=loss,
            evaluate=fit,
            scores=scores,
            shown=Score("r2", "R²", best="max"),
            rank=Score("r2", "R²", best="max"),
            columns=("val_r2",),
            about={"task": "line"},
        )

`train.run(config, workdir, make_line)` trains it. The `config` is a `RunConfig` with batches of 8
examples, in validation too.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import jax
import numpy as np
from flax import struct

from srd_jax.networks.parameters import Parameters

# Trees of arrays with the examples along the first axis: a batch, and the results of evaluating it.
Batch = Any
Found = Any
# JSON, such as the scale of an sd, thresholds or temperatures; {} where nothing was fitted.
Calibration = dict[str, Any]
# A row of metrics.csv: numbers by column.
MetricsRow = dict[str, float]


@struct.dataclass
class TrainState:
    """The state that a training step updates.

    Attributes:
      step: () int32, number of steps done.
      parameters: by name.
      average: exponential average of the parameters.
      optimizer: state of the optimiser.
    """

    step: jax.Array
    parameters: Parameters
    average: Parameters
    optimizer: Any


@dataclasses.dataclass(frozen=True)
class Source:
    """Batches for training and validation, as pure functions without a state to save.

    Attributes:
      arrays: a tree of arrays that stay on the device; empty for drawn examples.
      train: (arrays, step, key) → the batch of a training step.
      validation: (arrays, index) → one batch of the fixed validation set, of as many examples as
        `config.validation.batch_size` says.
      validation_size: number of validation examples; other examples may fill up the last batch.
      digest: of the examples and their truth, in order; empty for drawn examples.
      held_out: whether training leaves out the validation examples.
    """

    arrays: Any
    train: Callable[[Any, jax.Array, jax.Array], Batch]
    validation: Callable[[Any, jax.Array | int], Batch]
    validation_size: int
    digest: str = ""
    held_out: bool = True


@dataclasses.dataclass(frozen=True)
class Score:
    """A score that compares parameters.

    Attributes:
      name: its columns in metrics.csv are train_NAME and val_NAME.
      words: its name for readers.
      unit: its unit for readers; empty for none.
      best: "min" or "max".
    """

    name: str
    words: str
    unit: str = ""
    best: Literal["min", "max"] = "min"

    @property
    def validation(self) -> str:
        """The column of the validation score in metrics.csv."""
        return f"val_{self.name}"

    def cost(self, value: Any) -> Any:
        """Returns the value, or an array of values, with its sign such that lower is better."""
        return -value if self.best == "max" else value

    def text(self, value: float) -> str:
        """Returns a value with its name and unit, for readers."""
        return f"{self.words} {value:.2f} {self.unit}".rstrip()


@dataclasses.dataclass(frozen=True)
class Task:
    """The examples, loss and scores that a run trains with, and the uses of its parameters.

    Attributes:
      source: of the examples.
      shapes: of all parameters by name; they are float32.
      initial: (key, training batch) → random parameters.
      loss: (parameters, batch, step, key) → the loss, and scores by name, which metrics.csv reports
        as train_NAME; differentiable. The names loss and gradient_norm are the core's own.
      evaluate: (parameters, batch) → results of the batch with its truth; a tree of arrays of fixed
        shapes, examples first; deterministic.
      scores: (results of the whole validation set, on the host) → scores by name, which metrics.csv
        reports as val_NAME. A run stops if that of `shown` or `rank` isn't finite; others may be.
      shown: score on the progress bar; if `loss` doesn't report it, the bar shows the training
        loss.
      rank: score that decides the best checkpoint and early stopping.
      columns: the task's own columns of metrics.csv, train_NAME and val_NAME.
      about: JSON for checkpoints and weights that tells how to use the parameters; `task` names
        the task.
      calibrate: (results of the held-out set) → calibration; None for none.
      summary: (results, or None where nothing is held out; calibration) → JSON for summary.json;
        None for none.
      draw: (workdir, parameters, rows, calibration) → None; writes figures into the workdir.
      compare: (parameters of several candidates) → columns of (candidates,) scores by name; the
        lowest in the last column is best. None where candidates can't be compared.
    """

    source: Source
    shapes: Mapping[str, tuple[int, ...]]
    initial: Callable[[jax.Array, Batch], Parameters]
    loss: Callable[
        [Parameters, Batch, jax.Array, jax.Array], tuple[jax.Array, dict[str, jax.Array]]
    ]
    evaluate: Callable[[Parameters, Batch], Found]
    scores: Callable[[Found], dict[str, float]]
    shown: Score
    rank: Score
    columns: tuple[str, ...]
    about: Mapping[str, Any]
    calibrate: Callable[[Found], Calibration] | None = None
    summary: Callable[[Found | None, Calibration], dict[str, Any]] | None = None
    draw: Callable[[pathlib.Path, Parameters, Sequence[MetricsRow], Calibration], None] = (
        lambda workdir, parameters, rows, calibration: None
    )
    compare: Callable[[Sequence[Parameters]], Mapping[str, np.ndarray]] | None = None


# (config of a run, its workdir) → its task.
MakeTask = Callable[[Any, pathlib.Path], Task]


def training_score(score: Score, rows: Sequence[MetricsRow]) -> tuple[str, Score]:
    """Returns the column of the training score and the score, or of the loss if rows lack it."""
    column = f"train_{score.name}"
    if rows and column in rows[-1]:
        return column, score
    return "train_loss", Score("loss", "loss")
