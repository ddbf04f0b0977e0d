"""Measures how time and memory grow with images, their size, frame, batch and devices.

    python benchmarks/growth.py [--parts images sides widths batches devices] [--rounds 3]
        [--images 100 400 1600] [--out DIR] [--smoke]

Images and sides are runs of `srd predict`, from start to end. Widths are forward passes of a batch,
compiled for each. Batches and devices are training steps; the devices are parts of this machine
(--xla_force_host_platform_device_count) that share a batch of fixed size. The memory is that of all
processes of a case together (proportional set size), at most, looked at every 50 ms. Each case is a
process of its own; all cases of a part take turns in each round. Medians over rounds, of which none
compiles. The exponent is the slope of log time over log size, by least squares: 1 is linear.

Needs: Linux.
Takes: about 25 min on 2 cores; --smoke about 2 min.
Writes: tables to the terminal; --out DIR: growth.md, growth.json and growth.png.
"""

import argparse
import pathlib
import statistics
import sys
import tempfile
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import predict_runs
import tables
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from predict_runs import command, environment

from srd_jax.imaging import FRAME

WORKER = pathlib.Path(__file__).with_name("growth_worker.py")


class Case(NamedTuple):
    """A size of a part.

    Attributes:
      size: in the unit of the part.
      images: how many a time is of.
      words: the command.
      variables: of its environment, beside the usual ones.
    """

    size: int
    images: int
    words: list[str]
    variables: dict[str, str]


class Part(NamedTuple):
    """A way to grow.

    Attributes:
      axis: the sizes, in words.
      work: the time's work, in words.
      cases: in order of size.
      whole: whether the time is that of the whole process, else the one that it prints.
    """

    axis: str
    work: str
    cases: list[Case]
    whole: bool = False


# Size → seconds and bytes, one of each a round.
Samples = dict[int, tuple[list[float], list[int]]]


def images(options: argparse.Namespace, folder: pathlib.Path) -> Part:
    """Returns runs of `srd predict` on more and more crops."""
    cases = []
    for count in options.images:
        source = folder / f"images{count}"
        predict_runs.draw(source, count, 0)
        words = command(source, folder / f"images{count}.csv", options.method)
        cases.append(Case(count, count, words, {}))
    return Part("images", f"srd predict, {options.method}", cases, whole=True)


def sides(options: argparse.Namespace, folder: pathlib.Path) -> Part:
    """Returns runs of `srd predict` on larger and larger crops."""
    cases = []
    for side in options.sides:
        source = folder / f"sides{side}"
        predict_runs.draw(source, options.crops, 0, side)
        words = command(source, folder / f"sides{side}.csv", options.method)
        cases.append(Case(side**2, options.crops, words, {}))
    work = f"srd predict, {options.method}, {options.crops} square crops"
    return Part("pixels of a crop", work, cases, whole=True)


def _worker(options: argparse.Namespace, work: str, batch: int, columns: int) -> list[str]:
    numbers = map(str, (batch, columns, options.calls))
    return [sys.executable, str(WORKER), work, *numbers]


def widths(options: argparse.Namespace, _: pathlib.Path) -> Part:
    """Returns forward passes of wider and wider frames."""
    batch = options.batch
    cases = [Case(w, batch, _worker(options, "forward", batch, w), {}) for w in options.widths]
    return Part("columns of the frame", f"forward pass, batch {batch}", cases)


def batches(options: argparse.Namespace, _: pathlib.Path) -> Part:
    """Returns training steps of larger and larger batches."""
    columns = options.columns
    cases = [Case(b, b, _worker(options, "training", b, columns), {}) for b in options.batches]
    return Part("images of a batch", f"training step, {columns} columns", cases)


def devices(options: argparse.Namespace, _: pathlib.Path) -> Part:
    """Returns the same training step on more and more devices, all of this machine."""
    batch, cases = options.global_batch, []
    words = _worker(options, "training", batch, options.columns)
    for count in options.devices:
        flags = f"--xla_force_host_platform_device_count={count}"
        cases.append(Case(count, batch, words, {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}))
    return Part("devices", f"training step, batch {batch}, {options.columns} columns", cases)


PARTS: dict[str, Callable[[argparse.Namespace, pathlib.Path], Part]] = {
    "images": images,
    "sides": sides,
    "widths": widths,
    "batches": batches,
    "devices": devices,
}


