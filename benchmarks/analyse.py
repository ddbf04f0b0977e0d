"""Measures time and memory of `srd analyse` on large micrographs.

python benchmarks/analyse.py [--sizes 3218x4800 20000x20000] [--seed=0] [--out DIR]

A micrograph is a mosaic of drawn ones of 1609 × 1600 px at 0.67 px/nm, whose scale the file states.
Each size is analysed twice: the first run compiles, the second one finds what it has compiled. The
time is that of the whole command, with its start, all tables and pictures. The memory is the
largest resident set of its processes.

Needs: Linux or macOS.
Takes: about 10 min on 2 cores.
Writes: a table to the terminal; --out DIR: analyse.md and analyse.json.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import tables
import tifffile

from srd_jax.synthetic.scenes import micrographs
from srd_jax.synthetic.scenes.config import ScenesConfig

ROOT = pathlib.Path(__file__).resolve().parents[1]
PX_PER_NM = 0.67
TILE = (1609, 1600)
CONFIG = ScenesConfig(px_per_nm=(PX_PER_NM, PX_PER_NM), size=TILE, without=0.0, coarse=0.0)


def tiles(count: int, seed: int) -> list[np.ndarray]:
    """Returns drawn micrographs, (TILE) uint8 each."""
    rows, columns = TILE
    return [micrographs.draw(seed + i, CONFIG).grey[:rows, :columns] for i in range(count)]


def mosaic(shape: tuple[int, int], parts: list[np.ndarray]) -> np.ndarray:
    """Returns a micrograph of a shape, (rows, columns) uint8, of parts in turn."""
    made = np.empty(shape, np.uint8)
    corners = [(y, x) for y in range(0, shape[0], TILE[0]) for x in range(0, shape[1], TILE[1])]
    for number, (top, left) in enumerate(corners):
        place = made[top : top + TILE[0], left : left + TILE[1]]
        place[...] = parts[number % len(parts)][: place.shape[0], : place.shape[1]]
    return made


def run(path: pathlib.Path, out: pathlib.Path, cache: pathlib.Path) -> tuple[float, float]:
    """Analyses a micrograph; returns seconds and the largest resident memory, GB."""
    command = [sys.executable, "-m", "srd_jax", "analyse", path, "--out", out]
    environment = os.environ | {"JAX_COMPILATION_CACHE_DIR": str(cache)}
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    if status:
        sys.exit(f"srd analyse ended with status {os.waitstatus_to_exitcode(status)}")
    unit = 1 if sys.platform == "darwin" else 1024
    return seconds, usage.ru_maxrss * unit / 1e9


def measure(sizes: list[str], seed: int, folder: pathlib.Path) -> list[tuple]:
    """Returns a row a run: size, turn, grana, those that are ok, seconds and GB."""
    parts, rows = tiles(6, seed), []
    for size in sizes:
        shape = tuple(map(int, size.split("x")))
        path = folder / f"{size}.tif"
        resolution = (PX_PER_NM * 1e7, PX_PER_NM * 1e7)
        grey = mosaic(shape, parts)
        tifffile.imwrite(
            path, grey, resolution=resolution, resolutionunit="CENTIMETER", software=False
        )
        del grey
        for turn in ("first", "second"):
            out = folder / f"{size}_{turn}"
            seconds, memory = run(path, out, folder / "compiled")
            record = json.loads(next(out.glob("records/*.json")).read_text())
            grana = record["analysis"]["grana"]
            ok = sum(one["status"] == "ok" for one in grana)
            rows.append((size, turn, len(grana), ok, seconds, memory))
            print(f"{size}, {turn} run: {seconds:.1f} s, {memory:.2f} GB", file=sys.stderr)
    return rows


def main() -> None:
    """Measures each size twice and prints a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", nargs="+", default=["3218x4800", "20000x20000"])
    parser.add_argument("--seed", type=int, default=0)
    tables.add_out(parser)
    options = parser.parse_args()
    setting = tables.started(options)
    with tempfile.TemporaryDirectory() as temporary:
        rows = measure(options.sizes, options.seed, pathlib.Path(temporary))
    columns = ("rows x columns, px", "run", "grana", "ok", "s", "GB")
    found = tables.Table("srd analyse of one micrograph", columns, rows)
    tables.publish("analyse", setting, [found], options.out)


if __name__ == "__main__":
    main()
