"""Starts a training run from a config file: flags only, all else is in srd_jax.

python launch.py --config=configs/stage1.py --workdir=runs/stage1 [--config.epochs=10 …]
"""

import sys

from absl import app, flags, logging
from ml_collections import config_flags

from srd_jax import train
from srd_jax.errors import InputError

_CONFIG = config_flags.DEFINE_config_file("config", None, "File with get_config().")
_WORKDIR = flags.DEFINE_string("workdir", None, "Folder of the results; runs/NAME by default.")


def main(arguments: list[str]) -> int:
    """Runs the config that the flags name and returns the exit status."""
    if len(arguments) > 1:
        raise app.UsageError(f"unexpected argument {arguments[1]}")
    logging.set_verbosity(logging.WARNING)
    config = _CONFIG.value
    try:
        train.run(config, _WORKDIR.value or f"runs/{config.name}")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except train.Stopped as stop:
        print(stop, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    flags.mark_flag_as_required("config")
    app.run(main)
