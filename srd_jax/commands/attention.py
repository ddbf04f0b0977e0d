"""`srd attention`: draws where a network looks in crops of grana."""

import argparse
import pathlib
import sys
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from srd_jax.commands import arguments
from srd_jax.imaging.crop import (
    ATTENTION_ENDING,
    Crop,
    common_root,
    find_images,
    picture_path,
    read_crop,
)
from srd_jax.measuring.estimator import Estimator, load
from srd_jax.support import process
from srd_jax.support.errors import InputError, reason
from srd_jax.support.terminal import printable, track
from srd_jax.tasks.period.attention import attention_figure, title, write_figure


def add(commands) -> None:
    """Adds the command."""
    text = "draw where a network looks in crops of grana, each as a PNG and a PDF for a page"
    one = arguments.add_command(commands, "attention", text, _attention)
    one.add_argument(
        "paths", nargs="+", type=arguments.path, metavar="PATH", help="image or folder"
    )
    arguments.add_weights(one)
    one.add_argument(
        "--out", type=arguments.path, required=True, metavar="DIR", help="folder of the figures"
    )
    one.add_argument("--annotations", metavar="CSV", help="known periods, for the titles")


def _attention(options: argparse.Namespace) -> int:
    paths = find_images(options.paths)
    known = {}
    if options.annotations is not None:
        found = arguments.known(options.annotations, paths)
        known = {path: one.period_px for path, one in found.items()}
    folder = pathlib.Path(options.out)
    arguments.check_folder("--out", folder, ATTENTION_ENDING)
    estimator = load(options.weights, batch_size=1)
    failed = _draw(estimator, paths, known, folder)
    for path, why in failed.items():
        print(f"{path}: {why}", file=sys.stderr)
    print(f"{len(paths) - len(failed)} of {len(paths)} crops drawn; figures in {folder}")
    return process.SOME_FAILED if failed else process.ALL_READ


def _draw(
    estimator: Estimator,
    paths: Sequence[pathlib.Path],
    known: Mapping[pathlib.Path, float | None],
    folder: pathlib.Path,
) -> dict[pathlib.Path, str]:
    """Writes the figures, and returns the reason for each crop that failed."""
    root = common_root(paths)
    failed = {}
    for path in track(paths, "drawing"):
        name = printable(path.name)
        try:
            figure = crop_attention(estimator, read_crop(path), name, known.get(path))
            write_figure(picture_path(folder, root, path, ATTENTION_ENDING), figure)
        except InputError as error:
            failed[path] = reason(error, path)
    return failed


def crop_attention(
    estimator: Estimator, crop: np.ndarray | Crop, name: str, true_px: float | None = None
) -> Figure:
    """Measures a crop, and draws where the network looks in the frame.

    Args:
      estimator: from `estimator.load`.
      crop: as `crop.read_crop` returns it, or (rows, columns) grey values, see `Method.__call__`.
      name: of the crop, for the title.
      true_px: known period, px of the crop; None without.

    Returns:
      See `attention.attention_figure`; `attention.write_figure` writes it.

    Raises:
      InputError: the crop cannot be measured.
    """
    prepared = estimator.prepare(crop)
    (found,) = estimator.measure([prepared], with_attention=True)
    assert found.attention is not None
    scale = found.scale
    text = title(
        name,
        period=found.period_px * scale,
        sd=None if found.sd_px is None else found.sd_px * scale,
        true=None if true_px is None else true_px * scale,
        scale=scale,
    )
    geometry = estimator.weights.model.geometry
    return attention_figure(prepared.image, found.attention, geometry, text)
