"""`srd attention`: draws where a network looks in crops of grana."""

import argparse
import pathlib
import sys
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from srd_jax.commands import arguments
from srd_jax.imaging.crop import Crop, open_crops
from srd_jax.imaging.folders import ATTENTION_ENDING, common_root, picture_path
from srd_jax.measuring.estimator import Estimator, load
from srd_jax.support import process
from srd_jax.support.errors import InputError, reason
from srd_jax.support.terminal import printable, track
from srd_jax.tasks.period.attention import attention_figure, title, write_figure


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    images = arguments.images(options.paths)
    paths = images.images
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
    return process.SOME_FAILED if failed or images.unread else process.ALL_READ


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
        try:
            for label, read in open_crops(path).items():
                name, ending, true_px = printable(path.name), ATTENTION_ENDING, None
                if label is None:
                    true_px = known.get(path)
                else:
                    name, ending = f"{name} granum {label}", f".{label}{ending}"
                figure = crop_attention(estimator, read(), name, true_px)
                write_figure(picture_path(folder, root, path, ending), figure)
        except InputError as error:
            failed[path] = reason(error, path)
    return failed


def crop_attention(
    estimator: Estimator, crop: np.ndarray | Crop, name: str, true_px: float | None = None
) -> Figure:
    """Measures a crop, and draws where the network looks in the frame.

    Args:
      estimator: from `estimator.load`.
      crop: of `crop`, or (rows, columns) grey values, see `Method.__call__`.
      name: of the crop, for the title.
      true_px: known period, px of the crop; None without.

    Returns:
      See `attention.attention_figure`; `attention.write_figure` writes it.

    Raises:
      InputError: the crop cannot be measured.
    """
    prepared = estimator.prepare(crop)[0]
    (found,) = estimator.measure_frames([prepared], with_attention=True)
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
