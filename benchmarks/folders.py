"""Measures memory of `srd predict` on folders of many crops, and kills it at random moments.

python benchmarks/folders.py [--sizes 100 1000 10000] [--kills 10] [--files 300] [--method network]
    [--workers N] [--seed 0]

The crops are drawn; of each folder, 100 files are different and the others hard links to these. The
memory is that of all processes of the command together (proportional set size, so that shared pages
count once), looked at every 50 ms. The kills are SIGKILLs at random moments after the first new row
of a run of --files crops; then the table is compared with that of an undisturbed run, byte by byte.
Prints Markdown tables. The exit status is 1 on any difference, lost or doubled row. Needs Linux.
"""

import argparse
import csv
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[1]
DIFFERENT = 100
LOOK_S = 0.05


def draw(folder: pathlib.Path, count: int, seed: int) -> None:
    """Draws crops of stripes in noise; from `DIFFERENT` on, they are links to the first ones."""
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for index in range(count):
        path = folder / f"{index:06}.png"
        if index >= DIFFERENT:
            os.link(folder / f"{index % DIFFERENT:06}.png", path)
            continue
        rows, columns = rng.integers(80, 160, 2)
        phase, period = rng.random(), rng.uniform(10, 20)
        wave = 128 + 60 * np.sin(2 * np.pi * (np.arange(rows) / period + phase))
        grey = wave[:, None] + rng.normal(0, 20, (rows, columns))
        Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8)).save(path)


def command(source: pathlib.Path, out: pathlib.Path, options: argparse.Namespace) -> list[str]:
    """Returns the command that measures a folder."""
    words = [sys.executable, "-m", "srd_jax", "predict", source, "--out", out]
    words += ["--method", options.method, "--px-per-nm", "0.7"]
    if options.workers is not None:
        words += ["--workers", options.workers]
    return list(map(str, words))


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


def measured(words: list[str]) -> tuple[int, float]:
    """Runs a command; returns the most bytes that it had in memory, and its seconds."""
    start, most = time.monotonic(), 0
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        most = max(most, memory(process.pid))
        time.sleep(LOOK_S)
    if process.returncode:
        sys.exit(f"srd predict ended with status {process.returncode}")
    return most, time.monotonic() - start


def rows(table: pathlib.Path) -> list[str]:
    """Returns the files of a table, a name for each row."""
    with table.open(newline="", encoding="utf-8") as file:
        return [row["file"] for row in csv.DictReader(file)]


def size(path: pathlib.Path) -> int:
    """Returns the bytes of a file; 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def killed(words: list[str], partial: pathlib.Path, after: float | None) -> tuple[int, float]:
    """Runs a command, and kills it some time after its first new row; None lets it end.

    Returns:
      Its status, and the seconds from the first new row to its end.
    """
    before, first = size(partial), None
    process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        # The head of the file, of the first run, is no row.
        if first is None and size(partial) > max(before, 200):
            first = time.monotonic()
        if first is not None and after is not None and time.monotonic() - first > after:
            process.kill()
        time.sleep(0.005)
    return process.returncode, time.monotonic() - (first or time.monotonic())


def kills(folder: pathlib.Path, options: argparse.Namespace) -> bool:
    """Kills runs of one folder, and prints a row a kill; returns whether its table is the same."""
    chance = random.Random(options.seed)
    source, whole, out = folder / "kills", folder / "whole.csv", folder / "killed.csv"
    partial = folder / "killed.csv.partial"
    draw(source, options.files, options.seed)
    _, seconds = killed(command(source, whole, options), folder / "whole.csv.partial", None)
    print("\n| kill | status | files kept |\n|---|---|---|")
    words = command(source, out, options)
    for number in range(1, options.kills + 1):
        # Short enough that the files suffice for all kills.
        status, _ = killed(words, partial, chance.uniform(0, 0.8 * seconds / options.kills))
        if not partial.exists():
            break
        kept = partial.read_bytes().count(b"\n") - 1
        print(f"| {number} | {status} | {kept} |", flush=True)
    if partial.exists():
        killed(words, partial, None)
    found, expected = rows(out), rows(whole)
    same = out.read_bytes() == whole.read_bytes()
    doubled, lost = len(found) - len(set(found)), len(set(expected) - set(found))
    print(f"\n{len(found)} rows, {doubled} doubled, {lost} lost; bytes are the same: {same}")
    return same and not doubled and not lost and not partial.exists()


def main() -> int:
    """Measures and compares; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=[100, 1000, 10_000])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--method", default="network")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        if options.sizes:
            print("| images | peak memory, MB | s | ms an image |\n|---|---|---|---|")
        for count in options.sizes:
            draw(folder / str(count), count, options.seed)
            words = command(folder / str(count), folder / f"{count}.csv", options)
            most, seconds = measured(words)
            each = 1000 * seconds / count
            print(f"| {count} | {most / 1e6:.0f} | {seconds:.1f} | {each:.1f} |", flush=True)
        return int(options.kills > 0 and not kills(folder, options))


if __name__ == "__main__":
    sys.exit(main())
