"""Trains the released weights' recipe for as long as the time allows, and evaluates the result.

With --start FILE, the last part alone is trained, from these weights; with --smoke, the first. The
number of steps follows from the speed in --rates FILE, where it was measured, else from a
measurement of its own.
"""

import argparse
import dataclasses
import pathlib
import shutil
import time

import numpy as np
from absl import logging
from common import CONFIGS, Results, options_of, small
from rates import measured

from srd_jax.imaging import dataset
from srd_jax.imaging.crop import Crop
from srd_jax.measuring.estimator import load
from srd_jax.support.fields import from_dict
from srd_jax.support.files import read_json, whole_file
from srd_jax.synthetic.config import GranaConfig
from srd_jax.synthetic.crops import draw_grana
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import weights
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.training import train
from srd_jax.training.config import StartConfig
from srd_jax.training.workdir import CONFIG, WEIGHTS

# Shares of the time for training; without --start and with it.
SHARES = {
    False: {"release1": 0.2, "release2": 0.15, "release3": 0.25, "release4": 0.4},
    True: {"release4": 1.0},
}
# Seconds for compiling a part, validating and figures, and for the evaluation at the end.
PART_SECONDS, END_SECONDS = 120.0, 60.0
SEED = 12345  # of benchmarks/accuracy.py


def main() -> None:
    """Writes a row for each part, and one for the errors of the weights before and after."""

    def extra(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--start", type=pathlib.Path, help="weights to go on from")
        parser.add_argument("--rates", type=pathlib.Path, help="results of rates.py")
        parser.add_argument("--crops", type=pathlib.Path, help="folder of crops, annotations.csv")
        parser.add_argument("--generated", type=int, default=1000, help="crops to evaluate on")
        parser.add_argument("--seed", type=int, default=1, help="of all parts")

    options = options_of(str(__doc__), extra)
    logging.set_verbosity(logging.FATAL)  # orbax raises what it logs
    results = Results(options.out, options.seconds)
    workdir = options.out.parent / "training"
    shares = SHARES[options.start is not None]
    if options.smoke:
        shares = dict([*shares.items()][:1])
    around = PART_SECONDS * len(shares) + (END_SECONDS if options.generated else 0.0)
    seconds = 4.0 if options.smoke else results.left() - around
    for part, share in shares.items():
        if results.has(part=part):
            continue
        config = begun(workdir / part) or sized(part, share * seconds, options)
        began = time.monotonic()
        summary = train.run(config, workdir / part, make_task)
        results.add(
            part=part,
            batch=config.batch_size,
            columns=config.frame[1],
            images=summary["images"],
            seconds=time.monotonic() - began,
            val_mae=summary["val_mae"],
        )
        with whole_file(options.out.parent / WEIGHTS) as temporary:
            shutil.copyfile(workdir / part / WEIGHTS, temporary)
    if options.generated:
        evaluate(results, options)
    results.finish()


def begun(workdir: pathlib.Path) -> PeriodConfig | None:
    """Returns the config of a part that an earlier start began, whose time was another one."""
    file = workdir / CONFIG
    return from_dict(PeriodConfig, read_json(file), str(file)) if file.exists() else None


def sized(part: str, seconds: float, options: argparse.Namespace) -> PeriodConfig:
    """Returns the config of a part whose training takes about so many seconds."""
    config = read_config(CONFIGS / f"{part}.py", "full")
    config = dataclasses.replace(config, seed=options.seed)
    if options.smoke:
        config = small(config)
        config = dataclasses.replace(config, steps_per_epoch=2, log_every_steps=1)
    first = next(iter(SHARES[options.start is not None])) == part
    if options.start is not None and first:
        start = StartConfig(workdir=str(options.start))
        config = dataclasses.replace(config, start=StartConfig() if options.smoke else start)
    images = seconds * speed(config, options.rates)
    epochs = max(1, round(images / (config.steps_per_epoch * config.batch_size)))
    # A validation saves a checkpoint too.
    validation = dataclasses.replace(config.validation, every_epochs=max(1, epochs // 4))
    return dataclasses.replace(config, epochs=epochs, validation=validation)


def speed(config: PeriodConfig, rates: pathlib.Path | None) -> float:
    """Returns the images a second of training with drawing."""
    key = dict(
        what="training with drawing",
        dtype=config.model.compute_dtype,
        batch=config.batch_size,
        columns=config.frame[1],
    )
    rows = read_json(rates)["rows"] if rates and rates.exists() else []
    found = [row for row in rows if key.items() <= row.items() and "images_a_second" in row]
    row = found[0] if found else measured("training with drawing", config)[0]
    return row["images_a_second"]


def evaluate(results: Results, options: argparse.Namespace) -> None:
    """Adds the errors of the network alone, before and after, on generated and real crops."""
    number = 8 if options.smoke else options.generated
    sets = {"generated": [one[:3] for one in draw_grana(SEED, number, GranaConfig())]}
    if options.crops:
        found = dataset.read_grana(options.crops)
        sets["real"] = [(one.image, one.mask, one.period_px) for one in found]
    files = {"released": weights.RELEASED, "trained": options.out.parent / WEIGHTS}
    for name, file in files.items():
        network = load(file, batch_size=4 if options.smoke else 50)
        for kind, crops in sets.items():
            if not results.has(weights=name, crops=kind):
                results.add(weights=name, crops=kind, **errors(network, crops))


def errors(network, crops) -> dict[str, float]:
    """Returns errors of the network alone; lengths are px of the crop."""
    measured_crops = network([Crop(image, mask, None, "") for image, mask, _ in crops])
    true = np.array([period for *_, period in crops])
    error = np.array([one.period_px for one in measured_crops]) - true
    percent = 100 * np.abs(error) / true
    found = dict(
        number=len(crops),
        mae_px=float(np.abs(error).mean()),
        median_percent=float(np.median(percent)),
        beyond_15_percent=float((percent > 15).mean()),
    )
    if network.weights.model.confidence:
        sd = np.array([one.sd_px for one in measured_crops])
        found["within_1_sd"] = float((np.abs(error) <= sd).mean())
        found["within_1_96_sd"] = float((np.abs(error) <= 1.96 * sd).mean())
    return found


if __name__ == "__main__":
    main()
