"""The argument that chooses the network of cubic membranes."""

import argparse

from srd_jax.commands import arguments

NONE = "none"


def add_weights(one: argparse.ArgumentParser) -> None:
    """Adds the argument."""
    one.add_argument(
        "--weights", type=arguments.path, metavar="PATH",
        help="weights file or workdir of the network whose answers are refined beside those of the "
        f"search; {NONE}: the search alone; default: those of the package",
    )  # fmt: skip
