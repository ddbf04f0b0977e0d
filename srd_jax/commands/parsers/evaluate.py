"""The arguments of `srd evaluate`."""

from srd_jax import measuring
from srd_jax.commands import arguments


def add(commands) -> None:
    """Adds the command."""
    text = "compare methods with the known periods of crops: errors, confidence, a report"
    one = arguments.add_command(commands, "evaluate", text, "srd_jax.commands.evaluate:run")
    one.add_argument(
        "folder", nargs="?", type=arguments.path, metavar="FOLDER", help="crops and annotations.csv"
    )
    one.add_argument("--annotations", metavar="CSV", help="default: FOLDER/annotations.csv")
    one.add_argument(
        "--generated", type=arguments.count, metavar="N", help="draw N grana instead of a FOLDER"
    )
    one.add_argument("--seed", type=arguments.seed, metavar="S", help="of --generated, default: 0")
    one.add_argument(
        "--method",
        nargs="+",
        action="extend",
        choices=measuring.METHODS,
        help="default: all, but combined only by weights that give an sd",
    )
    text = "weights files or workdirs of runs, each a method of its own"
    arguments.add_weights(one, text, nargs="+", action="extend")
    one.add_argument(
        "--out",
        type=arguments.path,
        default="evaluation",
        metavar="DIR",
        help="default: %(default)s",
    )
    arguments.add_batch_size(one)
    arguments.add_network_options(one)
