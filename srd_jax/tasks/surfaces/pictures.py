"""Draws validation pictures with what is true of them and what the network finds."""

import itertools
import pathlib

import jax
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from srd_jax.networks.parameters import Parameters
from srd_jax.support.compiling import jit
from srd_jax.support.files import PNG_TEXT, whole_file
from srd_jax.synthetic.surfaces.batch import Pictures
from srd_jax.synthetic.surfaces.names import KINDS
from srd_jax.synthetic.surfaces.orientations import zone
from srd_jax.tasks.surfaces import grid, model, spectrum
from srd_jax.tasks.surfaces.calibration import calibrated
from srd_jax.tasks.surfaces.candidates import Candidates, candidates
from srd_jax.tasks.surfaces.config import CubicMembranesConfig
from srd_jax.tasks.surfaces.targets import Truth, truth
from srd_jax.tasks.surfaces.weights import Calibration
from srd_jax.training.task import Source
from srd_jax.training.workdir import PICTURES

# Colours of Okabe and Ito, which differ with every kind of colour vision.
_TRUE, _FOUND = "#009E73", "#E69F00"
_GREY_RANGE = (-2.5, 2.5)
_SHOWN = 5  # candidates


def write_pictures(
    config: CubicMembranesConfig,
    workdir: pathlib.Path,
    source: Source,
    parameters: Parameters,
    fitted: Calibration,
) -> None:
    """Writes pictures/validation_NNN.png of the first validation pictures into a workdir.

    Args:
      config: of the run.
      workdir: of the run.
      source: of the run.
      parameters: of the network.
      fitted: calibration of probabilities and sds.

    Raises:
      InputError: a file cannot be written.
    """
    if not config.validation.pictures:
        return
    size, cells = config.validation.batch_size, grid.make(config.model.grid)
    apply = model.as_function(config.model)

    def read(index):
        batch = source.validation(source.arrays, index)
        found = apply(parameters, batch.image, batch.mask)
        power = spectrum.polar(
            batch.image, batch.mask, config.model.wavelengths, config.model.radii, len(cells.turn)
        )
        return batch, truth(batch), power, candidates(found, cells, _SHOWN)

    read = jit(read)
    for first in range(0, config.validation.pictures, size):
        picture, true, power, found = jax.device_get(read(first // size))
        found = calibrated(found, fitted)
        for place in range(min(size, config.validation.pictures - first)):
            one = jax.tree.map(lambda x, place=place: x[place], (picture, true, power, found))
            figure = picture_figure(*one, wavelengths=config.model.wavelengths)
            with whole_file(workdir / PICTURES / f"validation_{first + place:03d}.png") as path:
                figure.savefig(path, format="png", metadata=PNG_TEXT)


def picture_figure(
    picture: Pictures,
    true: Truth,
    power: np.ndarray,
    found: Candidates,
    wavelengths: tuple[float, float],
) -> Figure:
    """Draws a picture, its spectrum, the axes of view in their triangle, and the numbers.

    Args:
      picture: one picture, without leading axes.
      true: its truth.
      power: (radii, directions) its spectrum.
      found: (K,) candidates.
      wavelengths: shortest and longest of the spectrum, px.

    Returns:
      The figure, on an Agg canvas.
    """
    figure = Figure(figsize=(13.0, 3.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    image, waves, triangle, words = figure.subplots(1, 4)
    low, high = _GREY_RANGE
    shown = np.where(picture.mask, picture.image, np.nan)
    image.imshow(shown, cmap="gray", vmin=low, vmax=high)
    image.set(title="picture", xticks=[], yticks=[])
    shortest, longest = wavelengths
    waves.imshow(np.log(power + 0.3), aspect="auto", extent=(0, 180, 1, 0))
    lengths = [n for n in (4, 8, 16, 32, 64, 128) if shortest <= n <= longest]
    places = np.log(longest / np.array(lengths)) / np.log(longest / shortest)
    waves.set(title="spectrum", xlabel="direction, degrees", ylabel="wavelength, px")
    waves.set_yticks(places, [str(n) for n in lengths])
    _triangle(triangle, true, found)
    words.axis("off")
    words.text(0, 1, _words(true, found), family="monospace", fontsize=8, va="top")
    return figure


def _triangle(axes: Axes, true: Truth, found: Candidates) -> None:
    """Draws axes of view of cubic kinds in the stereographic triangle [001]-[101]-[111]."""
    edge = np.linspace(0, 1, 30)[:, None]
    corners = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 0, 1]], np.float64)
    for start, end in itertools.pairwise(corners):
        axes.plot(*_flat(start + edge * (end - start)).T, color="black", linewidth=1)
    for name, corner in zip(("001", "101", "111"), corners[:-1], strict=True):
        axes.annotate(name, _flat(corner[None])[0], fontsize=8)
    hexagonal = KINDS.index("L")
    for place in range(len(found.kind)):
        if found.kind[place] != hexagonal and found.weight[place] > 0:
            x, y = _flat(np.asarray(zone(found.rotation[place]))[None])[0]
            axes.scatter(x, y, s=20 + 150 * float(found.weight[place]), color=_FOUND)
    if true.kind != hexagonal:
        axes.scatter(
            *_flat(np.asarray(zone(true.rotation))[None])[0], marker="x", s=60, color=_TRUE
        )
    axes.set(title="axis: true green, found orange", xticks=[], yticks=[], aspect="equal")


def _flat(directions: np.ndarray) -> np.ndarray:
    """Returns stereographic places of directions, (N, 2)."""
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    return unit[:, :2] / (1 + unit[:, 2:])


def _words(true: Truth, found: Candidates) -> str:
    lines = [" kind  p     a, px        φ            turn tilt ±°"]
    fraction, cell = float(true.fraction), float(np.exp(true.log_cell))
    lines.append(f"{KINDS[int(true.kind)]:>5}       {cell:5.1f}        {fraction:.2f}     (true)")
    for place in range(len(found.kind)):
        if found.weight[place] <= 0:
            continue
        cell, sd = float(np.exp(found.log_cell[place])), found.sd[place]
        turn, tilt = np.degrees(sd[2:])
        kind, fraction = KINDS[int(found.kind[place])], f"{found.fraction[place]:.2f} ± {sd[1]:.2f}"
        lines.append(
            f"{kind:>5} {found.weight[place]:.2f}  {cell:5.1f} ± {cell * sd[0]:4.1f} {fraction}  "
            f"{turn:4.1f} {tilt:4.1f}"
        )
    return "\n".join(lines)
