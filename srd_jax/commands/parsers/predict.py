"""The arguments of `srd predict`."""

import argparse
import re

from srd_jax import measuring
from srd_jax.commands import arguments
from srd_jax.commands.parsers import shard

# Fewer files are read by a thread, as processes take some seconds to start.
WORTH_PROCESSES = 64
# The network takes the cores, too.
MOST_PROCESSES = 8

# "local", "local:N", HOST:PORT, or with the name of a protocol.
_DASK = re.compile(r"local(:0*[1-9]\d{0,3})?|(?!local:)([a-z]+://)?[^\s/]+:\d{1,5}")


def add(commands) -> None:
    """Adds the command."""
    text = "measure crops of grana: images, or folders of them with their subfolders"
    one = arguments.add_command(commands, "predict", text, "srd_jax.commands.predict:run")
    one.add_argument(
        "paths", nargs="+", type=arguments.path, metavar="PATH", help="image or folder"
    )
    one.add_argument(
        "--method",
        choices=measuring.METHODS,
        help="default: combined, that is the network and autocorrelation; the network alone where "
        "its weights give no sd",
    )
    arguments.add_weights(one)
    one.add_argument(
        "--px-per-nm", type=arguments.positive, metavar="X", help="scale of all images"
    )
    one.add_argument(
        "--out",
        type=arguments.path,
        metavar="CSV",
        help="default: results.csv, or results-I-of-N.csv with --shard; - for standard output",
    )
    one.add_argument(
        "--overlay",
        type=arguments.path,
        metavar="DIR",
        help="folder for pictures of the crops with their lamellae traced and counted",
    )
    one.add_argument(
        "--overlay-attention",
        action="store_true",
        help="show in these pictures, too, where the network looked",
    )
    one.add_argument(
        "--annotations",
        type=arguments.path,
        metavar="CSV",
        help="known periods, to compare with, and scales",
    )
    one.add_argument(
        "--auto-rotate",
        action="store_true",
        help="turn each crop first so that its lamellae, where their direction is clear, run "
        "horizontally",
    )
    arguments.add_batch_size(one)
    _add_processes(one)
    shard.add_option(one)
    arguments.add_network_options(one)


def _add_processes(one: argparse.ArgumentParser) -> None:
    """Adds the arguments that say which processes work."""
    one.add_argument(
        "--workers",
        type=lambda text: 0 if text == "0" else arguments.count(text),
        metavar="N",
        help="processes that read images beside the network; 0 for none; default: one a core, at "
        f"most {MOST_PROCESSES}, and none for fewer than {WORTH_PROCESSES} images",
    )
    one.add_argument(
        "--dask",
        type=_dask,
        metavar="ADDRESS|local[:N]",
        help="let the workers of a Dask cluster measure, by the address of its scheduler, or N "
        "processes of this machine, default: one a core; needs the extra dask",
    )


def _dask(text: str) -> str:
    """Checks the text of --dask.

    Raises:
      ArgumentTypeError: it names no cluster.
    """
    if not _DASK.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"found {text!r}; accepted is the address of a scheduler, such as tcp://HOST:8786, "
            "or local, or local:N for N processes"
        )
    return text
