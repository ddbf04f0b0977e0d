"""What the commands share: exit statuses, types and checks of arguments, a message."""

import argparse
import os
import pathlib
from collections.abc import Iterable

from srd_jax import rows
from srd_jax.errors import InputError
from srd_jax.files import check_writable

ALL_READ, SOME_FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
NO_WEIGHTS = (
    "no weights given; train some (python launch.py --config=configs/quickstart.py "
    "--workdir=runs/quickstart, then --weights runs/quickstart) or import released ones "
    "(srd import-weights FILE --out weights.safetensors, then --weights weights.safetensors)"
)


def positive(text: str) -> float:
    """Returns the number above 0 that a text states.

    Raises:
      ArgumentTypeError: it states none.
    """
    try:
        value = float(text)
        rows.check_scale(value)
    except ValueError:  # of which InputError is one
        raise argparse.ArgumentTypeError(
            f"found {text!r}; accepted is a number above 0, such as 1.302"
        ) from None
    return value


def count(text: str) -> int:
    """Returns the whole number from 1 on that a text states.

    Raises:
      ArgumentTypeError: it states none.
    """
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; accepted is a whole number from 1 on")
    return value


def seed(text: str) -> int:
    """Returns the seed of random numbers that a text states.

    Raises:
      ArgumentTypeError: it states no whole number of at most 31 bits.
    """
    value = int(text) if text.isdecimal() else -1
    if not 0 <= value < 2**31:
        raise argparse.ArgumentTypeError(
            f"found {text!r}; accepted is a whole number from 0 to {2**31 - 1}"
        )
    return value


def check_target(out: str, inputs: Iterable[str | os.PathLike[str]]) -> None:
    """Checks that --out can be written, and replaces nothing that is read.

    Raises:
      InputError: it can't, or would.
    """
    if pathlib.Path(out).resolve() in {pathlib.Path(path).resolve() for path in inputs}:
        raise InputError(f"--out {out}: would replace an input; accepted is another file's path")
    check_writable(out)
