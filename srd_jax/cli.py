"""The command line: `srd` or `python -m srd_jax`."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from absl import logging

from srd_jax.commands import (
    arguments,
    attention,
    convert_weights,
    evaluate,
    make_dataset,
    predict,
    preview,
    weights,
)
from srd_jax.support.errors import InputError, one_line

_COMMANDS = (predict, evaluate, attention, make_dataset, preview, weights, convert_weights)


def main(given: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit status.

    Args:
      given: arguments of the command line; None takes the process's own.

    Returns:
      0 if all files were read, 1 if some couldn't be, 2 for wrong usage, 130 after Ctrl-C, 141
      where the reader of the output has gone, as `head` does.
    """
    logging.set_verbosity(logging.FATAL)  # orbax raises what it logs
    try:
        options = _parser().parse_args(given)
        command: Callable[[argparse.Namespace], int] = options.command
        status = command(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Python flushes at its end, too, and would complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return arguments.READER_GONE
    except InputError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return arguments.USAGE
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return arguments.INTERRUPTED


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
    for command in _COMMANDS:
        command.add(commands)
    return parser
