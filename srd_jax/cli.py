"""The command line: `srd` or `python -m srd_jax`."""

import argparse
import os
import pkgutil
import warnings
from collections.abc import Callable, Sequence
from typing import NoReturn

from srd_jax.commands.parsers import (
    analyse,
    app,
    attention,
    convert_weights,
    evaluate,
    evaluate_grana,
    make_dataset,
    merge,
    predict,
    preview,
    weights,
)
from srd_jax.commands.parsers.surfaces import group as surfaces
from srd_jax.support import compilation_cache, process
from srd_jax.support.errors import InputError, one_line

_COMMANDS = (
    analyse,
    app,
    predict,
    evaluate,
    evaluate_grana,
    attention,
    make_dataset,
    preview,
    weights,
    convert_weights,
    merge,
    surfaces,
)


def main(given: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status.

    Args:
      given: arguments of the command line; None takes the process's own.

    Returns:
      0 if all files were read, 1 if some couldn't be, 2 for wrong usage or results that couldn't be
      written where asked, 70 after an unexpected exception, 130 after Ctrl-C, 141 where the reader
      of the output has gone, as `head` does.
    """

    def program() -> int:
        options = _parser().parse_args(given)
        return _loaded(options.command)(options)

    return process.run(program)


class _Parser(argparse.ArgumentParser):
    """Reports wrong usage as an InputError, in one line like all errors."""

    def error(self, message: str) -> NoReturn:
        """Raises an InputError."""
        raise InputError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="srd", description="Measures the stacking repeat distance of chloroplast grana."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in _COMMANDS:
        module.add(commands)
    return parser


def _loaded(command: str) -> Callable[[argparse.Namespace], int]:
    """Imports a command: late, as JAX and other packages take seconds.

    Raises:
      InputError: a package cannot be imported, for example because of the environment.
    """
    compilation_cache.use(os.environ)
    # Programs that the cache lost are compiled again.
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache")
    try:
        found = pkgutil.resolve_name(command)
        from absl import logging
    except Exception as error:
        raise InputError(f"a Python package cannot be loaded ({one_line(error)})") from error
    logging.set_verbosity(logging.FATAL)  # orbax raises what it logs
    return found
