"""What the parts of benchmarks/accelerator.py share: flags, results, settings of the recipe."""

import argparse
import dataclasses
import json
import os
import pathlib
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from srd_jax.support.files import read_json, write_text
from srd_jax.tasks.period.config import EncoderConfig, PeriodConfig
from srd_jax.training.config import ValidationConfig

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "configs"
Row = dict[str, Any]
FINISHED = "finished"


def options_of(doc: str, extra: Callable[[argparse.ArgumentParser], None] | None = None):
    """Returns the flags of a part: --out FILE, --seconds S, --smoke, and those of `extra`."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON file of the results")
    parser.add_argument("--seconds", type=float, default=60.0, help="time it may take")
    parser.add_argument("--smoke", action="store_true", help="small sizes, to see that it works")
    if extra:
        extra(parser)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    return parser.parse_args()


def _end_with(parent: int) -> None:
    """Ends this process when its parent has ended, which can't tell if it was killed."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


class Results:
    """Rows of a part, in a file that is written anew after each row, so that a kill loses none."""

    def __init__(self, path: pathlib.Path, seconds: float):
        """Goes on from the rows that the file holds.

        Args:
          path: of the JSON file.
          seconds: time that the part may take.
        """
        self._path = path
        self._end = time.monotonic() + seconds
        self.rows: list[Row] = read_json(self._path)["rows"] if self._path.exists() else []

    def add(self, **row: Any) -> None:
        """Adds a row and prints it."""
        self.rows.append(row)
        print(json.dumps(row), flush=True)
        self._write(False)

    def has(self, **key: Any) -> bool:
        """Tells whether there is a row with these values."""
        return any(key.items() <= row.items() for row in self.rows)

    def left(self) -> float:
        """Returns the seconds that are left."""
        return self._end - time.monotonic()

    def finish(self) -> None:
        """Marks the part as finished."""
        self._write(True)

    def _write(self, finished: bool) -> None:
        text = json.dumps({FINISHED: finished, "rows": self.rows}, indent=1)
        write_text(self._path, text + "\n")


def small(config: PeriodConfig) -> PeriodConfig:
    """Returns a config of few channels, few images and narrow frames, which a CPU can train."""
    encoder = EncoderConfig(channels=4, dropout=config.model.encoder.dropout)
    return dataclasses.replace(
        config,
        frame=(476, 62),
        batch_size=4,
        model=dataclasses.replace(config.model, encoder=encoder),
        optimizer=dataclasses.replace(config.optimizer, warmup_steps=1),
        validation=ValidationConfig(images=6, batch_size=6),
    )


def seconds_a_call(work: Callable[[], Any], wait: Callable[[], Any], calls: int) -> float:
    """Returns the least mean time of a call in three series of asynchronous calls."""
    means = []
    for _ in range(3):
        wait()
        began = time.perf_counter()
        for _ in range(calls):
            work()
        wait()
        means.append((time.perf_counter() - began) / calls)
    return min(means)
