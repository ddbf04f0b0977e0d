"""The arguments of `srd analyse`."""

from srd_jax.commands import arguments
from srd_jax.commands.parsers import micrographs, shard


def add(commands) -> None:
    """Adds the command."""
    words = "find and measure the grana of micrographs: images, or folders of them"
    one = arguments.add_command(commands, "analyse", words, "srd_jax.commands.analyse:run")
    arguments.add_paths(one)
    one.add_argument(
        "--out",
        type=arguments.path,
        required=True,
        metavar="DIR",
        help="folder of the results: new, empty, or of an earlier run, which is gone on with",
    )
    one.add_argument(
        "--groups",
        type=arguments.path,
        metavar="CSV",
        help="which file belongs to which treatment: columns file and group",
    )
    one.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="NAME:3,7",
        help="leave out grana of a micrograph by their numbers; may be given several times",
    )
    micrographs.add_known(one)
    shard.add_option(one)
    micrographs.add_planning(one)
