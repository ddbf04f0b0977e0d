"""`srd make-dataset`: draws a set of grana, or whole micrographs, in the format of real ones."""

import argparse

from srd_jax.commands.parsers.make_dataset import COUNT, MICROGRAPHS
from srd_jax.support import process
from srd_jax.support.errors import InputError
from srd_jax.synthetic.drawn_set import Recipe, make_dataset


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    if options.micrographs:
        return _make_micrographs(options)
    recipe = Recipe(options.n or COUNT, options.seed, unrotated=options.unrotated)
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

    count = options.n or MICROGRAPHS
    drawn_folder.write(options.out, count, options.seed)
    print(f"{count} micrograph{'' if count == 1 else 's'} in {options.out}")
    return process.ALL_READ
