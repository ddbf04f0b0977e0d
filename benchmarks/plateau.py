"""Trains the first steps of stage 1 from four starts, to see what removes the plateau.

python benchmarks/plateau.py [--steps 100] [--width 46] [--seeds 1]

The reference stayed near an MAE of 80 px, which a period near 0 gives, for half of its stage 1. Its
loss is the squared error, its first guess is a period many times too long (220 / u, u near 0), and
nothing clips the gradient. STARTS has our changes one by one. The network, its other initial
weights and the optimiser, the reference's AdamW, are the same in all.

Needs: the package alone.
Takes: about 5 min on 2 cores.
Writes: a line a start to the terminal.
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import jax
import jax.numpy as jnp
import numpy as np

from srd_jax.support.fields import checked
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import model
from srd_jax.tasks.period.config import LossConfig, ModelConfig, PeriodConfig
from srd_jax.training import optimizer, steps
from srd_jax.training.config import OptimizerConfig

CHUNK = 25
# Name → loss, first guess in px of the frame, greatest norm of the gradient.
STARTS = {
    "reference: mse, 733 px, no clipping": ("mse", 733.0, 1e30),
    "gradient clipped to 1": ("mse", 733.0, 1.0),
    "first guess 55 px": ("mse", 55.0, 1e30),
    "ours: log_period, 55 px, clipped": ("log_period", 55.0, 1.0),
}


def errors(start: tuple[str, float, float], options: argparse.Namespace, seed: int) -> np.ndarray:
    """Returns the training MAE of every step, (steps,) px of the frame."""
    loss, initial_period, clip_norm = start
    config = checked(
        PeriodConfig(
            seed=seed,
            frame=(476, options.width),
            batch_size=options.batch_size,
            epochs=options.steps // CHUNK,
            steps_per_epoch=CHUNK,
            log_every_steps=CHUNK,
            loss=LossConfig(name=loss),
            model=ModelConfig(initial_period=initial_period),
            optimizer=OptimizerConfig(
                "adamw", 1e-3, clip_norm=clip_norm, schedule="constant", warmup_steps=0
            ),
        )
    )
    mesh = jax.make_mesh((1,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    take_steps = steps.make_steps(config, mesh, make_task(config, pathlib.Path()))
    parameters = model.random_parameters(config.model, jax.random.key(seed))
    state = steps.TrainState(
        step=jnp.int32(0),
        parameters=parameters,
        average=jax.tree.map(jnp.copy, parameters),
        optimizer=optimizer.make(config).init(parameters),
    )
    found = []
    for _ in range(config.epochs):
        state, metrics = take_steps(state, ())
        found.append(np.asarray(metrics["mae"]))
    return np.concatenate(found)


def main() -> None:
    """Prints a line for each start and seed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--width", type=int, default=46)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    print(f"training MAE, px of the frame, mean over {CHUNK} steps of {options.batch_size} images")
    for name, start in STARTS.items():
        for seed in range(options.seeds):
            means = errors(start, options, seed).reshape(-1, CHUNK).mean(1)
            print(f"{name:38} seed {seed}: " + " ".join(f"{m:6.1f}" for m in means), flush=True)


if __name__ == "__main__":
    main()
