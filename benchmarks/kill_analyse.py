"""Kills `srd analyse` at random moments, goes on with it, and compares all results bit by bit.

python benchmarks/kill_analyse.py [--kills=10] [--files=20] [--seed=0]

The micrographs are drawn stripes on noise, found by the classical detector. Each kill is a SIGKILL,
at a random moment after the first new file of a run. There are fewer kills if a run ends before.
The exit status is 1 on any difference, or if a granum has two rows.

Needs: Linux or macOS.
Takes: about 5 min on 2 cores.
Writes: a line a kill to the terminal.
"""

import argparse
import csv
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[1]


def draw(folder: pathlib.Path, count: int, seed: int) -> None:
    """Draws micrographs of 400 × 400 px at 0.4 px/nm with two stacks of lamellae each."""
    folder.mkdir()
    y, x = np.mgrid[:400, :400]
    rng = np.random.default_rng(seed)
    for index in range(count):
        grey = rng.normal(150, 12, (400, 400))
        for middle in (110, 290):
            turn = rng.uniform(0, np.pi)
            right, down = x - middle - rng.uniform(-20, 20), y - middle
            along = right * np.cos(turn) + down * np.sin(turn)
            across = down * np.cos(turn) - right * np.sin(turn)
            inside = (abs(along) < 70) & (abs(across) < 45)
            stripes = 40 * np.cos(2 * np.pi * across / rng.uniform(7, 9))
            grey += np.where(inside, stripes - 30, 0)
        picture = Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))
        picture.save(folder / f"micrograph_{index:02}.png")


def run(source: pathlib.Path, out: pathlib.Path, kill_after: float | None) -> tuple[float, int]:
    """Analyses a folder; returns the seconds from the first new file to the end, and the status."""
    command = [sys.executable, "-m", "srd_jax", "analyse", source, "--out", out]
    command += ["--px-per-nm", "0.4", "--detector", "classical"]
    before = len(list(out.glob("records/*.json")))
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    first = None
    while process.poll() is None:
        if first is None and len(list(out.glob("records/*.json"))) > before:
            first = time.monotonic()
        if first and kill_after is not None and time.monotonic() - first > kill_after:
            process.kill()
        time.sleep(0.02)
    return time.monotonic() - (first or time.monotonic()), process.returncode


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    """Returns all files of a folder with their bytes."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def main() -> int:
    """Compares; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        draw(folder / "micrographs", options.files, options.seed)
        seconds, status = run(folder / "micrographs", folder / "whole", None)
        print(f"undisturbed: {seconds:.1f} s from the first file to the end, exit status {status}")
        killed = 0
        while killed < options.kills:
            # Short enough that the files suffice for all kills.
            after = chance.uniform(0, seconds * 0.8 / options.kills)
            _, status = run(folder / "micrographs", folder / "killed", after)
            killed += status < 0
            done = len(list((folder / "killed").glob("records/*.json")))
            print(f"killed {killed} times, exit status {status}, {done} files done", flush=True)
            if status == 0:
                break
        _, status = run(folder / "micrographs", folder / "killed", None)
        whole, other = contents(folder / "whole"), contents(folder / "killed")
        different = sorted(n for n in whole.keys() | other.keys() if whole.get(n) != other.get(n))
        with (folder / "killed" / "grana.csv").open(newline="", encoding="utf-8") as file:
            rows = [(row["file"], row["granum"]) for row in csv.DictReader(file)]
    repeated = len(rows) - len(set(rows))
    print(f"{killed} kills, {len(rows)} rows, {repeated} repeated, {len(different)} files differ")
    print("\n".join(different[:10]))
    return int(bool(different or repeated or status))


if __name__ == "__main__":
    sys.exit(main())
