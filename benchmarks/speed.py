"""Measures the time of a training step and of a forward pass, ours against PyTorch.

    python benchmarks/speed.py [--batch 8] [--width 476] [--rounds 7] [--compile] [--out DIR]

Times are ms an image, float32, on a GPU where both see one. Training is forward, backward and
update, with dropout and the Gaussian negative log-likelihood. Our step also clips the gradient,
averages the parameters and runs in a scan. PyTorch runs channels-last on all cores, its forward
pass in inference mode. "Huge pages" rows run under GLIBC_TUNABLES=glibc.malloc.hugetlb=1.

Needs: torch (pip install '.[benchmark]'); --compile a C++ compiler.
Takes: about 10 min on 2 cores.
Writes: two tables to the terminal; --out DIR: speed.md and speed.json.
"""

import argparse
import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import tables

from srd_jax.support.errors import InputError
from srd_jax.tasks.period.config import ModelConfig

TASKS = ("training", "forward")
WORKER = pathlib.Path(__file__).with_name("speed_worker.py")


class Side(NamedTuple):
    """One row of the table: a framework under one setting."""

    name: str
    framework: str
    huge_pages: bool
    compiled: bool = False


SIDES = (
    Side("ours", "ours", False),
    Side("PyTorch", "torch", False),
    Side("ours, huge pages", "ours", True),
    Side("PyTorch, huge pages", "torch", True),
)
COMPILED = (
    Side("PyTorch, torch.compile", "torch", False, True),
    Side("PyTorch, torch.compile, huge pages", "torch", True, True),
)

# Task → name of the side → ms an image, one value a round.
Samples = dict[str, dict[str, list[float]]]


@contextlib.contextmanager
def started(side: Side, options: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    """Yields a side's worker process, which ends with the block."""
    environment = dict(os.environ)
    environment.pop("GLIBC_TUNABLES", None)
    if side.huge_pages:
        environment["GLIBC_TUNABLES"] = "glibc.malloc.hugetlb=1"
    arguments = json.dumps(options | {"compile": side.compiled})
    with subprocess.Popen(
        [sys.executable, str(WORKER), side.framework, arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as worker:
        yield worker
        # Leaving the inner block closes its standard input, which ends the worker.


def answer(worker: subprocess.Popen[str], side: Side) -> Any:
    """Returns the next line of a worker, decoded from JSON.

    Raises:
      SystemExit: the worker has ended; its own message is printed above.
    """
    assert worker.stdout
    line = worker.stdout.readline()
    if not line:
        raise SystemExit(f"{side.name}: the measuring process failed")
    return json.loads(line)


def measure(
    sides: tuple[Side, ...], options: dict[str, Any], rounds: int
) -> tuple[Samples, dict[str, dict[str, str]]]:
    """Returns the times of all sides, and the version and device of each.

    Every side runs in its own process, and the sides take turns, so that a drift of the machine
    changes all of them.
    """
    samples: Samples = {task: {side.name: [] for side in sides} for task in TASKS}
    with contextlib.ExitStack() as stack:
        workers, about = {}, {}
        for side in sides:
            print(f"compiling and warming up: {side.name}", file=sys.stderr)
            workers[side] = stack.enter_context(started(side, options))
            about[side.name] = answer(workers[side], side)
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
            for task in TASKS:
                for side, worker in workers.items():
                    assert worker.stdin
                    print(task, file=worker.stdin, flush=True)
                    samples[task][side.name].append(answer(worker, side))
    return samples, about


def best_torch(times: dict[str, list[float]], sides: tuple[Side, ...]) -> str:
    """Returns the name of the PyTorch side with the lowest median."""
    names = [side.name for side in sides if side.framework == "torch"]
    return min(names, key=lambda name: statistics.median(times[name]))


def table(task: str, times: dict[str, list[float]], best: str) -> tables.Table:
    """Returns the table of a task; the ratio is the median over rounds of time / best PyTorch."""
    rows = []
    for name, values in times.items():
        rows.append((name, *tables.spread(values), tables.paired_ratio(values, times[best])))
    columns = ("side", "median", "min", "max", "ratio to best PyTorch")
    return tables.Table(f"{task}, ms an image", columns, rows)


def positive(text: str) -> int:
    """Returns a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def main() -> int:
    """Measures, prints the tables and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=positive, default=8, help="images a step")
    parser.add_argument("--width", type=positive, default=476, help="columns of the frame")
    parser.add_argument("--steps", type=positive, default=4, help="steps a measurement")
    parser.add_argument("--rounds", type=positive, default=7, help="measurements a side")
    parser.add_argument(
        "--compile", action="store_true", help="also torch.compile (needs a C++ compiler)"
    )
    tables.add_out(parser)
    arguments = parser.parse_args()
    try:
        ModelConfig().geometry.grid(476, arguments.width)
    except InputError as error:
        parser.error(str(error))
    setting = tables.started(arguments, ("torch",))
    options = {name: getattr(arguments, name) for name in ("batch", "width", "steps")}
    sides = SIDES + (COMPILED if arguments.compile else ())
    samples, about = measure(sides, options, arguments.rounds)
    if len({entry["platform"] for entry in about.values()}) > 1:
        print(f"the sides ran on different devices, no comparison: {about}")
        return 1
    setting["devices"] = {entry["version"]: f"on {entry['device']}" for entry in about.values()}
    best = {task: best_torch(times, sides) for task, times in samples.items()}
    found = [table(task, times, best[task]) for task, times in samples.items()]
    tables.publish("speed", setting, found, arguments.out, samples)
    return 0


if __name__ == "__main__":
    sys.exit(main())
