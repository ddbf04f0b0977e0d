"""Crops without known periods, which help to choose among candidates."""

import pathlib

import numpy as np

from srd_jax.imaging.crop import find_images, read_crop
from srd_jax.imaging.preparation import prepare
from srd_jax.support.errors import InputError
from srd_jax.synthetic.drawn_set import Recipe, provide
from srd_jax.tasks.period.config import TrainConfig


def check(config: TrainConfig) -> None:
    """Checks that the folder of the crops, if the config names one, holds images.

    Raises:
      InputError: it doesn't.
    """
    if config.end.keeps and config.end.unlabelled:
        find_images([config.end.unlabelled])


def frames(config: TrainConfig, workdir: pathlib.Path) -> np.ndarray:
    """Returns the first `validation.images` crops as prediction shows them to the network.

    They are those of the folder `end.unlabelled`, else drawn ones of another seed than the crops
    that are trained on, from the folder `unlabelled` beside the workdir. A file that cannot be
    read is named and left out.

    Args:
      config: of the run.
      workdir: of the run.

    Returns:
      (crops, rows, columns) float32 of the frame, grey value 0..1.

    Raises:
      InputError: there is no crop, or the folder of drawn ones holds something else.
    """
    folder = pathlib.Path(config.end.unlabelled or workdir.absolute().parent / "unlabelled")
    if not config.end.unlabelled:
        data = config.data
        provide(folder, Recipe(config.validation.images, data.seed + 1, data.drawn))
    found = []
    for path in find_images([folder])[: config.validation.images]:
        try:
            crop = read_crop(path)
            found.append(prepare(crop.image, crop.mask, config.validation.frame).image)
        except InputError as error:
            print(f"left out: {error}")
    if not found:
        raise InputError(f"{folder}: holds no crop that can be read; accepted are crops of grana")
    return np.stack(found)