def measure(part: Part, rounds: int, cache: pathlib.Path) -> Samples:
    """Returns the times and the memory of all cases, which take turns in each round."""
    compiled = {
        "XDG_CACHE_HOME": str(cache),
        "JAX_COMPILATION_CACHE_DIR": str(cache / "programs"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    samples: Samples = {case.size: ([], []) for case in part.cases}
    for number in range(rounds + 1):
        # Round 0 fills the cache; one program serves all runs of `srd predict`.
        for case in part.cases[:1] if part.whole and not number else part.cases:
            found = predict_runs.run(case.words, environment(**compiled, **case.variables))
            seconds = found.seconds if part.whole else float(found.output.split()[-1])
            print(
                f"{part.work}, {case.size} {part.axis}, round {number}: {seconds:.2f} s",
                file=sys.stderr,
            )
            if number:
                samples[case.size][0].append(seconds)
                samples[case.size][1].append(found.most)
    return samples


def exponent(size: np.ndarray, values: np.ndarray) -> float:
    """Returns the slope of log value over log size; NaN of a single size."""
    return float(np.polyfit(np.log(size), np.log(values), 1)[0]) if len(size) > 1 else np.nan


def medians(samples: Samples) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns sizes, seconds and bytes, (sizes,) each."""
    found = [(s, *map(statistics.median, values)) for s, values in samples.items()]
    size, seconds, most = np.array(found, float).T
    return size, seconds, most


def table(part: Part, samples: Samples) -> tables.Table:
    """Returns the table of a part; each ratio is to its first size, of pairs of a round."""
    first = samples[part.cases[0].size][0]
    rows = []
    for case in part.cases:
        seconds, most = samples[case.size]
        median = statistics.median(seconds)
        ratio = tables.paired_ratio(seconds, first)
        memory = statistics.median(most) / 1e6
        rows.append((case.size, median, 1e3 * median / case.images, ratio, memory))
    columns = (part.axis, "s", "ms an image", "s, ratio to the first", "peak memory, MB")
    return tables.Table(part.work, columns, rows)


def growth(parts: dict[str, Part], samples: dict[str, Samples]) -> tables.Table:
    """Returns the exponents, and the straight line through seconds and bytes, of all parts."""
    rows = []
    for name, part in parts.items():
        size, seconds, most = medians(samples[name])
        many = len(size) > 1
        lines = [np.polyfit(size, y, 1) if many else [np.nan] * 2 for y in (1e3 * seconds, most)]
        times = exponent(size, seconds), exponent(size[-2:], seconds[-2:])
        each = float(lines[0][0]), float(lines[0][1]) / 1e3, float(lines[1][0]) / 1e3
        rows.append((part.axis, *times, each[0], each[1], exponent(size, most), each[2]))
    columns = (
        "over",
        "exponent of time",
        "of the two largest",
        "ms more each",
        "s at 0",
        "exponent of memory",
        "kB more each",
    )
    return tables.Table("Growth: exponents, and least-squares lines", columns, rows)


def plot(parts: dict[str, Part], samples: dict[str, Samples]) -> Figure:
    """Returns a panel a part: time above, memory below, with all rounds and their median."""
    figure = Figure(figsize=(1 + 3.2 * len(parts), 6.5), layout="constrained")
    axes = figure.subplots(2, len(parts), squeeze=False)
    for column, (name, part) in zip(axes.T, parts.items(), strict=True):
        size, *values = medians(samples[name])
        for axis, y, index, unit in zip(column, values, (0, 1), (1, 1e-6), strict=True):
            every = [(s, v * unit) for s, both in samples[name].items() for v in both[index]]
            axis.loglog(*np.array(every).T, "o", color="0.7", markersize=4)
            label = f"exponent {exponent(size, y):.2f}"
            axis.loglog(size, y * unit, "o-", color="C0", markersize=5, label=label)
            _scale(axis, size, y * unit)
            axis.legend(frameon=False, loc="upper left")
        column[0].set_title(part.work.replace(", ", ",\n", 1), fontsize=10)
        column[0].set_ylabel("s")
        column[1].set_ylabel("peak memory, MB")
        column[1].set_xlabel(part.axis)
    return figure


def _scale(axis: Any, size: np.ndarray, y: np.ndarray) -> None:
    """Marks the sizes, and shows at least a decade, that small changes look small."""
    axis.set_xticks(size, [f"{one:,.0f}" for one in size], rotation=30, fontsize=9)
    axis.minorticks_off()
    middle, half = np.sqrt(y.min() * y.max()), max(np.sqrt(10), 1.6 * np.sqrt(y.max() / y.min()))
    axis.set_ylim(middle / half, middle * half)
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.grid(alpha=0.3)


SMOKE = {
    "images": [8, 16],
    "sides": [64, 128],
    "widths": [38, 62],
    "batches": [1, 2],
    "devices": [1, 2],
    "crops": 8,
    "batch": 2,
    "global_batch": 2,
    "columns": 38,
    "calls": 1,
    "rounds": 1,
}


def parsed() -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS])
    whole = {"nargs": "+", "type": int, "metavar": "N"}
    parser.add_argument("--images", default=[100, 400, 1600], **whole)
    parser.add_argument("--sides", default=[100, 200, 400, 800, 1600], help="px", **whole)
    parser.add_argument("--widths", default=[62, 110, 238, 476, 952], help="columns", **whole)
    parser.add_argument("--batches", default=[1, 2, 4, 8, 16, 32], **whole)
    parser.add_argument("--devices", default=[1, 2, 4, 8], **whole)
    parser.add_argument("--crops", type=int, default=32, help="of each side")
    parser.add_argument("--batch", type=int, default=8, help="of the forward pass")
    parser.add_argument("--global-batch", type=int, default=16, help="of all devices")
    parser.add_argument("--columns", type=int, default=FRAME[1], help="of training")
    parser.add_argument("--calls", type=int, default=3, help="a case and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--method", default="combined", help="of srd predict")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, to see that it works")
    tables.add_out(parser, "md, json, png")
    options = parser.parse_args()
    for name, value in SMOKE.items() if options.smoke else ():
        setattr(options, name, value)
    for name in PARTS:
        setattr(options, name, sorted(set(getattr(options, name))))
    return options


def main() -> None:
    """Measures part by part, and writes all tables anew after each."""
    options = parsed()
    setting = tables.started(options)
    parts: dict[str, Part] = {}
    samples: dict[str, Samples] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name in options.parts:
            parts[name] = PARTS[name](options, folder)
            samples[name] = measure(parts[name], options.rounds, folder / "cache")
            found = [table(part, samples[one]) for one, part in parts.items()]
            found.append(growth(parts, samples))
            figure, last = plot(parts, samples), name == options.parts[-1]
            tables.publish("growth", setting, found, options.out, samples, figure, quiet=not last)


if __name__ == "__main__":
    main()
