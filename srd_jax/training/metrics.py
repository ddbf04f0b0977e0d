"""Reports the metrics of a run (CSV, TensorBoard, progress bar) and decides early stopping."""

import pathlib
import types
from collections.abc import Sequence

import numpy as np
import rich.console
import rich.progress
from tensorboardX import SummaryWriter

from srd_jax.support.files import write_table
from srd_jax.training.config import EndConfig, RunConfig
from srd_jax.training.task import MetricsRow, Score, Task, training_score
from srd_jax.training.workdir import EVENTS, METRICS

_COLUMNS = ("step", "epoch", "images", "learning_rate", "train_loss")


def _columns_of(task: Task) -> tuple[str, ...]:
    """Returns the columns of metrics.csv, those of training before those of validation."""
    training = [name for name in task.columns if name.startswith("train_")]
    validation = [name for name in task.columns if name not in training]
    return (*_COLUMNS, *training, "gradient_norm", *validation)


def write_metrics(workdir: pathlib.Path, task: Task, rows: Sequence[MetricsRow]) -> None:
    """Writes metrics.csv, whole or not at all; its numbers read back as the same bits.

    Raises:
      InputError: the file cannot be written.
    """
    columns = _columns_of(task)
    cells = ([row.get(name) for name in columns] for row in rows)
    write_table(workdir / METRICS, columns, cells, digits=None)


class Reporter:
    """Shows metrics rows as they come; a context manager of the progress bar and events file."""

    def __init__(
        self, workdir: pathlib.Path, config: RunConfig, task: Task, rows: Sequence[MetricsRow]
    ):
        """Opens the events file and starts the bar where `rows` end."""
        self._config, self._task, self._workdir = config, task, workdir
        done = int(rows[-1]["step"]) if rows else 0
        self._writer = SummaryWriter(str(workdir / EVENTS), purge_step=done + 1)
        self.console = rich.console.Console(highlight=False, soft_wrap=True)
        self._progress = rich.progress.Progress(
            rich.progress.TextColumn(f"{config.name}"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("steps, left"),
            rich.progress.TimeRemainingColumn(compact=True),
            rich.progress.TextColumn("{task.fields[score]}"),
            console=self.console,
            speed_estimate_period=120.0,
        )
        self._bar = self._progress.add_task(
            config.name, total=config.steps, completed=done, score=""
        )

    def __enter__(self) -> "Reporter":
        """Shows the bar."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        """Stops the bar where it stands, and closes the events file."""
        self._progress.stop()
        self._writer.close()

    def show(self, rows: Sequence[MetricsRow], images_per_second: float) -> None:
        """Writes the last row to events and bar, and all rows to metrics.csv."""
        row, shown = rows[-1], self._task.shown
        step = int(row["step"])
        for name, value in row.items():
            if name not in ("step", "images"):
                self._writer.add_scalar(name, value, step)
        self._writer.add_scalar("images_per_second", images_per_second, step)
        column, score = training_score(shown, rows)
        text = score.text(row[column])
        self._progress.update(self._bar, completed=step, score=text)
        if shown.validation in row:
            values = [r[shown.validation] for r in rows if shown.validation in r]
            validation, best = row[shown.validation], min(values, key=shown.cost)
            other = "" if score == shown else f"{shown.words} "
            unit = f" {shown.unit}" if shown.unit else ""
            self.console.print(
                f"epoch {row['epoch']:.0f}/{self._config.epochs}, {row['images']:,} images: "
                f"{score.words} {row[column]:.2f} training, {other}{validation:.2f} validation "
                f"(best {best:.2f}){unit}, "
                f"{images_per_second:.1f} images/s"
            )
        write_metrics(self._workdir, self._task, rows)


def smoothed(rows: Sequence[MetricsRow], column: str, epochs: int) -> np.ndarray:
    """Returns the moving average of a column over the last few epochs, after each whole epoch.

    Args:
      rows: all metrics rows so far.
      column: a column that all rows have.
      epochs: number of epochs averaged; fewer at the start of the run.

    Returns:
      (whole epochs,) float64.
    """
    number = np.ceil(np.array([row["epoch"] for row in rows])).astype(int)
    value = np.array([row[column] for row in rows])
    whole = int(rows[-1]["epoch"]) if rows else 0
    each = np.array([value[number == epoch].mean() for epoch in range(1, whole + 1)])
    return np.array([each[max(0, end - epochs) : end].mean() for end in range(1, whole + 1)])


def training_costs(rows: Sequence[MetricsRow], score: Score, epochs: int) -> np.ndarray:
    """Returns the smoothed cost of training after each whole epoch; see `smoothed`."""
    column, score = training_score(score, rows)
    return score.cost(smoothed(rows, column, epochs))


def patience_is_over(
    rows: Sequence[MetricsRow], end: EndConfig, task: Task, held_out: bool
) -> bool:
    """Tells whether the last `end.patience_epochs` epochs brought no better score.

    Args:
      rows: all metrics rows so far, the last one at the end of an epoch.
      end: of the run's config.
      task: of the run.
      held_out: whether the validation score decides, or else the smoothed training score.
    """
    if not end.patience_epochs or not rows:
        return False
    if held_out:
        column, cost = task.rank.validation, task.rank.cost
        costs = np.array([(row["epoch"], cost(row[column])) for row in rows if column in row])
        if not costs.size:
            return False
        best = costs[np.argmin(costs[:, 1]), 0]
    else:
        best = 1 + int(np.argmin(training_costs(rows, task.shown, end.smoothing_epochs)))
    return rows[-1]["epoch"] - best >= end.patience_epochs
