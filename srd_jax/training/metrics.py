"""What a person sees of a training run: progress bar, metrics.csv, TensorBoard events."""

import csv
import pathlib
import types
from collections.abc import Sequence

import rich.console
import rich.progress
from tensorboardX import SummaryWriter

from srd_jax.support.files import whole_file
from srd_jax.tasks.period.config import TrainConfig

COLUMNS = (
    "step",
    "epoch",
    "images",
    "learning_rate",
    "train_loss",
    "train_mae",
    "gradient_norm",
    "val_mae",
    "val_loss",
    "val_sd",
)

Row = dict[str, float]


class Reporter:
    """Shows rows as they come; a context manager that owns the bar and the events file."""

    def __init__(self, workdir: pathlib.Path, config: TrainConfig, rows: Sequence[Row]):
        """Opens the events file and starts the bar where `rows` end."""
        self._config = config
        self._path = workdir / "metrics.csv"
        done = int(rows[-1]["step"]) if rows else 0
        self._writer = SummaryWriter(str(workdir / "events"), purge_step=done + 1)
        self.console = rich.console.Console(highlight=False, soft_wrap=True)
        self._progress = rich.progress.Progress(
            rich.progress.TextColumn(f"{config.name}"),
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("steps, left"),
            rich.progress.TimeRemainingColumn(compact=True),
            rich.progress.TextColumn("{task.fields[error]}"),
            console=self.console,
            speed_estimate_period=120.0,
        )
        self._task = self._progress.add_task(
            config.name, total=config.steps, completed=done, error=""
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
        """Leaves the bar as it stands and closes the events file."""
        self._progress.stop()
        self._writer.close()

    def show(self, rows: Sequence[Row], images_per_second: float) -> None:
        """Writes the last row to events and bar, and all rows to metrics.csv."""
        row = rows[-1]
        step = int(row["step"])
        for name, value in row.items():
            if name not in ("step", "images"):
                self._writer.add_scalar(name, value, step)
        self._writer.add_scalar("images_per_second", images_per_second, step)
        self._progress.update(
            self._task, completed=step, error=f"MAE {row['train_mae']:.2f} px of the frame"
        )
        if "val_mae" in row:
            errors = [r["val_mae"] for r in rows if "val_mae" in r]
            self.console.print(
                f"epoch {row['epoch']:.0f}/{self._config.epochs}, {row['images']:,} images: "
                f"MAE {row['train_mae']:.2f} px training, {row['val_mae']:.2f} px validation "
                f"(best {min(errors):.2f}), {images_per_second:.1f} images/s"
            )
        write_metrics(self._path, rows)


def write_metrics(path: pathlib.Path, rows: Sequence[Row]) -> None:
    """Writes metrics.csv, whole or not at all; numbers read back as the same bits."""
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([row.get(name, "") for name in COLUMNS] for row in rows)
