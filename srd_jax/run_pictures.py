"""Pictures of a training run: its curves, and what the network looks at in validation images."""

import functools
import math
import pathlib
from collections.abc import Sequence

import jax
import numpy as np

from srd_jax import model
from srd_jax.compiling import jit
from srd_jax.config import TrainConfig
from srd_jax.curves import curves_picture
from srd_jax.sources import Source
from srd_jax.visualize import attention_picture, spread

POOLS = ("period", "sd")


def draw_pictures(
    config: TrainConfig,
    workdir: pathlib.Path,
    source: Source,
    parameters: dict[str, np.ndarray],
    rows: Sequence[dict[str, float]],
) -> None:
    """Writes curves.png and attention/*.png into a workdir.

    Raises:
      InputError: a file cannot be written.
    """
    reference = None if math.isnan(config.reference_mae) else config.reference_mae
    curves_picture(workdir / "curves.png", rows, reference)
    draw = jit(source.validation)
    predict = jit(functools.partial(model.as_function(config.model), with_attention=True))
    geometry = config.model.geometry
    size = config.validation.batch_size
    for number in range(min(config.validation.pictures, source.validation_images)):
        index, place = divmod(number, size)
        batch = draw(source.arrays, index)
        image = batch.image[place]
        found = jax.device_get(predict(parameters, image[None]))
        maps = spread(found.attention[0], geometry.receptive_field, geometry.stride)
        period = float(found.period[0])
        title = (
            f"validation image {number}\ntrue period {float(batch.target[place]):.2f} px, "
            f"predicted {period:.2f} px of the frame"
        )
        if found.sd is not None:
            title += f", sd {float(found.sd[0]):.2f} px"
        attention_picture(
            workdir / "attention" / f"validation_{number:03d}.png",
            np.asarray(image),
            maps,
            POOLS[: len(maps)],
            title,
        )
