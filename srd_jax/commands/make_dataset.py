"""`srd make-dataset`: draws a set of grana in the format of real ones."""

import argparse

from srd_jax.commands import arguments
from srd_jax.support import process
from srd_jax.synthetic.drawn_set import Recipe, make_dataset

# Size of the real set (Bukat, Bukowicki et al. 2025, Plant Physiology kiaf212).
_COUNT = 339


def add(commands) -> None:
    """Adds the command."""
    text = "draw a set of grana with known periods: images and annotations.csv, as real sets have"
    one = arguments.add_command(commands, "make-dataset", text, _make_dataset)
    one.add_argument(
        "--out", type=arguments.path, required=True, metavar="DIR", help="a new or an empty folder"
    )
    one.add_argument(
        "--n", type=arguments.count, default=_COUNT, help="how many, default: %(default)s"
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


def _make_dataset(options: argparse.Namespace) -> int:
    recipe = Recipe(options.n, options.seed, unrotated=options.unrotated)
    prepared = make_dataset(options.out, recipe, options.tfds)
    print(f"{options.n} grana in {options.out}")
    if prepared is not None:
        print(f"prepared in {prepared}")
    return process.ALL_READ


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; accepted is a number from 0 to 1")
    return value
