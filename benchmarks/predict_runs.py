"""What the benchmarks of `srd predict` share: crops, commands, their time and their memory."""

import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[1]
DIFFERENT = 100
LOOK_S = 0.05
# What a user has set must not change some of the measured commands only.
_UNSET = ("GLIBC_TUNABLES", "JAX_COMPILATION_CACHE_DIR", "SRD_COMPILATION_CACHE", "XLA_FLAGS")


class Run(NamedTuple):
    """A command that ended well.

    Attributes:
      seconds: from its start to its end.
      most: bytes that all its processes had in memory, at the most of all looks.
      output: its standard output.
    """

    seconds: float
    most: int
    output: str


def draw(folder: pathlib.Path, count: int, seed: int, side: int | None = None) -> None:
    """Draws crops of stripes in noise; from `DIFFERENT` on, they are links to the first ones.

    Args:
      folder: a new one.
      count: how many.
      seed: of the drawing.
      side: rows and columns, px; None draws 80 to 160 px for each.
    """
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for index in range(count):
        path = folder / f"{index:06}.png"
        if index >= DIFFERENT:
            os.link(folder / f"{index % DIFFERENT:06}.png", path)
            continue
        rows, columns = rng.integers(80, 160, 2) if side is None else (side, side)
        phase, period = rng.random(), rng.uniform(10, 20)
        wave = 128 + 60 * np.sin(2 * np.pi * (np.arange(rows) / period + phase))
        grey = wave[:, None] + rng.normal(0, 20, (rows, columns))
        Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(path)


def command(source: pathlib.Path, out: pathlib.Path, method: str, *more: Any) -> list[str]:
    """Returns the command that measures a folder of drawn crops."""
    words = [sys.executable, "-m", "srd_jax", "predict", source, "--out", out, "--method", method]
    return list(map(str, [*words, "--px-per-nm", "0.7", *more]))


def environment(**more: str) -> dict[str, str]:
    """Returns the variables of a measured command: a user's without those that change times."""
    kept = {name: value for name, value in os.environ.items() if name not in _UNSET}
    path = os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])])
    return kept | {"PYTHONPATH": path} | more


def family(process: int) -> list[int]:
    """Returns a process and all that descend from it."""
    parents = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        parents[int(path.parent.name)] = int(fields[1])
    found, new = [], [process]
    while new:
        found += new
        new = [child for child, parent in parents.items() if parent in new]
    return found


def memory(process: int) -> int:
    """Returns the bytes that a process and its descendants have in memory, shared ones once."""
    total = 0
    for one in family(process):
        try:
            lines = pathlib.Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def run(
    words: Sequence[str],
    variables: Mapping[str, str],
    watched: bool = True,
    status: int = 0,
) -> Run:
    """Runs a command; looks at its memory meanwhile, if it is watched, which takes a little time.

    Raises:
      SystemExit: it ended with another status; the end of its messages is shown.
    """
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as messages:
        start, most = time.perf_counter(), 0
        process = subprocess.Popen(
            words, cwd=ROOT, env=variables, stdout=output, stderr=messages, text=True
        )
        while watched and process.poll() is None:
            most = max(most, memory(process.pid))
            time.sleep(LOOK_S)
        found = process.wait()
        seconds = time.perf_counter() - start
        output.seek(0)
        messages.seek(0)
        if found != status:
            sys.exit(f"{' '.join(words)}\nended with status {found}:\n{messages.read()[-2000:]}")
        return Run(seconds, most, output.read())


def rows(table: pathlib.Path) -> list[str]:
    """Returns the files of a table, a name for each row."""
    with table.open(newline="", encoding="utf-8") as file:
        return [row["file"] for row in csv.DictReader(file)]
