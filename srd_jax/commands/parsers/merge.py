"""The arguments of `srd merge`."""

from srd_jax.commands import arguments


def add(commands) -> None:
    """Adds the command."""
    words = "join the results of all parts that predict or analyse has made with --shard"
    one = arguments.add_command(commands, "merge", words, "srd_jax.commands.merge:run")
    one.add_argument(
        "out",
        type=arguments.path,
        metavar="OUT",
        help="new table of srd predict, or new folder of srd analyse",
    )
    one.add_argument(
        "parts",
        nargs="+",
        type=arguments.path,
        metavar="PART",
        help="table or folder of a part, in any order",
    )
