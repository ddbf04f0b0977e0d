"""The arguments of `srd surfaces map`."""

from srd_jax.commands import arguments
from srd_jax.commands.parsers import micrographs
from srd_jax.commands.parsers.surfaces import asking, types


def add(commands) -> None:
    """Adds the command."""
    text = "map the domains of cubic membranes on micrographs: type, cell and axis of each"
    one = arguments.add_command(commands, "map", text, "srd_jax.commands.surfaces.map:run")
    arguments.add_paths(one)
    micrographs.add_scale(one)
    one.add_argument(
        "--window", type=types.window, metavar="PX",
        help="edge of the windows that are fitted; default: eight spacings of the lattice",
    )  # fmt: skip
    one.add_argument(
        "--step", type=types.window, metavar="PX",
        help="between windows; default: half of --window, more on a large micrograph",
    )  # fmt: skip
    asking.add_lattice(one)
    asking.add_weights(one)
    one.add_argument(
        "--out", type=arguments.path, default="domains", metavar="DIR",
        help="folder of the tables and the pictures, default: %(default)s",
    )  # fmt: skip
