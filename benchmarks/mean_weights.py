"""Writes the mean of two networks' parameters, with the sd calibrated anew.

python benchmarks/mean_weights.py FIRST SECOND --out FILE [--images 1002]

Where one network goes on from the other, the mean of both often errs less than either (Wortsman et
al. 2022, arXiv:2203.05482). Prints the validation errors of all three on the same drawn grana.

Needs: two weights files, of one network.
Takes: about 10 min on 2 cores.
Writes: --out FILE: weights; errors to the terminal.
"""

import argparse
import dataclasses
import hashlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import jax
import numpy as np

from srd_jax.imaging.preparation import FRAME
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import weights
from srd_jax.tasks.period.weights import calibration_of
from srd_jax.training import steps
from srd_jax.training.config import ValidationConfig

ROOT = pathlib.Path(__file__).parent.parent


def main() -> None:
    """Averages, calibrates and writes."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("first", type=pathlib.Path, help="weights file")
    parser.add_argument("second", type=pathlib.Path, help="weights file; its config is kept")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument(
        "--images", type=int, default=1002, metavar="N", help="default: %(default)s"
    )
    options = parser.parse_args()
    files = options.first, options.second
    first, second = map(weights.load, files)
    mean = {
        name: ((np.asarray(first.parameters[name]) + np.asarray(value)) / 2).astype(np.float32)
        for name, value in second.parameters.items()
    }
    config = read_config(str(ROOT / "configs" / "release4.py"), "fast")
    validation = ValidationConfig(images=options.images, frame=FRAME, batch_size=6)
    config = dataclasses.replace(config, validation=validation, model=second.model)
    task = make_task(config, options.out.parent)
    validate = steps.make_validation(config, task.source, task.evaluate)
    for name, parameters in (
        ("first", first.parameters),
        ("second", second.parameters),
        ("mean", mean),
    ):
        found = jax.device_get(validate(dict(parameters), ()))
        size = np.abs(found.period / found.target - 1)
        error = np.abs(found.period - found.target).mean()
        print(
            f"{name}: MAE {error:.3f} px of the frame, median {np.median(size):.2%}, "
            f"beyond 15 % {np.mean(size > 0.15):.2%}",
            flush=True,
        )
    assert task.calibrate is not None
    origin = {
        "run": "mean of two networks",
        "sha256": [hashlib.sha256(file.read_bytes()).hexdigest() for file in files],
        "start": second.origin,
    }
    made = dataclasses.replace(
        second, parameters=mean, origin=origin, calibration=calibration_of(task.calibrate(found))
    )
    weights.save(options.out, made)
    print(f"{made.calibration}; written to {options.out}")


if __name__ == "__main__":
    main()
