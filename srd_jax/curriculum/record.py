"""Reads the workdir of a curriculum's stage for the report."""

import csv
import dataclasses
import math
import pathlib
from typing import Any

from srd_jax.support.errors import InputError, one_line
from srd_jax.support.files import read_json
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.training import workdir as files

Rows = list[dict[str, str]]


@dataclasses.dataclass(frozen=True)
class StageRecord:
    """The files of a stage; None or empty for files that don't exist yet.

    Attributes:
      name: of the stage.
      config: its config; None before the stage started.
      rows: of metrics.csv.
      summary: content of summary.json; empty before the stage is finished.
      seconds: of training, over all starts.
      start: content of start.json, which records the hand-over; empty from scratch.
      candidates: rows of candidates.csv.
      figures: attention figures, in order.
    """

    name: str
    config: PeriodConfig | None
    rows: Rows
    summary: dict[str, Any]
    seconds: float | None
    start: dict[str, Any]
    candidates: Rows
    figures: list[pathlib.Path]

    @property
    def state(self) -> str:
        """The state of the training, in words."""
        if self.config is None:
            return "not started"
        if self.summary:
            ended = {"patience": "finished early, for it got no better"}
            return ended.get(self.summary["ended"], "finished")
        return f"unfinished, epoch {self.epochs} of {self.config.epochs}"

    @property
    def epochs(self) -> int:
        """The number of whole epochs so far."""
        return int(self._last("epoch"))

    @property
    def images(self) -> int:
        """The number of images so far."""
        return int(self._last("images"))

    @property
    def val_mae(self) -> float | None:
        """The validation MAE of the final parameters, or the best so far, px of the frame."""
        if self.summary:
            return self.summary["val_mae"]
        known = [float(row["val_mae"]) for row in self.rows if row.get("val_mae")]
        return min(known, default=None)

    @property
    def train_mae(self) -> float | None:
        """The smoothed training MAE at the end of the stage, px of the frame."""
        return self.summary["train_mae"] if self.summary else None

    @property
    def reference_mae(self) -> float | None:
        """The validation MAE of the reference's stage, px of the frame."""
        known = math.nan if self.config is None else self.config.reference_mae
        return None if math.isnan(known) else known

    @property
    def ratio(self) -> float | None:
        """The validation MAE divided by the reference's."""
        if self.val_mae is None or self.reference_mae is None:
            return None
        return self.val_mae / self.reference_mae

    def _last(self, column: str) -> float:
        return float(self.rows[-1][column]) if self.rows else 0.0


def read_stage(workdir: pathlib.Path) -> StageRecord:
    """Reads a stage's workdir, which needn't exist.

    Raises:
      InputError: a file exists but can't be read; the message names it.
    """
    config = workdir / files.CONFIG
    return StageRecord(
        name=workdir.name,
        config=files.read_config(config, PeriodConfig) if config.exists() else None,
        rows=_table(workdir / files.METRICS),
        summary=_content(workdir / files.SUMMARY),
        seconds=_content(workdir / files.TIME).get("seconds"),
        start=_content(workdir / files.START),
        candidates=_table(workdir / files.CANDIDATES / files.CANDIDATES_TABLE),
        # A name with a leading dot is an unfinished file that a killed run left.
        figures=sorted((workdir / files.FIGURES).glob("[!.]*.png")),
    )


def _content(path: pathlib.Path) -> dict[str, Any]:
    return read_json(path) if path.exists() else {}


def _table(path: pathlib.Path) -> Rows:
    if not path.exists():
        return []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({one_line(error)}); accepted: CSV") from None
