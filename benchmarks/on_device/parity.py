"""Compares periods on the CPU with those on the accelerator, and the bits of two equal trainings.

Crops are generated ones and, with --crops, those of a folder with annotations. The CPU measures
them in a process of its own, and so does a second process the same training.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import jax
import numpy as np
from common import CONFIGS, Results, options_of, small

from srd_jax.imaging import dataset
from srd_jax.imaging.crop import Crop
from srd_jax.measuring.estimator import load
from srd_jax.support.files import whole_file
from srd_jax.synthetic.config import GranaConfig
from srd_jax.synthetic.crops import draw_grana
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import model
from srd_jax.training import checkpoint, optimizer, steps, train

SEED = 4321


def main() -> None:
    """Writes a row for the periods and one for the bits."""

    def extra(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--crops", type=pathlib.Path, help="folder of crops, annotations.csv")
        parser.add_argument("--only", choices=("periods", "bits"), help="print this and end")

    options = options_of(str(__doc__), extra)
    if options.only:
        print(json.dumps(periods(options) if options.only == "periods" else trained(options)))
        return
    results = Results(options.out, options.seconds)
    if not results.has(what="bits"):
        first, again = trained(options), trained(options)
        other = elsewhere("bits", {})
        results.add(what="bits", equal_in_one_process=first == again, in_two=first == other)
    if not results.has(what="periods"):
        there = np.array(elsewhere("periods", {"JAX_PLATFORMS": "cpu"}))
        here = np.array(periods(options))
        difference = np.abs(here / there - 1)
        results.add(
            what="periods",
            crops=len(here),
            platform=jax.default_backend(),
            largest_difference=difference.max(),
            median_difference=float(np.median(difference)),
        )
    results.finish()


def elsewhere(what: str, environment: dict[str, str]):
    """Returns what another process finds with the same flags."""
    # Both processes need memory of the accelerator.
    environment = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", **environment}
    command = [sys.executable, __file__, *sys.argv[1:], "--only", what]
    done = subprocess.run(
        command, env=os.environ | environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def periods(options: argparse.Namespace) -> list[float]:
    """Returns the network's periods, px of the crop."""
    crops = [Crop(image, mask, None, "") for image, mask in same_crops(options)]
    return [one.period_px for one in load(batch_size=4 if options.smoke else 16)(crops)]


def same_crops(options: argparse.Namespace) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns images and masks, drawn by the first process that asks for them.

    Another device may round a grey level to another whole number.
    """
    file = options.out.with_suffix(".npz")
    if not file.exists():
        drawn = [one[:2] for one in draw_grana(SEED, 4 if options.smoke else 64, GranaConfig())]
        if options.crops:
            drawn += [(one.image, one.mask) for one in dataset.read_grana(options.crops)]
        with whole_file(file) as temporary, temporary.open("wb") as opened:
            np.savez(opened, *(array for one in drawn for array in one))
    with np.load(file) as found:
        arrays = [found[name] for name in found.files]
    return list(zip(arrays[::2], arrays[1::2], strict=True))


def trained(options: argparse.Namespace) -> str:
    """Returns the SHA-256 of a network after ten training steps on stripes, in bfloat16."""
    config = read_config(CONFIGS / "stage1.py")
    config = small(config) if options.smoke else dataclasses.replace(config, batch_size=64)
    config = dataclasses.replace(
        config,
        log_every_steps=10,
        steps_per_epoch=10,
        epochs=100,  # of which one is trained: the warm-up alone takes ten
        model=dataclasses.replace(config.model, compute_dtype="bfloat16"),
    )
    with tempfile.TemporaryDirectory() as folder:
        task = make_task(config, pathlib.Path(folder))
    first = model.random_parameters(config.model, jax.random.key(0))
    update = optimizer.make(config)
    state = steps.TrainState(
        jax.numpy.int32(0), first, jax.tree.map(jax.numpy.copy, first), update.init(first)
    )
    take = steps.make_steps(config, train.data_mesh(config.batch_size), task)
    state, _ = take(state, task.source.arrays)
    return checkpoint.sha256(jax.device_get(dict(state.parameters)))


if __name__ == "__main__":
    main()
