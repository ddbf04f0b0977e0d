"""Compares curricula that differ in one thing, to see what parts of the training are worth.

python benchmarks/ablation.py --workdir=runs/ablation [--preset=fast] [--share=1] [--variants …]
    [--seeds 0 1]

Trains the first four stages in variants (see VARIANTS). With a share below 1, each stage has this
share of its epochs, which takes less time. Each variant and seed has its own folder in the workdir;
the same command goes on where it was stopped. The table is printed and written to ablation.md.
Errors differ by chance from seed to seed, so compare several.

Needs: the package alone.
Takes: 15 to 28 min a variant on 2 cores with --share=0.25, about 4 times as long without.
Writes: ablation.md and a run folder a variant and seed, in the workdir.
"""

import argparse
import dataclasses
import pathlib
import sys
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

from absl import logging

from srd_jax.curriculum.config import PRESETS, CurriculumConfig
from srd_jax.curriculum.record import StageRecord, read_stage
from srd_jax.curriculum.stages import stage_configs
from srd_jax.curriculum.tables import duration
from srd_jax.support.errors import InputError
from srd_jax.support.files import write_text
from srd_jax.support.page import text
from srd_jax.tasks.make import make_task
from srd_jax.tasks.period.config import PeriodConfig
from srd_jax.training import train
from srd_jax.training.config import StartConfig

CONFIGS = pathlib.Path(__file__).resolve().parents[1] / "configs"
STAGES = ("stage1", "stage2", "stage3", "stage4")


def with_heads(heads: int) -> Callable[[list[PeriodConfig]], list[PeriodConfig]]:
    """Returns the variant with this number of heads in each pool."""

    def changed(stage: PeriodConfig) -> PeriodConfig:
        return dataclasses.replace(stage, model=dataclasses.replace(stage.model, heads=heads))

    return lambda stages: [changed(stage) for stage in stages]


def without_overlap_term(stages: list[PeriodConfig]) -> list[PeriodConfig]:
    """Returns stages whose loss doesn't push the heads apart."""
    return [
        dataclasses.replace(stage, loss=dataclasses.replace(stage.loss, query_overlap=0.0))
        for stage in stages
    ]


def last_stage_alone(stages: list[PeriodConfig]) -> list[PeriodConfig]:
    """Returns the last stage from scratch, with at least the images of all stages together."""
    last = stages[-1]
    images = sum(stage.steps * stage.batch_size for stage in stages)
    epochs = -(-images // (last.steps_per_epoch * last.batch_size))
    return [dataclasses.replace(last, epochs=epochs, start=StartConfig())]


VARIANTS: dict[str, Callable[[list[PeriodConfig]], list[PeriodConfig]]] = {
    "as_it_is": lambda stages: stages,
    "1_head": with_heads(1),
    "4_heads": with_heads(4),
    "no_overlap_term": without_overlap_term,
    "last_stage_alone": last_stage_alone,
}


def shortened(stage: PeriodConfig, share: float) -> PeriodConfig:
    """Returns a stage with a share of its epochs, at least one, and of its warm-up."""
    optimizer = stage.optimizer
    optimizer = dataclasses.replace(optimizer, warmup_steps=round(share * optimizer.warmup_steps))
    epochs = max(1, round(share * stage.epochs))
    return dataclasses.replace(stage, epochs=epochs, optimizer=optimizer)


def run(
    variant: str, seed: int, preset: str, share: float, workdir: pathlib.Path
) -> list[StageRecord]:
    """Trains the stages that a variant hasn't finished yet, and returns the records of all.

    Raises:
      InputError: the workdir holds runs of other configs.
      train.Stopped: a stage ended early.
    """
    config = CurriculumConfig(preset=preset, stages=STAGES, seed=seed)
    stages = stage_configs(config, CONFIGS)
    stages = VARIANTS[variant]([shortened(stage, share) for stage in stages])
    for stage in stages:
        train.run(stage, workdir / stage.name, make_task)
    return [read_stage(workdir / stage.name) for stage in stages]


def table(found: dict[tuple[str, int], list[StageRecord]]) -> str:
    """Returns the validation MAE of each stage, px of the frame, as a Markdown table."""
    header = ["variant", "seed", *(f"{name} MAE, px" for name in STAGES), "images", "time"]
    rows = [header, ["---"] * len(header)]
    for (variant, seed), records in found.items():
        errors = {one.name: one.val_mae for one in records}
        images = sum(one.images for one in records)
        time = duration(sum(one.seconds or 0.0 for one in records))
        maes = [text(errors.get(name)) for name in STAGES]
        rows.append([variant, str(seed), *maes, f"{images:,}", time])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main() -> None:
    """Trains variant after variant, and prints the table whenever one is finished."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--workdir", type=pathlib.Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, default="fast")
    parser.add_argument("--share", type=float, default=1.0, metavar="S", help="%(default)s")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=[*VARIANTS])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    options = parser.parse_args()
    logging.set_verbosity(logging.FATAL)  # orbax raises what it logs
    found = {}
    try:
        for seed in options.seeds:
            for variant in options.variants:
                workdir = options.workdir / f"{variant}_seed{seed}"
                found[variant, seed] = run(variant, seed, options.preset, options.share, workdir)
                write_text(options.workdir / "ablation.md", table(found))
                print(table(found), flush=True)
    except (InputError, train.Stopped) as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
