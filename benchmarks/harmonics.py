"""Measures how often a clear-cut period is mistaken for a half, a third, … of it, yet called ok.

python benchmarks/harmonics.py [--crops 1500] [--seed 5] [--method combined]

Draws lamellae by NumPy alone, apart from the package's generator: single dark lines, or two dark
membranes a layer that lie well apart. Period (5 to 400 px), distance and width of the membranes,
noise, layers and grey levels are drawn at random. Prints a table for docs/accuracy.md.

Needs: the package alone.
Takes: about 5 min on 2 cores.
Writes: a table to the terminal, for docs/accuracy.md.
"""

import argparse
import collections
import math
import pathlib
import sys
from collections.abc import Iterator
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import numpy as np
from scipy import ndimage

from srd_jax.imaging.crop import Crop
from srd_jax.imaging.dataset import Granum
from srd_jax.imaging.orientation import tilt
from srd_jax.measuring import methods
from srd_jax.measuring.measurement import Method
from srd_jax.measuring.result import Result, result_of
from srd_jax.support.errors import InputError
from srd_jax.support.terminal import track

PERIODS = (5, 7, 10, 15, 22, 33, 50, 80, 120, 180, 270, 400)  # px
GAPS = (None, 0.2, 0.27, 0.34, 0.41)  # of the period; None: one line a layer
DUTIES = (0.05, 0.09, 0.14)  # sd of a line, of the period
NOISES = (0.1, 0.3, 1.0)  # sd over the lines' depth
LAYERS = (1.3, 1.8, 2.5, 4, 8, 16)
LEVELS = (2, 3, 4, 8, 256)
# Rows and columns of the largest crop, px.
LARGEST = (2400, 1200)
BEYOND = 15.0  # per cent
FINE = 30  # px


def main() -> None:
    """Measures the crops and prints the shares of wrong ones."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("--crops", type=int, default=1500, metavar="N", help="%(default)s")
    parser.add_argument("--seed", type=int, default=5, help="%(default)s")
    parser.add_argument("--method", default=methods.COMBINED, choices=methods.METHODS)
    parser.add_argument("--weights", metavar="FILE", help="default: the released ones")
    parser.add_argument("--list", action="store_true", help="also print each wrong one")
    options = parser.parse_args()
    method = methods.make(options.method, options.weights)
    grana = track(drawn(options.crops, options.seed), "measuring", options.crops)
    cases = [measured(method, one) for one in grana]
    if options.list:
        for one in filter(wrong, cases):
            result = one.result
            print(
                f"{one.name}: {result.period_px:.2f} ± {result.sd_px or 0:.2f} of {one.true:.2f} px"
            )
    print("| crops | number | ok | ok, yet beyond 15 % | right within 5 % |")
    print("|---|---|---|---|---|")
    print(row("all", cases))
    for number, label in enumerate(("period", "distance", "width", "noise", "layers", "levels")):
        parts = collections.defaultdict(list)
        for one in cases:
            parts[one.name.split()[number]].append(one)
        for value in parts:
            print(row(f"{label} {value}", parts[value]))


class Case(NamedTuple):
    """The numbers that a granum was drawn by, its true period in px, and its result."""

    name: str
    true: float
    result: Result

    @property
    def error(self) -> float:
        """The relative error in per cent."""
        return 100 * abs((self.result.period_px or math.inf) / self.true - 1)


def measured(method: Method, granum: Granum) -> Case:
    """Returns the result of a granum, as `srd predict` gives it."""
    rows = int(granum.mask.sum(axis=0).max())
    try:
        (found,) = method([Crop(granum.image, granum.mask, None, "")])
        direction = tilt(granum.image, granum.mask)
        result = result_of(
            granum.name, found, None, method.field_rows, tilt_deg=direction, rows=rows
        )
    except InputError as error:
        result = Result(granum.name, reason=str(error))
    return Case(granum.name, granum.period_px, result)


def wrong(one: Case) -> bool:
    """Returns whether a case is called ok, yet beyond 15 % of the true period."""
    return one.result.status == "ok" and one.error > BEYOND


def row(name: str, cases: list[Case]) -> str:
    """Returns a line of the table."""
    ok, bad = (sum(map(test, cases)) for test in (lambda one: one.result.status == "ok", wrong))
    near = sum(one.error <= 5 for one in cases)
    share = bad / len(cases)
    return f"| {name} | {len(cases)} | {ok} | {bad} ({share:.1%}) | {near / len(cases):.0%} |"


def drawn(n: int, seed: int) -> Iterator[Granum]:
    """Yields n grana, each named by its numbers, in an order that has all values from the start."""
    rng = np.random.default_rng(seed)
    parts = (PERIODS, GAPS, DUTIES, NOISES, LAYERS, LEVELS)
    orders = [np.resize(rng.permutation(len(part)), n) for part in parts]
    for index in range(n):
        picked = [part[int(rng.integers(len(part)))] for part in parts]
        picked[0] = PERIODS[int(orders[0][index])]
        period, gap, duty, noise, layers, levels = picked
        name = f"{period} {gap or 'single'} {duty} {noise} {layers} {levels} {index}"
        yield lamellae(name, period, gap, duty, noise, layers, levels, rng)


def lamellae(name, period, gap, duty, noise, layers, levels, rng) -> Granum:
    """Draws one granum; `drawn` and the constants above explain the arguments."""
    exact = period * rng.uniform(0.93, 1.07)
    rows = int(min(max(layers * exact, 14), LARGEST[0]))
    columns = int(min(max(rows * rng.uniform(0.5, 2.0), 40), LARGEST[1]))
    # Small pixels are means of smaller ones.
    finer = 4 if period < FINE else 1
    y, x = np.mgrid[: rows * finer, :columns].astype(float)
    y = (y + 0.5) / finer
    bend = exact * rng.uniform(0, 0.3) * np.sin(np.pi * x / columns * rng.uniform(0.5, 2.0))
    phase = (y + bend) / exact + rng.uniform()
    layer = np.floor(phase)
    strength = rng.uniform(0.8, 1.2, int(layer.max() - layer.min()) + 1)
    turn = phase - layer - 0.5
    dark = np.exp(-(((turn + (gap or 0) / 2) / duty) ** 2) / 2)
    if gap is not None:
        dark += rng.uniform(0.6, 1.0) * np.exp(-(((turn - gap / 2) / duty) ** 2) / 2)
    grey = 0.7 - 0.4 * dark * strength[(layer - layer.min()).astype(int)]
    grey = grey.reshape(rows, finer, columns).mean(axis=1)
    grain = ndimage.gaussian_filter(rng.normal(size=grey.shape), rng.uniform(0.5, 1.5))
    grey += 0.4 * noise * grain / grain.std() + rng.uniform(-0.1, 0.1) * (
        np.arange(columns) / columns - 0.5
    )
    grey = np.clip(grey, 0, 1)
    grey = np.round(grey * (levels - 1)) / (levels - 1)
    mask = np.ones(grey.shape, bool)
    if rng.random() < 0.5:
        y, x = np.mgrid[:rows, :columns]
        mask = ((2 * y - rows + 1) / rows) ** 2 + ((2 * x - columns + 1) / columns) ** 2 <= 1
    return Granum(name, np.where(mask, grey, 0).astype(np.float32), mask, exact, None)


if __name__ == "__main__":
    main()
