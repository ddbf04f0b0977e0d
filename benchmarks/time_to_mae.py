"""Measures seconds until stage 1 validates below an error, beside the reference's recipe.

    python benchmarks/time_to_mae.py [--mae 1.0] [--seed 0] [--rounds 3] [--out DIR] [--smoke]

Ours is the whole process of `launch.py --config=configs/stage1.py`: its start, its compilation, the
drawing of its images and its validations, until one has a mean absolute error of --mae px of the
frame or less. The reference's recipe takes 200 epochs of 237 images, after which its error was 3.58
px; PyTorch's training step on them, without drawing and validation, under
GLIBC_TUNABLES=glibc.malloc.hugetlb=1 and as it comes, is a lower limit of its time. The reference's
numbers: Bukat, Bukowicki et al. 2025, Plant Physiology kiaf212.

Needs: torch (pip install '.[benchmark]').
Takes: about 10 min on 2 cores; --smoke 1 min.
Writes: a table to the terminal; --out DIR: time_to_mae.md and time_to_mae.json.
"""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import speed
import tables

ROOT = pathlib.Path(__file__).resolve().parents[1]
REFERENCE_IMAGES, REFERENCE_MAE = 200 * 237, 3.58
VALIDATED = re.compile(r"([\d,]+) images: .* ([\d.]+) validation")
SIDES = (speed.Side("PyTorch", "torch", False), speed.Side("PyTorch, huge pages", "torch", True))


def ours(mae: float, preset: str, seed: int) -> tuple[float, int, float]:
    """Returns seconds, images and error at the first validation of at most `mae`.

    Raises:
      SystemExit: the run ended before.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "launch.py", f"--config=configs/stage1.py:{preset}"]
        command += [f"--workdir={folder}/stage1", f"--config.seed={seed}"]
        began = time.perf_counter()
        with subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        ) as run:
            assert run.stdout
            for line in run.stdout:
                found = VALIDATED.search(line)
                if found and float(found[2]) <= mae:
                    seconds = time.perf_counter() - began
                    run.terminate()
                    run.stdout.read()
                    return seconds, int(found[1].replace(",", "")), float(found[2])
    raise SystemExit(f"the run ended before its validation error was {mae} px")


def pytorch(width: int, rounds: int) -> dict[str, float]:
    """Returns the median ms an image of PyTorch's training step, by setting."""
    options = {"batch": 8, "width": width, "steps": 2}
    samples, _ = speed.measure(SIDES, options, rounds)
    return {name: statistics.median(values) for name, values in samples["training"].items()}


def main() -> int:
    """Measures, prints the table and returns the exit status."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--mae", type=float, default=1.0, help="px of the frame")
    parser.add_argument("--seed", type=int, default=0, help="of our run")
    parser.add_argument("--rounds", type=speed.positive, default=3, help="of PyTorch's steps")
    parser.add_argument("--smoke", action="store_true", help="small, to see that it works")
    tables.add_out(parser)
    options = parser.parse_args()
    setting = tables.started(options, ("torch",))
    mae, preset, width = options.mae, "fast", 476
    if options.smoke:
        mae, preset, width = 1000.0, "smoke", 62
    seconds, images, reached = ours(mae, preset, options.seed)
    rows = [("ours", images, reached, seconds, None)]
    for name, ms in pytorch(width, options.rounds).items():
        limit = REFERENCE_IMAGES * ms / 1e3
        rows.append((f"the reference's recipe, {name}", REFERENCE_IMAGES, REFERENCE_MAE, limit,
                     seconds / limit))  # fmt: skip
    columns = ("side", "images", "validation MAE, px", "s", "ours over it")
    table = tables.Table(f"stage 1, until the error is {mae:g} px", columns, rows)
    tables.publish("time_to_mae", setting, [table], options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
