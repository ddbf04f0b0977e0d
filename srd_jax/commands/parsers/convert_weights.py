"""The arguments of `srd import-weights` and `srd export-weights`."""

from srd_jax.commands import arguments


def add(commands) -> None:
    """Adds the commands."""
    for name, text, command, flag in (
        (
            "import-weights",
            "read released PyTorch weights (.npz, .ckpt, .safetensors)",
            "srd_jax.commands.convert_weights:import_weights",
            "--out",
        ),
        (
            "export-weights",
            "write weights under their PyTorch names",
            "srd_jax.commands.convert_weights:export_weights",
            "--torch",
        ),
    ):
        one = arguments.add_command(commands, name, text, command)
        one.add_argument("source", metavar="FILE")
        one.add_argument(flag, dest="target", required=True, metavar="OUT.safetensors")
