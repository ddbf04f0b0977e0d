"""The arguments of `srd preview`."""

from srd_jax.commands import arguments


def add(commands) -> None:
    """Adds the command."""
    text = "draw a contact sheet of the images that a config trains on"
    one = arguments.add_command(commands, "preview", text, "srd_jax.commands.preview:run")
    one.add_argument("--config", required=True, metavar="FILE", help="config of a training run")
    one.add_argument("--out", type=arguments.path, required=True, metavar="PNG", help="the sheet")
    one.add_argument("--real", metavar="DIR", help="folder of annotated crops to show beside")
    one.add_argument("--n", type=arguments.count, default=24, metavar="N", help="images drawn")
    one.add_argument(
        "--seed", type=arguments.seed, default=0, metavar="S", help="default: %(default)s"
    )
    one.add_argument(
        "--shuffle",
        action="store_true",
        help="mix real and drawn ones without names, and print at the end which are real",
    )
