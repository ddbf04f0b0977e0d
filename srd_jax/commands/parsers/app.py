"""The arguments of `srd app`."""

import argparse

from srd_jax.commands import arguments
from srd_jax.commands.parsers import micrographs

WORKDIR = "srd_review"


def add(commands) -> None:
    """Adds the command."""
    words = "review grana in the browser: accept, reject and mend them, and take tables home"
    one = arguments.add_command(commands, "app", words, "srd_jax.commands.app:run")
    one.add_argument(
        "paths",
        nargs="*",
        type=arguments.path,
        metavar="PATH",
        help="micrographs, folders of them, or one folder of srd analyse; pages may add files "
        "from these alone",
    )
    one.add_argument(
        "--host", type=arguments.path, default="127.0.0.1", help="default: %(default)s"
    )
    one.add_argument("--port", type=_port, default=8080, help="default: %(default)s; 0: a free one")
    one.add_argument(
        "--workdir",
        type=arguments.path,
        metavar="DIR",
        help="folder of the results: new, empty, or of an earlier srd app or srd analyse; default: "
        f"{WORKDIR}",
    )
    one.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST",
        help="another name of this machine by which browsers may reach the app",
    )
    one.add_argument("--no-browser", action="store_true", help="open no browser")
    one.add_argument(
        "--max-upload-mb",
        type=arguments.count,
        default=64,
        metavar="N",
        help="largest file that a browser may hand in, default: %(default)s",
    )
    micrographs.add_detector(one)


def _port(text: str) -> int:
    value = int(text) if text.isascii() and text.isdecimal() else -1
    if not 0 <= value < 2**16:
        raise argparse.ArgumentTypeError(f"found {text!r}; accepted is a number from 0 to 65535")
    return value
