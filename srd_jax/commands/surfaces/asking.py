"""Options that commands which fit cubic membranes share: the network, and limits of the cell."""

import argparse
from typing import Any

from srd_jax.commands.parsers.surfaces.asking import NONE
from srd_jax.support.errors import InputError


def check_cells(options: argparse.Namespace) -> None:
    """Checks --cell-nm.

    Raises:
      InputError: the larger one comes first.
    """
    if options.cell_nm and not options.cell_nm[0] < options.cell_nm[1]:
        low, high = options.cell_nm
        raise InputError(f"--cell-nm {low:g} {high:g}: accepted is the smaller one first")


def network(options: argparse.Namespace) -> Any:
    """Returns the network of --weights; None where the search is to be alone.

    Raises:
      InputError: its weights can't be loaded.
    """
    if str(options.weights) == NONE:
        return None
    from srd_jax.analysis.surfaces.network import load  # late, as JAX takes its time to load

    return load(options.weights)
