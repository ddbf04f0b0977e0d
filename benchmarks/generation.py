"""Measures the time to draw an image, to augment a crop, and to train on an image.

python benchmarks/generation.py [--rounds 3] [--columns 110 476] [--out DIR]

Each figure is the time of a batch divided by its size, the best of five calls in a round; in each
round all kinds of work take turns. The ratio is to the training step on the same frame, the median
over rounds.

Needs: the package alone.
Takes: about 5 min on 2 cores.
Writes: a table a frame to the terminal; --out DIR: generation.md and generation.json.
"""

import argparse
import functools
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import jax
import jax.numpy as jnp
import tables

from srd_jax.imaging.preparation import prepare
from srd_jax.support.compiling import jit
from srd_jax.support.fields import checked
from srd_jax.synthetic import grana, stripes
from srd_jax.synthetic.config import GranaConfig, StripesConfig
from srd_jax.synthetic.crops import draw_grana
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import crop_arrays, masked_stripes, model
from srd_jax.tasks.period.augment import augment
from srd_jax.tasks.period.config import AugmentConfig, MaskedStripesConfig, PeriodConfig
from srd_jax.training import optimizer, steps

BATCH, CALLS, CROPS = 8, 5, 16


def main() -> None:
    """Measures each frame and prints a table for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--columns", type=int, nargs="+", default=[110, 476])
    tables.add_out(parser)
    options = parser.parse_args()
    setting = tables.started(options)
    setting["devices"] = {"jax": f"on {jax.devices()[0].device_kind}"}
    found, samples = [], {}
    for columns in options.columns:
        works = works_of((476, columns))
        times = {name: [] for name in works}
        for _ in range(options.rounds):
            for name, work in works.items():
                times[name].append(milliseconds(work))
        samples[columns] = times
        found.append(table(f"frame 476 x {columns}, batches of {BATCH}", times))
    tables.publish("generation", setting, found, options.out, samples)


def table(title: str, times: dict[str, list[float]]) -> tables.Table:
    """Returns the table of a frame."""
    rows = []
    for name, values in times.items():
        ratio = tables.paired_ratio(values, times["training step"])
        rows.append((name, *tables.spread(values), ratio))
    columns = ("work", "ms an image, median", "min", "max", "ratio to the training step")
    return tables.Table(title, columns, rows)


def works_of(frame: tuple[int, int]) -> dict:
    """Returns a compiled function of a number for each kind of work."""
    config = checked(PeriodConfig(frame=frame, batch_size=BATCH))
    update = optimizer.make(config)
    parameters = model.random_parameters(config.model, jax.random.key(0))
    state = steps.TrainState(jnp.int32(0), parameters, parameters, update.init(parameters))
    task = make_task(config, pathlib.Path())
    train = jit(functools.partial(steps.train_step, config, task, update))
    generate = jit(functools.partial(grana.render, size=BATCH, frame=frame, config=GranaConfig()))
    stripe = jit(
        functools.partial(
            stripes.render,
            size=BATCH,
            frame=frame,
            config=StripesConfig(noise_sd=(0.0, 100.0)),
            geometry=config.model.geometry,
        )
    )
    drawn = list(draw_grana(0, CROPS, GranaConfig()))
    padded = crop_arrays.pad(*([one[i] for one in drawn] for i in range(3)))
    change = jit(lambda key: augment(key, padded, jnp.arange(BATCH), frame, AugmentConfig()))
    masks = masked_stripes.framed([prepare(one[1], one[1]).image >= 0.5 for one in drawn])
    masked = jit(
        functools.partial(
            masked_stripes.render_augmented,
            masks=masks,
            index=jnp.arange(BATCH),
            frame=frame,
            config=MaskedStripesConfig(),
            geometry=config.model.geometry,
        )
    )
    batch = generate(jax.random.key(0))
    return {
        "training step": lambda i: train(state, batch, jax.random.key(i)),
        "generated grana": lambda i: generate(jax.random.key(i)),
        "augmented crops": lambda i: change(jax.random.key(i)),
        "stripes in noise": lambda i: stripe(jax.random.key(i)),
        "masked stripes": lambda i: masked(jax.random.key(i)),
    }


def milliseconds(work) -> float:
    """Returns the least time of a call, ms an image."""
    jax.block_until_ready(work(0))
    times = []
    for i in range(CALLS):
        began = time.perf_counter()
        jax.block_until_ready(work(i))
        times.append(time.perf_counter() - began)
    return 1e3 * min(times) / BATCH


if __name__ == "__main__":
    main()
