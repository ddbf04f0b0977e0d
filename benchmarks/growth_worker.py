"""Measures one size of `growth.py`: seconds of a training step or of a forward pass.

`growth.py` starts it as `growth_worker.py WORK BATCH COLUMNS CALLS`, with as many devices as
XLA_FLAGS says. It prints the median of the calls.
"""

import argparse
import pathlib
import statistics
import time
from collections.abc import Callable

import jax
import jax.numpy as jnp

from srd_jax.support.compiling import jit, over_images
from srd_jax.support.fields import checked
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import model
from srd_jax.tasks.period.config import ModelConfig, PeriodConfig
from srd_jax.training import optimizer, steps
from srd_jax.training.config import OptimizerConfig
from srd_jax.training.train import data_mesh

ROWS = 476  # px of the frame


def training(batch: int, columns: int) -> Callable[[], None]:
    """Returns a training step on drawn stripes, split over all devices, as launch.py makes it."""
    config = checked(
        PeriodConfig(
            frame=(ROWS, columns),
            batch_size=batch,
            epochs=1,
            steps_per_epoch=1,
            log_every_steps=1,
            optimizer=OptimizerConfig(schedule="constant", warmup_steps=0),
        )
    )
    mesh = data_mesh(batch)
    take_steps = steps.make_steps(config, mesh, make_task(config, pathlib.Path()))
    parameters = model.random_parameters(config.model, jax.random.key(0))
    average = jax.tree.map(jnp.copy, parameters)
    update = optimizer.make(config)
    first = steps.TrainState(jnp.int32(0), parameters, average, update.init(parameters))
    states = [steps.replicated(first, mesh)]

    def step() -> None:
        state, _ = take_steps(states.pop(), ())
        states.append(jax.block_until_ready(state))

    return step


def forward(batch: int, columns: int) -> Callable[[], None]:
    """Returns a forward pass on noise, as `srd predict` makes it."""
    config = ModelConfig(confidence=True)
    apply = model.as_function(config)
    parameters = model.random_parameters(config, jax.random.key(0))
    images = jax.random.uniform(jax.random.key(1), (batch, ROWS, columns))
    passes = jit(lambda parameters, x: over_images(lambda one: apply(parameters, one), x))
    return lambda: jax.block_until_ready(passes(parameters, images)) and None


WORKS = {"training": training, "forward": forward}


def main() -> None:
    """Compiles, takes the calls and prints the seconds of one."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("work", choices=WORKS)
    for name in ("batch", "columns", "calls"):
        parser.add_argument(name, type=int)
    options = parser.parse_args()
    call = WORKS[options.work](options.batch, options.columns)
    call()
    seconds = []
    for _ in range(options.calls):
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    print(statistics.median(seconds))


if __name__ == "__main__":
    main()
