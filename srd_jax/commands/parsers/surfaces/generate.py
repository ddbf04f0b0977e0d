"""The arguments of `srd surfaces generate`."""

from srd_jax.commands import arguments
from srd_jax.commands.parsers.surfaces import types
from srd_jax.synthetic.surfaces.names import KINDS, PARAMETERS


def add(commands) -> None:
    """Adds the command."""
    text = "draw pictures of cubic membranes, and a table of their parameters"
    one = arguments.add_command(
        commands, "generate", text, "srd_jax.commands.surfaces.generate:run"
    )
    one.add_argument("--n", type=arguments.count, metavar="N", help="pictures at random")
    one.add_argument(
        "--vary", nargs=4, action="append", default=[], metavar=("NAME", "MIN", "MAX", "STEPS"),
        help="instead of --n: an ordered set; NAME is one of "
        f"{', '.join(PARAMETERS)}; several make a grid",
    )  # fmt: skip
    one.add_argument(
        "--seed", type=arguments.seed, default=0, metavar="S", help="default: %(default)s"
    )
    one.add_argument(
        "--type", type=types.kind, nargs="+", default=KINDS, metavar="T",
        help=f"of {', '.join(KINDS)}; default: all in turn",
    )  # fmt: skip
    types.add_hkl(one, "direction of view, default: any; several are taken in turn")
    for name in PARAMETERS:
        one.add_argument(
            f"--{name}",
            nargs="+",
            type=types.parameter(name),
            metavar="X",
            help="a value, or a range",
        )
    one.add_argument(
        "--size", nargs=2, type=types.size, default=(128, 128), metavar=("ROWS", "COLUMNS"),
        help="px, default: 128 128",
    )  # fmt: skip
    one.add_argument(
        "--clean", action="store_true", help="projections alone, as SPIRE writes them, no noise"
    )
    one.add_argument(
        "--out", type=arguments.path, required=True, metavar="DIR", help="a new or an empty folder"
    )
