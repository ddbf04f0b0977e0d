"""The arguments of `srd attention`."""

from srd_jax.commands import arguments


def add(commands) -> None:
    """Adds the command."""
    text = "draw where a network looks in crops of grana, each as a PNG and a PDF for a page"
    one = arguments.add_command(commands, "attention", text, "srd_jax.commands.attention:run")
    one.add_argument(
        "paths", nargs="+", type=arguments.path, metavar="PATH", help="image or folder"
    )
    arguments.add_weights(one)
    one.add_argument(
        "--out", type=arguments.path, required=True, metavar="DIR", help="folder of the figures"
    )
    one.add_argument("--annotations", metavar="CSV", help="known periods, for the titles")
