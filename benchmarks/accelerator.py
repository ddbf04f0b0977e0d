"""Measures all that an accelerator should show, and trains on it for the rest of the time.

python benchmarks/accelerator.py --minutes 15 --out runs/accelerator [--parts about parity …]
    [--crops FOLDER] [--start WEIGHTS] [--smoke]

Needs no network. Runs the parts in on_device/ one after the other, most important first, each in a
process of its own that is ended at its limit:

  about        versions, device, memory, bandwidth of a copy, rate of a matrix product
  parity       periods on the CPU and on the accelerator, bits of two equal trainings
  rates        images a second of training, forward pass, drawing and augmentation; time by kernel
  torch_rates  the same of a PyTorch twin, where torch is installed
  curriculum   wall time of the preset fast
  training     the released weights' recipe for the rest of the time, and its errors

Each part writes PART.json row by row, and after each part summary.md is written anew. The same
command skips what is finished and goes on with the rest. --start trains the recipe's last part
alone, from a weights file. --crops names a folder of real grana with annotations.csv.

Needs: a GPU or TPU (--smoke: none); torch for the twin beside it.
Takes: --minutes of it, 15 for all parts.
Writes: --out DIR: summary.md, a JSON file and a log a part.
"""

import argparse
import importlib.util
import os
import pathlib
import signal
import subprocess
import sys
import time
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "on_device"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from summary import write_summary

from srd_jax.support.files import read_json

FOLDER = pathlib.Path(__file__).resolve().parent


class Part(NamedTuple):
    """A script in on_device/.

    Attributes:
      share: of the time, relative to those of the parts that follow; what a part leaves is theirs.
      flags: of this script that it takes too.
    """

    share: float
    flags: tuple[str, ...] = ()


PARTS = {
    "about": Part(1),
    "parity": Part(7, ("crops",)),
    "rates": Part(9),
    "torch_rates": Part(4),
    "curriculum": Part(8),
    "training": Part(12, ("crops", "start")),
}
# Seconds before the end of its limit by which a part should be finished.
GRACE = 5.0
FINISHED = "finished"


def main() -> int:
    """Runs the parts and returns the exit status: 1 if one of them failed or was stopped."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--minutes", type=float, required=True, help="time for all parts")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="folder of the results")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS])
    parser.add_argument("--crops", type=pathlib.Path, help="folder of real grana")
    parser.add_argument("--start", type=pathlib.Path, help="weights that training goes on from")
    parser.add_argument("--smoke", action="store_true", help="small sizes, to see that it works")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    whole, began, good = 60 * options.minutes, time.monotonic(), True
    names = list(options.parts)
    if "torch_rates" in names and importlib.util.find_spec("torch") is None:
        names.remove("torch_rates")
        print("torch_rates: left out, torch is not installed")
    for number, name in enumerate(names):
        left = whole - GRACE - (time.monotonic() - began)
        to_come = sum(PARTS[other].share for other in names[number:])
        limit = left * PARTS[name].share / to_come
        outcome = run(name, limit, options)
        print(f"{name}: {outcome}, {time.monotonic() - began:.0f} s in all", flush=True)
        good &= outcome == FINISHED
        write_summary(options.out)
    print(f"results in {options.out}: summary.md, {', '.join(f'{n}.json' for n in names)}")
    return 0 if good else 1


def run(name: str, limit: float, options: argparse.Namespace) -> str:
    """Runs a part for at most `limit` seconds, and returns what became of it in words."""
    out = options.out / f"{name}.json"
    if out.exists() and read_json(out)["finished"]:
        return FINISHED
    if limit < 1:
        return "not started, no time was left"
    command = [sys.executable, str(FOLDER / "on_device" / f"{name}.py"), f"--out={out}"]
    command += [f"--seconds={limit - GRACE:.0f}", *["--smoke"] * options.smoke]
    for flag in PARTS[name].flags:
        if value := getattr(options, flag):
            command.append(f"--{flag}={value}")
    if name == "training":
        command.append(f"--rates={options.out / 'rates.json'}")
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    if options.smoke:  # takes half of the time for compiling
        environment["XLA_FLAGS"] = "--xla_backend_optimization_level=0"
    with (options.out / f"{name}.log").open("ab") as log:
        child = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=environment
        )
        try:
            status = child.wait(limit)
        except subprocess.TimeoutExpired:
            return f"stopped at its limit of {limit:.0f} s"
        finally:  # its own children too, and also where this process is interrupted
            _end(child)
    if status:
        return f"failed with status {status}, see {log.name}"
    return FINISHED if read_json(out)["finished"] else "ended early, no time was left"


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends a part with all its processes."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(GRACE)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            pass


if __name__ == "__main__":
    sys.exit(main())
