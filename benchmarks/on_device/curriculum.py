"""Trains the curriculum of the preset fast, and states its wall time, stage by stage."""

import time

from absl import logging
from common import CONFIGS, Results, options_of

from srd_jax.curriculum import stages
from srd_jax.curriculum.config import CurriculumConfig
from srd_jax.curriculum.record import read_stage


def main() -> None:
    """Writes a row for each stage and one for all."""
    options = options_of(str(__doc__))
    results = Results(options.out, options.seconds)
    results.rows.clear()
    logging.set_verbosity(logging.FATAL)  # orbax raises what it logs
    config = CurriculumConfig(preset="fast")
    if options.smoke:
        config = CurriculumConfig(preset="smoke", stages=config.stages[:2])
    workdir = options.out.parent / "curriculum"
    resumed = workdir.exists()
    began = time.monotonic()
    stages.run(config, workdir, CONFIGS)
    whole = time.monotonic() - began
    for name in config.stages:
        one = read_stage(workdir / name)
        results.add(stage=name, images=one.images, seconds=one.seconds, val_mae=one.val_mae)
    results.add(stage="all", seconds=whole, resumed=resumed)
    results.finish()


if __name__ == "__main__":
    main()
