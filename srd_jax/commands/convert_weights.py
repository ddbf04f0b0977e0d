"""`srd import-weights`, `srd export-weights`: convert weights from and to PyTorch."""

import argparse

from srd_jax.commands import arguments
from srd_jax.support import process
from srd_jax.tasks.period import torch_weights, weights

_SUFFIX = ".safetensors"


def add(commands) -> None:
    """Adds the commands."""
    for name, text, command, flag in (
        (
            "import-weights",
            "read released PyTorch weights (.npz, .ckpt, .safetensors)",
            _import_weights,
            "--out",
        ),
        ("export-weights", "write weights under their PyTorch names", _export_weights, "--torch"),
    ):
        one = arguments.add_command(commands, name, text, command)
        one.add_argument("source", metavar="FILE")
        one.add_argument(flag, dest="target", required=True, metavar="OUT.safetensors")


def _import_weights(options: argparse.Namespace) -> int:
    arguments.check_target(options.target, [options.source], _SUFFIX)
    found = torch_weights.import_weights(options.source)
    weights.save(options.target, found)
    count = sum(value.size for value in found.parameters.values())
    print(f"{count:,} weights in {len(found.parameters)} tensors written to {options.target}")
    return process.ALL_READ


def _export_weights(options: argparse.Namespace) -> int:
    arguments.check_target(options.target, [options.source], _SUFFIX)
    torch_weights.export_weights(weights.load(options.source), options.target)
    print(f"written under PyTorch's names to {options.target}")
    return process.ALL_READ
