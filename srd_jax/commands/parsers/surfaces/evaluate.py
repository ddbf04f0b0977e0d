"""The arguments of `srd surfaces evaluate`."""

from srd_jax.commands import arguments
from srd_jax.commands.parsers.surfaces import asking


def add(commands) -> None:
    """Adds the command."""
    text = "compare fits with the known parameters of drawn pictures"
    run = "srd_jax.commands.surfaces.evaluate:run"
    one = arguments.add_command(commands, "evaluate", text, run)
    one.add_argument(
        "folder", type=arguments.path, metavar="FOLDER", help="made by srd surfaces generate"
    )
    asking.add_types(one)
    asking.add_weights(one)
    one.add_argument(
        "--out", type=arguments.path, default="surfaces_evaluation", metavar="DIR",
        help="folder of the tables, default: %(default)s",
    )  # fmt: skip
