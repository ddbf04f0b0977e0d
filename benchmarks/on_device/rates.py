"""Measures ms an image of training steps, forward passes and drawing, with operations and bytes.

Operations and bytes are those that the compiler counts in the compiled program, without those of
the libraries that it calls. Most important first; what doesn't fit the time is left out. For the
cases in PROFILED, kernels.json gets the time by kernel.
"""

import dataclasses
import functools
import pathlib
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from common import CONFIGS, Results, options_of, seconds_a_call, small
from kernels import profiled

from srd_jax.support.compiling import jit
from srd_jax.synthetic.batch import Batch
from srd_jax.synthetic.crops import draw_grana
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import crop_arrays, model
from srd_jax.tasks.period.augment import augment
from srd_jax.tasks.period.config import AugmentConfig, PeriodConfig
from srd_jax.training import optimizer, steps

# What is done, by which type of numbers, with how many images, of how many columns. "tf32" is what
# JAX makes of float32 by default on NVIDIA's cards; "float32" has full precision.
CASES = (
    ("training with drawing", "bfloat16", 128, 476),
    ("training", "bfloat16", 64, 476),
    ("forward", "bfloat16", 64, 476),
    ("training with drawing", "bfloat16", 256, 142),
    ("drawing", "float32", 128, 476),
    ("drawing", "float32", 256, 142),
    ("training", "tf32", 64, 476),
    ("forward", "tf32", 64, 476),
    ("training", "bfloat16", 256, 142),
    ("training", "bfloat16", 256, 476),
    ("training", "bfloat16", 16, 476),
    ("training", "float32", 64, 476),
    ("augmentation", "float32", 64, 476),
    ("training with drawing", "bfloat16", 16, 110),
)
SMOKE = (
    ("training with drawing", "bfloat16", 4, 62),
    ("forward", "tf32", 4, 62),
    ("augmentation", "float32", 4, 62),
)
PROFILED = CASES[:2] + SMOKE[:1]
AIM_SECONDS = 0.4  # of a series of calls

# Takes a call's number; returns what to wait for.
Work = Callable[[int], Any]


def main() -> None:
    """Writes a row for each case."""
    options = options_of(str(__doc__))
    results = Results(options.out, options.seconds)
    kernels = Results(options.out.with_name("kernels.json"), options.seconds)
    longest = 0.0
    for what, dtype, batch, columns in SMOKE if options.smoke else CASES:
        key = dict(what=what, dtype=dtype, batch=batch, columns=columns)
        if results.has(**key):
            continue
        if results.left() < longest:
            print(f"no time left for {key} and what follows")
            return
        began = time.monotonic()
        config = config_of(dtype, batch, columns, options.smoke)
        try:
            row, work = measured(what, config)
            results.add(**key, **row)
            if (what, dtype, batch, columns) in PROFILED:
                for row in profiled(work, batch):
                    kernels.add(**key, **row)
        except jax.errors.JaxRuntimeError as error:  # of one case, such as too little memory
            results.add(**key, error=str(error).splitlines()[0][:300])
        longest = max(longest, time.monotonic() - began)
        jax.clear_caches()
    results.finish()


def config_of(dtype: str, batch: int, columns: int, smoke: bool) -> PeriodConfig:
    """Returns the recipe's last part with a batch, a width and a type of numbers."""
    config = read_config(CONFIGS / "release4.py", "full")
    config = small(config) if smoke else config
    compute = "bfloat16" if dtype == "bfloat16" else "float32"
    return dataclasses.replace(
        config,
        batch_size=batch,
        frame=(config.frame[0], columns),
        matmul_precision="highest" if dtype == "float32" else "default",
        model=dataclasses.replace(config.model, compute_dtype=compute),
    )


