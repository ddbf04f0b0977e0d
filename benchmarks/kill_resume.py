"""Kills training runs at random moments, resumes them, and compares their end bit by bit.

python benchmarks/kill_resume.py [--kills=10] [--config=FILE] [--seed=0]

Two undisturbed runs come first. Then runs of the same config are killed (SIGKILL) and started again
in the same workdir; moments are uniform over the time that an undisturbed run trains, so many fall
into the writing of a checkpoint. Whenever a run reaches its end, its parameters, their
average, the optimiser's state and metrics.csv must be those of the undisturbed run; then a new one
begins. The exit status is 1 on any difference. The config is this file's own tiny one by default.
"""

import argparse
import dataclasses
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

import jax
import numpy as np
import orbax.checkpoint as ocp
from absl import logging

from srd_jax.config import (
    EncoderConfig,
    ModelConfig,
    OptimizerConfig,
    StripesConfig,
    TrainConfig,
    ValidationConfig,
)
from srd_jax.geometry import Block

ROOT = pathlib.Path(__file__).resolve().parents[1]
ITEMS = ("parameters", "average", "optimizer")


def get_config() -> TrainConfig:
    """Returns a run of 24 quick steps with a checkpoint after every other one."""
    blocks = (Block(1, (2, 2)), Block(1, (2, 1)))
    return TrainConfig(
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
    """One start of a run.

    Attributes:
      origin: what the run says of where it comes from.
      seconds: between that and its end.
      status: exit status; negative for a signal.
    """

    origin: str
    seconds: float
    status: int


def start(config: str, workdir: pathlib.Path, kill_after: float | None) -> Start:
    """Starts or resumes a run, kills it after so many seconds of training, and waits for its end.

    Raises:
      RuntimeError: the run ended with an error of its own.
    """
    command = [sys.executable, "-u", "launch.py", f"--config={config}", f"--workdir={workdir}"]
    compiled = {
        "JAX_COMPILATION_CACHE_DIR": str(workdir.parent / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "PYTHONPATH": str(ROOT),
    }
    run = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **compiled}, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    with run, run.stdout:
        line = run.stdout.readline()
        began = time.perf_counter()
        timer = threading.Timer(kill_after or 0.0, run.kill)
        if kill_after is not None:
            timer.start()
        for _ in run.stdout:  # or it would wait for a reader
            pass
        status = run.wait()
        timer.cancel()
    if status > 0:
        raise RuntimeError(f"{' '.join(command)}: exit status {status}")
    origin = re.sub(r"^.*?: |;.*$", "", line.strip())
    return Start(origin, time.perf_counter() - began, status)


def final_state(workdir: pathlib.Path) -> dict[str, bytes]:
    """Returns the bytes of metrics.csv and of every array of the last checkpoint, by name."""
    folder = workdir / "checkpoints"
    last = folder / str(max(int(path.name) for path in folder.iterdir()))
    with ocp.StandardCheckpointer() as checkpointer:
        trees = {item: checkpointer.restore(last / item) for item in ITEMS}
    leaves, _ = jax.tree_util.tree_flatten_with_path(trees)
    state = {jax.tree_util.keystr(path): np.asarray(leaf).tobytes() for path, leaf in leaves}
    return state | {"metrics.csv": (workdir / "metrics.csv").read_bytes()}


def differences(workdir: pathlib.Path, expected: dict[str, bytes]) -> list[str]:
    """Returns the names in which the end of a run differs from the expected one."""
    found = final_state(workdir)
    names = sorted(found.keys() | expected.keys())
    different = [name for name in names if found.get(name) != expected.get(name)]
    print(f"{workdir.name} ended: {len(different)} of {len(names)} arrays and tables differ")
    return different


def kill_and_resume(config: str, folder: pathlib.Path, kills: int, seed: int) -> list[str]:
    """Returns the names of all that differed after the kills."""
    start(config, folder / "undisturbed", None)
    expected = final_state(folder / "undisturbed")
    # Timed with the programs compiled, as those to be killed will find them.
    undisturbed = start(config, folder / "again", None)
    print(f"an undisturbed run trains for {undisturbed.seconds:.1f} s")
    different = differences(folder / "again", expected)
    moments = random.Random(seed)
    run = killed = 0
    while True:
        workdir = folder / f"run {run}"
        moment = moments.uniform(0.0, undisturbed.seconds) if killed < kills else None
        last = start(config, workdir, moment)
        if last.status < 0:
            killed += 1
            saving = any(workdir.glob("checkpoints/*tmp*"))
            print(
                f"kill {killed}: {last.origin}; killed after {moment:.2f} s"
                + (", while it wrote a checkpoint" if saving else "")
            )
            continue
        print(f"no kill: {last.origin}")
        different += differences(workdir, expected)
        run += 1
        if killed == kills:
            return different


def main() -> int:
    """Runs the check and returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--config", default=str(pathlib.Path(__file__).resolve()))
    options = parser.parse_args()
    logging.set_verbosity(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="kill_resume_") as folder:
        different = kill_and_resume(
            options.config, pathlib.Path(folder), options.kills, options.seed
        )
    if different:
        print(f"DIFFERENT after {options.kills} kills: {', '.join(different)}")
        return 1
    print(
        f"identical after {options.kills} kills: parameters, average, optimiser state, metrics.csv"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
