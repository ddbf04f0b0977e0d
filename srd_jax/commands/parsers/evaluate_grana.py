"""The arguments of `srd evaluate-grana`."""

import argparse

from srd_jax.commands import arguments
from srd_jax.commands.parsers import micrographs


def add(commands) -> None:
    """Adds the command."""
    words = "compare the grana found on micrographs with annotated or drawn ones"
    one = arguments.add_command(
        commands, "evaluate-grana", words, "srd_jax.commands.evaluate_grana:run"
    )
    one.add_argument(
        "folder",
        nargs="?",
        type=arguments.path,
        metavar="FOLDER",
        help="micrographs with annotations: JSON, CVAT for Images, COCO or label images",
    )
    one.add_argument(
        "--generated", type=arguments.count, metavar="N", help="draw N micrographs instead"
    )
    one.add_argument("--seed", type=arguments.seed, metavar="S", help="of --generated, default: 0")
    one.add_argument(
        "--px-per-nm",
        type=arguments.positive,
        metavar="X",
        help="scale of all micrographs; default: as annotations or files state it",
    )
    one.add_argument(
        "--iou",
        type=_share,
        default=0.5,
        metavar="X",
        help="intersection over union from which on a granum is found, default: %(default)s",
    )
    micrographs.add_detector(one)
    one.add_argument(
        "--out", type=arguments.path, default="evaluation_grana", metavar="DIR",
        help="default: %(default)s",
    )  # fmt: skip


def _share(text: str) -> float:
    """Converts a text to a number above 0, at most 1.

    Raises:
      ArgumentTypeError: it is something else.
    """
    value = arguments.positive(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; accepted is a number from 0 to 1")
    return value
