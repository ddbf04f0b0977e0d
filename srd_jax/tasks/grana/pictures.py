"""Draws validation tiles with their truth and what the network finds, side by side."""

import pathlib

import jax
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import hsv_to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy import special

from srd_jax.networks.parameters import Parameters
from srd_jax.support.compiling import jit
from srd_jax.support.files import PNG_TEXT, whole_file
from srd_jax.synthetic.scenes.batch import STRIDE, Tiles
from srd_jax.tasks.grana import model
from srd_jax.tasks.grana.config import MicrographsConfig
from srd_jax.tasks.grana.model import Prediction
from srd_jax.training.task import Source
from srd_jax.training.workdir import PICTURES

# Colours of Okabe and Ito, which differ with every kind of colour vision.
_TRUE, _FOUND = "#009E73", "#E69F00"
_DOUBTFUL_GREY = 0.5
_GREY_RANGE = (-1.5, 1.5)


def write_pictures(
    config: MicrographsConfig,
    workdir: pathlib.Path,
    source: Source,
    parameters: Parameters,
    threshold: float,
) -> None:
    """Writes pictures/validation_NNN.png of the first validation tiles into a workdir.

    Args:
      config: of the run.
      workdir: of the run.
      source: of the run.
      parameters: of the network.
      threshold: of the probability, for the outlines.

    Raises:
      InputError: a file cannot be written.
    """
    if not config.validation.pictures:
        return
    draw, predict = jit(source.validation), jit(model.as_function(config.model))
    size = config.validation.batch_size
    for first in range(0, config.validation.pictures, size):
        tiles = draw(source.arrays, first // size)
        found = predict(parameters, tiles.image)
        tiles, found = jax.device_get((tiles, found))
        for place in range(min(size, config.validation.pictures - first)):
            tile, maps = jax.tree.map(lambda x, place=place: x[place], (tiles, found))
            figure = tile_figure(tile, maps, threshold)
            with whole_file(workdir / PICTURES / f"validation_{first + place:03d}.png") as path:
                figure.savefig(path, format="png", metadata=PNG_TEXT)


def tile_figure(tile: Tiles, found: Prediction, threshold: float) -> Figure:
    """Draws a tile with its true maps in a row above the predicted ones.

    Args:
      tile: one tile, arrays (rows, columns).
      found: its prediction, arrays (rows, columns).
      threshold: of the probability, for the outlines.

    Returns:
      The figure, on an Agg canvas.
    """
    tile, found = jax.tree.map(np.asarray, (tile, found))
    probability = special.expit(np.asarray(found.logit))
    shown = np.where(tile.care, tile.granum, _DOUBTFUL_GREY)
    readable = tile.granum & tile.readable
    periods = np.where(readable, np.exp(tile.log_period), np.nan)
    figure = Figure(figsize=(14.0, 6.0), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 5)
    _image(axes[0, 0], tile, "tile")
    _image(axes[1, 0], tile, "outlines: true green, found orange")
    _outlines(axes[1, 0], tile.granum, 0.5, _TRUE)
    _outlines(axes[1, 0], probability, threshold, _FOUND)
    limits = dict(vmin=2.0, vmax=24.0, cmap="viridis")
    one = dict(vmin=0.0, vmax=1.0, cmap="gray")
    rows = (
        ("true", shown, tile.distance, tile.cosine, tile.sine, readable * 1.0, periods),
        (
            "found",
            probability,
            found.distance,
            found.cosine,
            found.sine,
            probability,
            np.where(probability >= threshold, np.exp(found.log_period), np.nan),
        ),
    )
    for line, (name, granum, distance, cosine, sine, value, period) in zip(axes, rows, strict=True):
        line[1].imshow(granum, **one)
        line[1].set_title(f"granum, {name}" + (" (grey: doubtful)" if name == "true" else ""))
        line[2].imshow(distance, **one)
        line[2].set_title(f"distance to the outline, {name}")
        line[3].imshow(_directions(cosine, sine, value))
        line[3].set_title(f"direction by hue, {name}")
        line[4].imshow(period, **limits)
        line[4].set_title(f"period 2 to 24 px, {name}")
    for one_axes in axes.flat:
        one_axes.set(xticks=[], yticks=[])
        one_axes.title.set_fontsize(9)
    return figure


def _image(axes: Axes, tile: Tiles, title: str) -> None:
    low, high = _GREY_RANGE
    axes.imshow(tile.image, cmap="gray", vmin=low, vmax=high)
    axes.set_title(title)


def _outlines(axes: Axes, values: ArrayLike, level: float, color: str) -> None:
    """Draws the lines at a level of a map over its image."""
    values = np.asarray(values, np.float64)
    if values.min() < level <= values.max():
        rows, columns = (STRIDE * np.arange(n) + (STRIDE - 1) / 2 for n in values.shape)
        axes.contour(columns, rows, values, [level], colors=[color], linewidths=1.0)


def _directions(cosine: ArrayLike, sine: ArrayLike, value: ArrayLike) -> np.ndarray:
    """Returns (rows, columns, 3): hue by direction, saturation by length, as bright as a value."""
    cosine, sine, value = (np.asarray(x, np.float64) for x in (cosine, sine, value))
    hue = np.arctan2(sine, cosine) / (2 * np.pi) % 1.0
    length = np.clip(np.hypot(cosine, sine), 0.0, 1.0)
    return hsv_to_rgb(np.stack([hue, length, np.clip(value, 0.0, 1.0)], -1))
