"""The flags of a command that may be one of several processes."""

import sys
from collections.abc import Callable

from absl import flags

from srd_jax.support.cluster import distributed
from srd_jax.support.errors import InputError, one_line
from srd_jax.support.process import USAGE


def define() -> None:
    """Defines the flags of several processes."""
    flags.DEFINE_string("coordinator_address", None, "HOST:PORT of the first of several.")
    flags.DEFINE_integer("num_processes", None, "Number of processes.")
    flags.DEFINE_integer("process_id", None, "Number of this process, from 0.")
    flags.DEFINE_bool("distributed", False, "Takes these three from the cluster.")
    flags.DEFINE_integer("initialization_timeout", 300, "Seconds for all to start.", 1)


def parse(arguments: list[str]) -> list[str]:
    """Parses all flags; any error becomes one line and exit status 2.

    Args:
      arguments: of the command, with its name first.
    """
    try:
        left = flags.FLAGS(arguments)
        if len(left) > 1:
            raise InputError(f"unexpected argument {left[1]}; accepted: --FLAG=VALUE")
        return left
    except (flags.Error, KeyError, TypeError, ValueError, OSError) as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        sys.exit(USAGE)


def run(program: Callable[[], int]) -> int:
    """Runs a program as one of the processes that the flags name, and returns its exit status."""
    found = flags.FLAGS
    return distributed.run(
        program,
        found.coordinator_address,
        found.num_processes,
        found.process_id,
        found.distributed,
        found.initialization_timeout,
    )
