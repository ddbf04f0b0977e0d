"""Writes sets of drawn grana in the format of real sets, with their recipe beside."""

import dataclasses
import json
import os
import pathlib
from collections.abc import Iterator

import numpy as np

from srd_jax.imaging.dataset import Granum, write_grana
from srd_jax.support.errors import InputError, naming, one_line
from srd_jax.support.fields import differences, from_dict, to_json
from srd_jax.support.files import whole_folder, write_text
from srd_jax.support.terminal import track
from srd_jax.support.version import __version__
from srd_jax.synthetic.config import GranaConfig
from srd_jax.synthetic.crops import draw_grana

# File of the recipe, beside the images.
_RECIPE = "drawn.json"


@dataclasses.dataclass
class Recipe:
    """How a set is drawn; fields that `DataConfig` has too have the same names.

    Attributes:
      images: how many crops.
      seed: of the random numbers.
      drawn: ranges of the crops.
      unrotated: share of crops whose lamellae lie at any angle rather than horizontal.
      version: of this package; two recipes of the same set differ in this field at most.
    """

    images: int
    seed: int
    drawn: GranaConfig = dataclasses.field(default_factory=GranaConfig)
    unrotated: float = 0.0
    version: str = __version__


def grana(recipe: Recipe) -> Iterator[Granum]:
    """Yields the grana of a set, all horizontal; the same recipe gives the same grana."""
    digits = len(str(recipe.images - 1))
    drawn = draw_grana(recipe.seed, recipe.images, recipe.drawn)
    for i, values in enumerate(drawn):
        yield Granum(f"granum_{i:0{digits}}.png", *values)


def angles(recipe: Recipe) -> list[float]:
    """Returns the angle of each crop's lamellae, degrees as in the CSV (see `annotations`).

    The share `unrotated` of the crops has angles uniform above 0 and up to 180, all others 90.
    """
    random = np.random.default_rng(recipe.seed)
    chosen = random.permutation(recipe.images) < round(recipe.unrotated * recipe.images)
    return np.where(chosen, 180 - 180 * random.random(recipe.images), 90.0).tolist()


def make_dataset(
    out: str | os.PathLike[str], recipe: Recipe, tfds_dir: str | os.PathLike[str] | None = None
) -> pathlib.Path | None:
    """Draws a set and writes it with its recipe, whole or not at all, with a progress bar.

    Args:
      out: a new or an empty folder.
      recipe: of the set.
      tfds_dir: folder in which TensorFlow Datasets keeps the same set; None for no such copy.

    Returns:
      The folder of TensorFlow Datasets' copy, None without one.

    Raises:
      InputError: `out` is neither new nor empty, `tfds_dir` lies in it or holds such a set already,
        or a file cannot be written.
    """
    if tfds_dir is None:
        with whole_folder(out) as folder:
            _draw_into(folder, recipe)
        return None
    # Imported here, because it is slow, and a set without a copy doesn't need it.
    from srd_jax.imaging import tfds

    _check_apart(out, tfds_dir)
    tfds.check_unprepared(tfds_dir)
    with whole_folder(out) as folder:
        _draw_into(folder, recipe)
        return tfds.prepare(folder, tfds_dir)


def provide(folder: pathlib.Path, recipe: Recipe) -> None:
    """Draws a set into a folder that doesn't hold it yet, and prints whether it was drawn.

    Raises:
      InputError: the folder holds anything but this set, or cannot be written.
    """
    if not folder.exists():
        make_dataset(folder, recipe)
        print(f"{folder}: {recipe.images} grana drawn of seed {recipe.seed}")
        return
    accepted = "accepted: the set that config.data tells, no folder there, or another config.data"
    with naming(folder):
        try:
            content = json.loads((folder / _RECIPE).read_text(encoding="utf-8"))
            found = from_dict(Recipe, content, _RECIPE)
        except (OSError, ValueError) as error:
            raise InputError(
                f"holds no set that was drawn ({one_line(error)}); {accepted}"
            ) from None
        found = dataclasses.replace(found, version=recipe.version)
        if lines := differences(recipe, found, "config.data"):
            raise InputError(f"holds another set ({'; '.join(lines)} there); {accepted}")
    print(f"{folder}: {recipe.images} grana found there, drawn of seed {recipe.seed}")


def _draw_into(folder: pathlib.Path, recipe: Recipe) -> None:
    write_grana(folder, track(grana(recipe), "drawing", recipe.images), angles(recipe))
    write_text(folder / _RECIPE, to_json(recipe))


def _check_apart(out: str | os.PathLike[str], tfds_dir: str | os.PathLike[str]) -> None:
    if pathlib.Path(tfds_dir).resolve().is_relative_to(pathlib.Path(out).resolve()):
        raise InputError(
            f"{tfds_dir}: lies in {out}, which is to hold the images alone; "
            "accepted for TensorFlow Datasets is a folder elsewhere"
        )
