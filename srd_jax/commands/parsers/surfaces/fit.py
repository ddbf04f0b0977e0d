"""The arguments of `srd surfaces fit`."""

import argparse

from srd_jax.commands import arguments
from srd_jax.commands.parsers import micrographs
from srd_jax.commands.parsers.surfaces import asking


def add(commands) -> None:
    """Adds the command."""
    text = "find type, cell, volume fraction and orientation of cubic membranes on micrographs"
    one = arguments.add_command(commands, "fit", text, "srd_jax.commands.surfaces.fit:run")
    arguments.add_paths(one)
    micrographs.add_scale(one)
    one.add_argument(
        "--box", nargs=4, type=_whole, action="append", metavar=("X0", "Y0", "X1", "Y1"),
        help="region of each micrograph, px, upper left corner and lower right one, exclusive; may "
        "be given several times; default: the whole",
    )  # fmt: skip
    one.add_argument(
        "--mask", type=arguments.path, metavar="FILE",
        help="regions of the one micrograph: a mask, a label image, or ROIs of ImageJ",
    )  # fmt: skip
    asking.add_lattice(one)
    asking.add_weights(one)
    one.add_argument(
        "--out", type=arguments.path, default="surfaces", metavar="DIR",
        help="folder of the table, the report and the pictures, default: %(default)s",
    )  # fmt: skip


def _whole(text: str) -> int:
    """Converts a text to a whole number.

    Raises:
      ArgumentTypeError: it is something else.
    """
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"found {text!r}; accepted is a whole number of px"
        ) from None
