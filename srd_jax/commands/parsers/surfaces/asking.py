"""Arguments that commands which fit cubic membranes share."""

import argparse

from srd_jax.commands import arguments
from srd_jax.commands.parsers.surfaces import types

NONE = "none"


def add_types(one: argparse.ArgumentParser) -> None:
    """Adds --type."""
    one.add_argument(
        "--type", type=types.kind, nargs="+", metavar="T",
        help="types that are tried, default: G D P I-WP L",
    )  # fmt: skip


def add_lattice(one: argparse.ArgumentParser) -> None:
    """Adds --type and --cell-nm."""
    add_types(one)
    one.add_argument(
        "--cell-nm", type=arguments.positive, nargs=2, metavar=("MIN", "MAX"),
        help="other cells are not tried; needs a scale",
    )  # fmt: skip


def add_weights(one: argparse.ArgumentParser) -> None:
    """Adds --weights, of the network."""
    one.add_argument(
        "--weights", type=arguments.path, metavar="PATH",
        help="weights file or workdir of the network whose answers are refined beside those of the "
        f"search; {NONE}: the search alone; default: those of the package",
    )  # fmt: skip
