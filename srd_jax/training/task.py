"""The seam between the training core and what is trained: a task is a record of pure functions.

A whole task, a line through points, judged by R², a score that rises:

    def make_line(config, workdir):
        def draw(key):
            x = jax.random.normal(key, (config.batch_size,))
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
                validation_size=config.batch_size,
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

`train.run(RunConfig(…), workdir, make_line)` trains it.
"""

import dataclasses
import pathlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from srd_jax.networks.modules import Parameters

# Trees of arrays, examples along their first axis.
Batch = Any
Found = Any
# JSON: an sd's scale, thresholds, temperatures; {} where nothing was fitted.
Calibration = dict[str, Any]
# A row of metrics.csv: numbers by column.
MetricsRow = dict[str, float]


@dataclasses.dataclass(frozen=True)
class Source:
    """Batches for training and validation: functions of a step, so that there is no state to save.

    Attributes:
      arrays: a tree that lies on the device from the start; empty for drawn examples.
      train: (arrays, step, key) → the batch of a training step; pure.
      validation: (arrays, index) → one batch of the fixed validation set; pure.
      validation_size: examples of that set; the last batch may be filled up with others.
      digest: of the examples and their truth, in order; empty for drawn ones.
      held_out: whether training leaves out what validation shows.
    """

    arrays: Any
    train: Callable[[Any, jax.Array, jax.Array], Batch]
    validation: Callable[[Any, jax.Array | int], Batch]
    validation_size: int
    digest: str = ""
    held_out: bool = True


@dataclasses.dataclass(frozen=True)
class Score:
    """A number by which parameters are judged.

    Attributes:
      name: its columns in metrics.csv are train_NAME and val_NAME.
      words: its name for readers.
      unit: of the number, for readers; empty for none.
      best: min or max.
    """

    name: str
    words: str
    unit: str = ""
    best: str = "min"

    @property
    def validation(self) -> str:
        """The column of the validation set."""
        return f"val_{self.name}"

    def cost(self, value: Any) -> Any:
        """Returns a number, or an array of them, that is the lower the better."""
        return -value if self.best == "max" else value

    def text(self, value: float) -> str:
        """Returns a value with its name and unit."""
        return f"{self.words} {value:.2f} {self.unit}".rstrip()


@dataclasses.dataclass(frozen=True)
class Task:
    """What is trained: its examples, its loss, its scores, and what is made of the parameters.

    Attributes:
      source: of the examples.
      shapes: of all parameters by name.
      initial: (key, batch) → parameters drawn at random; the batch is one of training.
      loss: (parameters, batch, step, key) → what is minimised and a dict of numbers to be
        reported, the columns train_NAME; differentiable.
      evaluate: (parameters, batch) → what the parameters make of a batch, and its truth; a tree of
        arrays of fixed shapes, examples first; deterministic.
      scores: what `evaluate` found of the whole validation set, on the host → numbers by name, the
        columns val_NAME.
      shown: score of the progress bar; in training, the loss stands for it where `loss` doesn't
        report it.
      rank: score by which the best checkpoint is known and early stopping decides.
      columns: of metrics.csv beside the core's own: train_NAME and val_NAME.
      about: JSON that tells how to use the parameters, for checkpoints and weights; `task` names
        the task.
      calibrate: what was found of the held-out set → the calibration; None for none.
      summary: what was found (None where nothing is held out) and the calibration → JSON, for
        summary.json.
      draw: (workdir, parameters, rows, calibration) → writes pictures into the workdir.
      compare: several parameters → columns of (candidates,) numbers by name; the last column
        decides, the lowest is chosen. None where candidates can't be compared.
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
    summary: Callable[[Found | None, Calibration], dict[str, Any]] = lambda found, calibration: {}
    draw: Callable[[pathlib.Path, Parameters, Sequence[MetricsRow], Calibration], None] = (
        lambda workdir, parameters, rows, calibration: None
    )
    compare: Callable[[Sequence[Parameters]], Mapping[str, np.ndarray]] | None = None


# Of a run's config and its workdir.
MakeTask = Callable[[Any, pathlib.Path], Task]


def training_score(score: Score, rows: Sequence[MetricsRow]) -> tuple[str, Score]:
    """Returns the column of rows by which training is judged, and its score: else the loss."""
    column = f"train_{score.name}"
    if rows and column in rows[-1]:
        return column, score
    return "train_loss", Score("loss", "loss")
