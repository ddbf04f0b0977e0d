"""The arguments of `srd make-dataset`."""

import argparse

from srd_jax.commands import arguments

# Size of the real set (Bukat, Bukowicki et al. 2025, Plant Physiology kiaf212).
COUNT = 339
MICROGRAPHS = 10


def add(commands) -> None:
    """Adds the command."""
    text = "draw a set of grana with known periods: images and annotations.csv, as real sets have"
    one = arguments.add_command(commands, "make-dataset", text, "srd_jax.commands.make_dataset:run")
    one.add_argument(
        "--out", type=arguments.path, required=True, metavar="DIR", help="a new or an empty folder"
    )
    one.add_argument(
        "--micrographs",
        action="store_true",
        help="whole micrographs instead, each with a JSON file of its grana",
    )
    one.add_argument(
        "--n",
        type=arguments.count,
        help=f"how many, default: {COUNT}; {MICROGRAPHS} with --micrographs",
    )
    one.add_argument(
        "--seed",
        type=arguments.seed,
        default=0,
        help="the same seed draws the same set, default: 0",
    )
    one.add_argument(
        "--unrotated",
        type=_share,
        default=0.0,
        metavar="SHARE",
        help="share of crops whose lamellae lie at any angle rather than horizontal, default: 0",
    )
    one.add_argument("--tfds", metavar="DIR", help="also prepare it for TensorFlow Datasets there")


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; accepted is a number from 0 to 1")
    return value
