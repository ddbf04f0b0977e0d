"""The detector of grana on micrographs, and its options."""

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

from srd_jax.analysis.maps import Maps
from srd_jax.commands.parsers.micrographs import CLASSICAL, NETWORK
from srd_jax.support.errors import InputError


class Detector(NamedTuple):
    """A detector.

    Attributes:
      detect: (micrograph, px_per_nm) → `Maps`.
      threshold: least probability of a granum's pixels.
      about: its identity, for a report.
    """

    detect: Callable[..., Maps]
    threshold: float
    about: dict[str, Any]


def check(options: argparse.Namespace) -> None:
    """Checks that weights are given to a network only.

    Raises:
      InputError: they aren't.
    """
    if options.weights is not None and options.detector != NETWORK:
        raise InputError(
            f"--weights {options.weights}: found with --detector {options.detector}; accepted with "
            f"--detector {NETWORK} only"
        )


def load(options: argparse.Namespace) -> Detector:
    """Loads the detector that the options name.

    Raises:
      InputError: its weights can't be loaded.
    """
    # Late, as loading JAX takes its time.
    if options.detector == CLASSICAL:
        from srd_jax.analysis import classical
        from srd_jax.analysis.instances import THRESHOLD

        return Detector(classical.detect, THRESHOLD, {"detector": CLASSICAL})
    from srd_jax.analysis import network
    from srd_jax.training import checkpoint

    found = network.load(options.weights)
    sha256 = checkpoint.sha256(dict(found.weights.parameters))
    about = {"detector": NETWORK, "detector weights": sha256}
    return Detector(found, found.threshold, about)
