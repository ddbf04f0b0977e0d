"""The arguments of `srd surfaces`, which has subcommands."""

from srd_jax.commands.parsers.surfaces import evaluate, fit, generate, map, render


def add(commands) -> None:
    """Adds the command and its subcommands."""
    text = "cubic membranes, such as prolamellar bodies: render, generate, fit, map, evaluate"
    group = commands.add_parser("surfaces", help=text, description=text)
    subcommands = group.add_subparsers(required=True, metavar="COMMAND")
    for module in (render, generate, fit, map, evaluate):
        module.add(subcommands)
