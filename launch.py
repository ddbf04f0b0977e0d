"""Trains the config of a file; this script only reads the flags.

python launch.py --config=configs/stage1.py[:PRESET] --workdir=runs/stage1 [--config.epochs=10 …]
"""

import pathlib
import sys

from absl import app, flags, logging
from ml_collections import config_flags

from srd_jax.support import process
from srd_jax.support.cluster import command_flags
from srd_jax.support.errors import InputError

_CONFIG = config_flags.DEFINE_config_file("config", None, "File with get_config().")
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the results; runs/NAME by default.")
command_flags.define()


def main(_: list[str]) -> int:
    """Trains in one process or as one of several, and returns the exit status."""
    logging.set_verbosity(logging.FATAL)  # orbax raises its errors, besides logging them
    return command_flags.run(_train)


def _train() -> int:
    """Trains the config that the flags name, and returns the exit status."""
    # Late, so that what JAX makes of the environment is told in one line.
    from srd_jax.curriculum import forerunners, stages
    from srd_jax.curriculum.config import CurriculumConfig
    from srd_jax.training import train
    from srd_jax.training.config import RunConfig

    config = _CONFIG.value
    try:
        name = config_flags.get_config_filename(flags.FLAGS["config"])
        path, _, preset = name.partition(":")
        if not isinstance(config, RunConfig | CurriculumConfig):
            raise InputError(f"{name}: no such file, or get_config() returns no config of a run")
        workdir, folder = _WORKDIR.value or f"runs/{config.name}", pathlib.Path(path).parent
        if isinstance(config, CurriculumConfig):
            stages.run(config, workdir, folder)
        else:
            forerunners.run(config, workdir, folder, preset or None)
    except (train.Stopped, KeyboardInterrupt) as stop:
        print(str(stop) or "stopped; the same command goes on", file=sys.stderr)
        return 1 if isinstance(stop, train.Stopped) else 130
    return 0


if __name__ == "__main__":
    flags.mark_flag_as_required("config")
    sys.exit(process.run(lambda: app.run(main, flags_parser=command_flags.parse)))
