"""Kills training at random moments, goes on with it, and compares its end bit by bit.

python benchmarks/kill_resume.py [--kills=10] [--seed=0]
python benchmarks/kill_resume.py --config=configs/curriculum.py --config.preset=smoke --kills=20

The moments are uniform over the rest of the training. So kills (SIGKILL) hit training steps, the
writing of checkpoints and, in a curriculum, the drawing of crops and the handover between stages.
The exit status is 1 on any difference. The default config is this file's own tiny run. Flags that
this script doesn't know go to launch.py.

Needs: Linux or macOS.
Takes: about 3 min on 2 cores; with the curriculum about 30 min.
Writes: a line a kill to the terminal.
"""

import argparse
import dataclasses
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

import jax
import numpy as np
import orbax.checkpoint as ocp
from absl import logging
from safetensors.numpy import load_file

from srd_jax.networks.receptive_field import Block
from srd_jax.synthetic.config import StripesConfig
from srd_jax.tasks.period.config import EncoderConfig, ModelConfig, PeriodConfig
from srd_jax.training.config import OptimizerConfig, ValidationConfig

ROOT = pathlib.Path(__file__).resolve().parents[1]
ITEMS = ("parameters", "average", "optimizer")
TABLES = ("metrics.csv", "summary.json", "start.json", "data.json", "candidates.csv")


def get_config() -> PeriodConfig:
    """Returns a run of 24 quick steps with a checkpoint after every other one."""
    blocks = (Block(1, (2, 2)), Block(1, (2, 1)))
    return PeriodConfig(
        name="kill_resume",
        frame=(50, 24),
        batch_size=4,
        steps_per_epoch=2,
        epochs=12,
        log_every_steps=1,
        model=ModelConfig(encoder=EncoderConfig(blocks, channels=8), initial_period=10.0),
        source=StripesConfig(period=(4.0, 16.0)),
        optimizer=OptimizerConfig(warmup_steps=4),
        validation=ValidationConfig(images=4, batch_size=4, frame=(50, 24), pictures=1),
    )


@dataclasses.dataclass(frozen=True)
class Start:
    """One start of a training.

    Attributes:
      lines: of its standard output.
      times: of the lines, seconds since the first one.
      status: exit status; negative for a signal.
    """

    lines: list[str]
    times: list[float]
    status: int


def start(launch: list[str], workdir: pathlib.Path, kill_after: float | None) -> Start:
    """Starts a training or goes on with it, may kill it, and waits for its end.

    Args:
      launch: flags of launch.py.
      workdir: of the training; compiled programs are kept beside it.
      kill_after: seconds from its first line to the kill; None for no kill.

    Raises:
      RuntimeError: the training ended with an error of its own.
    """
    command = [sys.executable, "-u", "launch.py", *launch, f"--workdir={workdir}"]
    compiled = {
        "JAX_COMPILATION_CACHE_DIR": str(workdir.parent / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "PYTHONPATH": str(ROOT),
    }
    run = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **compiled}, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    lines, times = [], []
    with run, run.stdout:
        timer = threading.Timer(kill_after or 0.0, run.kill)
        for line in run.stdout:
            times.append(time.perf_counter())
            lines.append(line.strip())
            if len(lines) == 1 and kill_after is not None:
                timer.start()
        status = run.wait()
        timer.cancel()
    if status > 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {status}")
    return Start(lines, [at - times[0] for at in times], status)


def final_state(workdir: pathlib.Path) -> dict[str, bytes]:
    """Returns the bytes of all arrays and tables that training left in a workdir, by name.

    These are parameters, their average and the optimiser's state in the last checkpoint of each
    run, all weights files, and TABLES.
    """
    state = {}
    for path in sorted(workdir.rglob("[!.]*")):
        name = str(path.relative_to(workdir))
        if path.name == "checkpoints":
            last = max(path.iterdir(), key=lambda step: int(step.name))
            state |= {f"{name}{leaf}": value for leaf, value in arrays(last).items()}
        elif path.suffix == ".safetensors":
            weights = load_file(path)
            state |= {f"{name}[{leaf!r}]": value.tobytes() for leaf, value in weights.items()}
        elif path.name in TABLES:
            state[name] = path.read_bytes()
    return state


def arrays(checkpoint: pathlib.Path) -> dict[str, bytes]:
    """Returns the bytes of every array of a checkpoint by name, as orbax itself reads it."""
    with ocp.StandardCheckpointer() as checkpointer:
        trees = {item: checkpointer.restore(checkpoint.absolute() / item) for item in ITEMS}
    leaves, _ = jax.tree_util.tree_flatten_with_path(trees)
    return {jax.tree_util.keystr(path): np.asarray(leaf).tobytes() for path, leaf in leaves}


def differences(workdir: pathlib.Path, expected: dict[str, bytes]) -> list[str]:
    """Returns the names of arrays and tables that differ from the expected ones."""
    found = final_state(workdir)
    names = sorted(found.keys() | expected.keys())
    different = [name for name in names if found.get(name) != expected.get(name)]
    print(f"{workdir.name} ended: {len(different)} of {len(names)} arrays and tables differ")
    return different


def time_left(workdir: pathlib.Path, undisturbed: Start) -> float:
    """Returns the time, s, that an undisturbed training takes for a workdir's unfinished runs.

    Args:
      workdir: of a training that was killed, or that hasn't begun.
      undisturbed: a training whose programs were compiled before.
    """
    ends = [
        at
        for at, line in zip(undisturbed.times, undisturbed.lines, strict=True)
        if line.startswith("results in ")
    ]
    finished = len([*workdir.rglob("summary.json")])
    return undisturbed.times[-1] - [0.0, *ends][finished]


def kill_and_resume(launch: list[str], folder: pathlib.Path, kills: int, seed: int) -> list[str]:
    """Returns the names of all arrays and tables that differed after the kills.

    Trains twice undisturbed. Then trains in new workdirs, killed and started again at random
    moments, until there were enough kills, and compares the end of each training.
    """
    start(launch, folder / "undisturbed", None)
    expected = final_state(folder / "undisturbed")
    undisturbed = start(launch, folder / "again", None)
    print(f"undisturbed, it trains for {undisturbed.times[-1]:.1f} s")
    different = differences(folder / "again", expected)
    random_moments = random.Random(seed)
    number = killed = 0
    while True:
        workdir = folder / f"training {number}"
        left = time_left(workdir, undisturbed)
        moment = random_moments.uniform(0.0, left) if left and killed < kills else None
        last = start(launch, workdir, moment)
        if last.status < 0:
            killed += 1
            print(f"kill {killed} after {moment:.2f} of {left:.2f} s; last line: {last.lines[-1]}")
            continue
        print(f"no kill; first line: {last.lines[0]}")
        different += differences(workdir, expected)
        number += 1
        if killed == kills:
            return different


def main() -> int:
    """Runs the check and returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--config", default=str(pathlib.Path(__file__).resolve()))
    options, flags = parser.parse_known_args()
    logging.set_verbosity(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="kill_resume_") as folder:
        different = kill_and_resume(
            [f"--config={options.config}", *flags],
            pathlib.Path(folder),
            options.kills,
            options.seed,
        )
    if different:
        print(f"DIFFERENT after {options.kills} kills: {', '.join(different)}")
        return 1
    print(f"identical after {options.kills} kills: all arrays and tables")
    return 0


if __name__ == "__main__":
    sys.exit(main())
