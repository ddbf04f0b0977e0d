"""Compares losses of the network that finds grana, by the same training with each.

python benchmarks/grana_losses.py --workdir=runs/grana_losses [--preset=fast] [--share=0.2]
    [--losses bce dice …] [--seeds 0 1]

Each loss and seed has its own folder in the workdir; the same command goes on where it was stopped.
With a share below 1, each run has this share of the preset's epochs. All are scored on the same
validation tiles, which no training draws, at the threshold that fits each best. The table is
printed and written to losses.md. Scores differ by chance from seed to seed, so compare several.

Needs: the package alone.
Takes: about 1 h a loss and seed on 2 cores.
Writes: losses.md and a run folder a loss and seed, in the workdir.
"""

import argparse
import dataclasses
import pathlib
import sys
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from absl import logging

from srd_jax.support.errors import InputError
from srd_jax.support.files import read_json, write_text
from srd_jax.support.page import text
from srd_jax.tasks.config_files import read_config
from srd_jax.tasks.grana.config import GRANUM_LOSSES, MicrographsConfig
from srd_jax.tasks.make import make_task
from srd_jax.training import train
from srd_jax.training.weights import load
from srd_jax.training.workdir import TIME

CONFIG = pathlib.Path(__file__).resolve().parents[1] / "configs" / "micrographs.py"
HEADER = (
    "loss",
    "seed",
    "IoU",
    "precision",
    "recall",
    "threshold",
    "IoU at 0.5",
    "direction, °",
    "period, %",
    "tiles",
    "minutes",
)


def config_of(loss: str, seed: int, preset: str, share: float) -> MicrographsConfig:
    """Returns the config of a run with a loss, and a share of the preset's epochs, at least one."""
    config = read_config(CONFIG, preset, MicrographsConfig)
    warmup = round(share * config.optimizer.warmup_steps)
    return dataclasses.replace(
        config,
        # Under one name and seed, all losses see the same tiles.
        seed=seed,
        epochs=max(1, round(share * config.epochs)),
        loss=dataclasses.replace(config.loss, granum=loss),
        optimizer=dataclasses.replace(config.optimizer, warmup_steps=warmup),
    )


def row(loss: str, seed: int, workdir: pathlib.Path, summary: dict[str, Any]) -> list[str]:
    """Returns the cells of a finished run; see HEADER."""
    at, origin = summary["at_threshold"], load(workdir / "weights.safetensors").origin
    scores = [at["iou"], at["precision"], at["recall"], summary["threshold"], origin["val_iou"]]
    errors = [origin["val_direction_deg"], origin["val_period_percent"]]
    minutes = read_json(workdir / TIME)["seconds"] / 60
    numbers = [text(float(value)) for value in (*scores, *errors)]
    return [loss, str(seed), *numbers, f"{summary['images']:,}", text(minutes)]


def table(rows: list[list[str]]) -> str:
    """Returns rows as a Markdown table."""
    lines = [HEADER, ["---"] * len(HEADER), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main() -> None:
    """Trains with loss after loss, and prints the table whenever a run is finished."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workdir", type=pathlib.Path, required=True)
    parser.add_argument("--preset", choices=("full", "fast", "smoke"), default="fast")
    parser.add_argument("--share", type=float, default=0.2, metavar="S", help="%(default)s")
    parser.add_argument("--losses", nargs="+", choices=GRANUM_LOSSES, default=[*GRANUM_LOSSES])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    options = parser.parse_args()
    logging.set_verbosity(logging.FATAL)  # orbax raises what it logs
    rows = []
    try:
        for seed in options.seeds:
            for loss in options.losses:
                workdir = options.workdir / f"{loss}_seed{seed}"
                config = config_of(loss, seed, options.preset, options.share)
                summary = train.run(config, workdir, make_task)
                rows.append(row(loss, seed, workdir, summary))
                write_text(options.workdir / "losses.md", table(rows))
                print(table(rows), flush=True)
    except (InputError, train.Stopped) as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