def measured(what: str, config: PeriodConfig) -> tuple[dict[str, Any], Work]:
    """Returns the time, and the compiler's operations and bytes, of one image; and the work."""
    began = time.monotonic()
    with jax.default_matmul_precision(config.matmul_precision):
        compiled, work = WORKS[what](config)
    last = jax.block_until_ready(work(0))
    compile_seconds = time.monotonic() - began
    began = time.perf_counter()
    last = jax.block_until_ready(work(1))
    calls = max(1, min(1000, int(AIM_SECONDS / (time.perf_counter() - began))))
    held = [2, last]

    def call():
        held[1] = work(held[0])
        held[0] += 1

    seconds = seconds_a_call(call, lambda: jax.block_until_ready(held[1]), calls)
    cost, memory = compiled.cost_analysis(), compiled.memory_analysis()
    images = config.batch_size
    row = dict(
        ms_an_image=1e3 * seconds / images,
        images_a_second=images / seconds,
        gflop_an_image=cost.get("flops", 0.0) / images / 1e9,
        mbytes_an_image=cost.get("bytes accessed", 0.0) / images / 1e6,
        temporary_mbytes_an_image=memory.temp_size_in_bytes / images / 1e6,
        compile_seconds=compile_seconds,
    )
    return row, work


def training(config: PeriodConfig, drawing: bool = False) -> tuple[Any, Work]:
    """Returns the training step, on a batch of noise or one that is drawn anew in each step."""
    task, update = make_task(config, pathlib.Path()), optimizer.make(config)
    parameters = model.random_parameters(config.model, jax.random.key(0))
    copied = jax.tree.map(jnp.copy, parameters)
    state = steps.TrainState(jnp.int32(0), parameters, copied, update.init(parameters))

    def step(state, batch, key):
        if drawing:
            batch = task.source.train((), state.step, jax.random.fold_in(key, state.step))
        return steps.train_step(config, task, update, state, batch, key)

    batch = None if drawing else noise(config)
    key = jax.random.key(2)
    compiled = jit(step, donate_argnums=0).lower(state, batch, key).compile()
    held = [state]

    def work(number: int):
        held[0], metrics = compiled(held[0], batch, key)
        return metrics

    return compiled, work


def noise(config: PeriodConfig) -> Batch:
    """Returns a batch of random images, which take no time to compile."""
    shape = (config.batch_size, *config.frame)
    image_key, target_key = jax.random.split(jax.random.key(1))
    image = jax.random.uniform(image_key, shape)
    target = jax.random.uniform(target_key, shape[:1], minval=20.0, maxval=140.0)
    return Batch(image, jnp.ones(shape, bool), target)


def forward(config: PeriodConfig) -> tuple[Any, Work]:
    """Returns the forward pass of a batch."""
    apply = model.as_function(config.model)
    parameters = model.random_parameters(config.model, jax.random.key(0))
    image = noise(config).image
    compiled = jit(lambda parameters, image: apply(parameters, image)).lower(parameters, image)
    compiled = compiled.compile()
    return compiled, lambda number: compiled(parameters, image)


def drawing(config: PeriodConfig) -> tuple[Any, Work]:
    """Returns the drawing of a batch of grana."""
    task = make_task(config, pathlib.Path())
    key = jax.random.key(3)
    compiled = jit(lambda number: task.source.train((), 0, jax.random.fold_in(key, number)))
    compiled = compiled.lower(jnp.int32(0)).compile()
    return compiled, lambda number: compiled(jnp.int32(number))


def augmentation(config: PeriodConfig) -> tuple[Any, Work]:
    """Returns the augmentation of a batch of crops."""
    drawn = list(draw_grana(0, 8, read_config(CONFIGS / "stage4.py").data.drawn))
    crops = crop_arrays.pad(*([one[i] for one in drawn] for i in range(3)))
    index = jnp.arange(config.batch_size) % len(drawn)
    change = functools.partial(augment, frame=config.frame, config=AugmentConfig())
    compiled = jit(lambda key, crops: change(key, crops, index))
    compiled = compiled.lower(jax.random.key(0), crops).compile()
    return compiled, lambda number: compiled(jax.random.key(number), crops)


WORKS: dict[str, Callable[[PeriodConfig], tuple[Any, Work]]] = {
    "training": training,
    "training with drawing": functools.partial(training, drawing=True),
    "forward": forward,
    "drawing": drawing,
    "augmentation": augmentation,
}


if __name__ == "__main__":
    main()
