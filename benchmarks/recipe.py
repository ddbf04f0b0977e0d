"""Compares settings of the released weights' last part: batch, width, rate, optimiser, average.

python benchmarks/recipe.py --workdir=runs/recipe [--images 5120] [--start FILE] [--variants …]

Every variant goes on from the same weights, by default the released ones, and sees as many columns
of grana, those of `images` frames of 110 columns, which takes about as long. All are validated on
the same full frames. Each has its own folder in the workdir; the same command goes on where it was
stopped. The table is printed and written to recipe.md. Errors differ by chance, so a few per cent
mean little.

Needs: the package alone.
Takes: about 10 min a variant on 2 cores (6 with --images 3840).
Writes: recipe.md and a run folder a variant, in the workdir.
"""

import argparse
import dataclasses
import pathlib
import sys
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from absl import logging

from srd_jax.support.errors import InputError
from srd_jax.support.files import write_text
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period import weights
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.training import train
from srd_jax.training.config import StartConfig, ValidationConfig

CONFIG = pathlib.Path(__file__).resolve().parents[1] / "configs" / "release4.py"
COLUMNS, BATCH = 110, 64
# Differences from the first variant; the last key stands for the optimiser's fields.
VARIANTS: dict[str, dict[str, Any]] = {
    "as_it_is": {},
    "batch_16": {"batch_size": 16},
    "batch_256": {"batch_size": 256},
    "columns_476": {"columns": 476, "batch_size": 16},
    "rate_0.0005": {"learning_rate": 5e-4},
    "rate_0.004": {"learning_rate": 4e-3},
    "adamw": {"name": "adamw", "learning_rate": 1e-3},
    "hardly_averaged": {"average_decay": 0.5},
}


def variant(name: str, images: int, weights_file: str) -> PeriodConfig:
    """Returns the config of a variant.

    Args:
      name: one of VARIANTS.
      images: number of frames of COLUMNS columns whose columns are seen.
      weights_file: that it goes on from.
    """
    fields = {"columns": COLUMNS, "batch_size": BATCH, **VARIANTS[name]}
    columns, batch = fields.pop("columns"), fields.pop("batch_size")
    steps = max(2, images * COLUMNS // (columns * batch))
    config = read_config(CONFIG)
    return dataclasses.replace(
        config,
        name=name,
        frame=(config.frame[0], columns),
        batch_size=batch,
        epochs=1,
        steps_per_epoch=steps,
        log_every_steps=steps,
        optimizer=dataclasses.replace(config.optimizer, warmup_steps=steps // 10, **fields),
        validation=ValidationConfig(images=500, batch_size=5),
        start=StartConfig(workdir=weights_file),
    )


def main() -> None:
    """Trains variant after variant, and prints the table whenever one is finished."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workdir", type=pathlib.Path, required=True)
    parser.add_argument("--images", type=int, default=5120, metavar="N", help="%(default)s")
    parser.add_argument("--start", default=str(weights.RELEASED), metavar="FILE", help="weights")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=[*VARIANTS])
    options = parser.parse_args()
    logging.set_verbosity(logging.FATAL)  # orbax raises what it logs
    rows = ["| variant | batch | columns | steps | validation MAE, px of the frame |"]
    rows.append("|---|---|---|---|---|")
    try:
        for name in options.variants:
            config = variant(name, options.images, options.start)
            summary = train.run(config, options.workdir / name, make_task)
            figures = config.batch_size, config.frame[1], config.steps
            rows.append(
                f"| {name} | {' | '.join(map(str, figures))} | {summary['last_val_mae']:.3f} |"
            )
            write_text(options.workdir / "recipe.md", "\n".join(rows) + "\n")
            print(rows[-1], flush=True)
    except (InputError, train.Stopped) as error:
        parser.exit(1, f"{error}\n")
    print(f"written to {options.workdir / 'recipe.md'}")


if __name__ == "__main__":
    main()
