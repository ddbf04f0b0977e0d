"""Arguments that subcommands of `srd surfaces` share: their types and checks."""

import argparse
import math
from collections.abc import Callable

from srd_jax.analysis.surfaces import LEAST_PX
from srd_jax.commands import arguments
from srd_jax.synthetic.surfaces.names import KINDS

# Rows and columns, px.
_SIZES = (8, 4096)


def kind(text: str) -> str:
    """Converts a text to a kind of surface, whatever its case.

    Raises:
      ArgumentTypeError: it is something else.
    """
    for one in KINDS:
        if text.casefold().replace("-", "") == one.casefold().replace("-", ""):
            return one
    raise argparse.ArgumentTypeError(
        f"found {text!r}; accepted are G (gyroid), D (diamond), P (primitive), I-WP and L "
        "(lonsdaleite)"
    )


def number(text: str) -> float:
    """Converts a text to a finite number.

    Raises:
      ArgumentTypeError: it is something else.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"found {text!r}; accepted is a number")
    return value


def fraction(text: str) -> float:
    """Converts a text to a fraction of the volume.

    Raises:
      ArgumentTypeError: it isn't a number between 0 and 1.
    """
    value = number(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; accepted is a number between 0 and 1")
    return value


def size(text: str) -> int:
    """Converts a text to a number of rows or columns.

    Raises:
      ArgumentTypeError: it is something else, or too many.
    """
    value = int(text) if text.isdecimal() and len(text) < 9 else 0
    if not _SIZES[0] <= value <= _SIZES[1]:
        raise argparse.ArgumentTypeError(
            f"found {text!r}; accepted is a whole number from {_SIZES[0]} to {_SIZES[1]}"
        )
    return value


def window(text: str) -> int:
    """Converts a text to a number of px of a window.

    Raises:
      ArgumentTypeError: it is something else.
    """
    value = int(text) if text.isdecimal() and len(text) < 9 else 0
    if value < LEAST_PX:
        raise argparse.ArgumentTypeError(
            f"found {text!r}; accepted is a whole number from {LEAST_PX} px on"
        )
    return value


class Direction(argparse.Action):
    """Collects the three numbers of each --hkl, and refuses 0 0 0."""

    def __call__(self, parser, namespace, values, option_string=None):
        """Adds a direction to those that were given before."""
        direction = tuple(values or ())
        if not any(direction):
            raise argparse.ArgumentError(self, "found 0 0 0; accepted is a direction")
        before = getattr(namespace, self.dest) or []
        setattr(namespace, self.dest, [*before, direction])


def add_hkl(parser: argparse.ArgumentParser, text: str) -> None:
    """Adds --hkl, which may be given several times."""
    parser.add_argument(
        "--hkl", nargs=3, type=number, action=Direction, metavar=("H", "K", "L"), help=text
    )


def parameter(name: str) -> Callable[[str], float]:
    """Returns the type of a parameter of drawn pictures, one of `names.PARAMETERS`."""
    if name == "phi":
        return fraction
    return number if name == "in-plane" else arguments.positive
