"""The arguments of `srd weights`."""

from srd_jax.commands import arguments


def add(commands) -> None:
    """Adds the command."""
    text = "print where weights come from: runs, data, seeds, figures, code, checksum"
    one = arguments.add_command(commands, "weights", text, "srd_jax.commands.weights:run")
    arguments.add_weights(one)
    one.add_argument("--json", action="store_true", help="the whole origin, with all configs")
