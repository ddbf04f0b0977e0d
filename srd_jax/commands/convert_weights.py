"""`srd import-weights`, `srd export-weights`: convert weights from and to PyTorch."""

import argparse

from srd_jax.commands import arguments
from srd_jax.support import process
from srd_jax.tasks.period import torch_weights, weights

_SUFFIX = ".safetensors"


def import_weights(options: argparse.Namespace) -> int:
    """Reads released PyTorch weights, and returns the exit status."""
    arguments.check_target(options.target, [options.source], _SUFFIX)
    found = torch_weights.import_weights(options.source)
    weights.save(options.target, found)
    count = sum(value.size for value in found.parameters.values())
    print(f"{count:,} weights in {len(found.parameters)} tensors written to {options.target}")
    return process.ALL_READ


def export_weights(options: argparse.Namespace) -> int:
    """Writes weights under their PyTorch names, and returns the exit status."""
    arguments.check_target(options.target, [options.source], _SUFFIX)
    torch_weights.export_weights(weights.load(options.source), options.target)
    print(f"written under PyTorch's names to {options.target}")
    return process.ALL_READ
