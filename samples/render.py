"""Renders the sample crops beside this file: striped grana in the format of real crops.

python samples/render.py

Each sample is a crop of grey stripes on pure blue. annotations.csv holds the true periods. The
stripes are like those of training stage 1, but drawn in px of the crop.
"""

import csv
import pathlib

import jax
import numpy as np
from PIL import Image, ImageDraw

from srd_jax.synthetic import stripes
from srd_jax.tasks.period.config import ModelConfig, StripesConfig

FOLDER = pathlib.Path(__file__).parent
PX_PER_NM = 1.298  # the magnification of most real crops
# Rows and columns of each granum, px, and the range of its period, nm.
GRANA = (
    ((220, 438), (14.0, 16.0)),
    ((284, 376), (16.0, 18.5)),
    ((284, 558), (18.5, 21.0)),
    ((284, 438), (21.0, 24.0)),
    ((220, 376), (24.0, 27.0)),
    ((348, 496), (27.0, 30.0)),
)
MARGIN = 12


def render(index: int) -> tuple[Image.Image, float]:
    """Returns the image of one granum, and its true period, px of the crop."""
    frame, (shortest, longest) = GRANA[index]
    config = StripesConfig(period=(shortest * PX_PER_NM, longest * PX_PER_NM))
    batch = stripes.render(
        jax.random.fold_in(jax.random.key(14), index), 1, frame, config, ModelConfig().geometry
    )
    grey = Image.fromarray(np.uint8(np.rint(np.asarray(batch.image[0]) * 255)))
    inside = Image.new("L", grey.size)
    ImageDraw.Draw(inside).rounded_rectangle((0, 0, *grey.size), frame[0] // 6, fill=255)
    image = Image.new("RGB", (grey.width + 2 * MARGIN, grey.height + 2 * MARGIN), (0, 0, 255))
    image.paste(grey.convert("RGB"), (MARGIN, MARGIN), inside)
    return image, float(batch.target[0])


def main() -> None:
    """Writes the images and their annotations."""
    with (FOLDER / "annotations.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("granum_image", "angle", "period_nm", "px_per_nm"))
        for index in range(len(GRANA)):
            image, period = render(index)
            name = f"striped_granum_{index + 1}.png"
            image.save(FOLDER / name, optimize=True)
            writer.writerow((name, 90, f"{period / PX_PER_NM:.4f}", PX_PER_NM))
    print(f"{len(GRANA)} crops and annotations.csv written to {FOLDER}")


if __name__ == "__main__":
    main()
