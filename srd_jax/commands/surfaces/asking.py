"""The network that `srd surfaces` asks, by its option."""

import argparse
from typing import Any

from srd_jax.commands.parsers.surfaces.asking import NONE


def network(options: argparse.Namespace) -> Any:
    """Returns the network of --weights; None where the search is to be alone.

    Raises:
      InputError: its weights can't be loaded.
    """
    if str(options.weights) == NONE:
        return None
    from srd_jax.analysis.surfaces.network import load  # late, as JAX takes its time to load

    return load(options.weights)
