"""`srd make-dataset`: draws a set of grana, or whole micrographs, in the format of real ones."""

import argparse

from srd_jax.commands import arguments
from srd_jax.support import process
from srd_jax.support.errors import InputError
from srd_jax.synthetic.drawn_set import Recipe, make_dataset

# Size of the real set (Bukat, Bukowicki et al. 2025, Plant Physiology kiaf212).
_COUNT = 339
_MICROGRAPHS = 10


def add(commands) -> None:
    """Adds the command."""
    text = "draw a set of grana with known periods: images and annotations.csv, as real sets have"
    one = arguments.add_command(commands, "make-dataset", text, _make_dataset)
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
        help=f"how many, default: {_COUNT}; {_MICROGRAPHS} with --micrographs",
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
    if options.micrographs:
        return _make_micrographs(options)
    recipe = Recipe(options.n or _COUNT, options.seed, unrotated=options.unrotated)
    prepared = make_dataset(options.out, recipe, options.tfds)
    print(f"{recipe.images} grana in {options.out}")
    if prepared is not None:
        print(f"prepared in {prepared}")
    return process.ALL_READ


def _make_micrographs(options: argparse.Namespace) -> int:
    """Draws whole micrographs.

    Raises:
      InputError: an option is of crops, or the folder can't be written.
    """
    for name in ("tfds", "unrotated"):
        if value := getattr(options, name):
            raise InputError(f"--{name} {value}: is accepted without --micrographs only")
    # Late, as it takes its time to load.
    from srd_jax.synthetic.scenes import drawn_folder

    count = options.n or _MICROGRAPHS
    drawn_folder.write(options.out, count, options.seed)
    print(f"{count} micrograph{'' if count == 1 else 's'} in {options.out}")
    return process.ALL_READ


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; accepted is a number from 0 to 1")
    return value
