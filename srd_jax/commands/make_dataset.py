"""`srd make-dataset`: draws a set of grana in the format of real ones."""

import argparse
import os
import pathlib
from collections.abc import Iterable

import numpy as np
import rich.console
import rich.progress

from srd_jax.commands import arguments
from srd_jax.data import Granum, write_grana
from srd_jax.errors import InputError
from srd_jax.folders import whole_folder
from srd_jax.source_config import GranaConfig
from srd_jax.synthetic.dataset import Drawn, draw_grana

# As many as the real set has (Bukat, Bukowicki et al. 2025, Plant Physiology kiaf212).
_COUNT = 339


def add(commands) -> None:
    """Adds the command."""
    text = "draw a set of grana with known periods: images and annotations.csv, as real sets have"
    one = commands.add_parser("make-dataset", help=text, description=text)
    one.add_argument("--out", required=True, metavar="DIR", help="a new or an empty folder")
    one.add_argument(
        "--n", type=arguments.count, default=_COUNT, help="how many, default: %(default)s"
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
    one.set_defaults(command=_make_dataset)


def _make_dataset(options: argparse.Namespace) -> int:
    drawn = draw_grana(options.seed, options.n, GranaConfig())
    angles = draw_angles(options.seed, options.n, options.unrotated)
    prepared = make_dataset(options.out, drawn, angles, options.tfds)
    print(f"{options.n} grana in {options.out}")
    if prepared is not None:
        print(f"prepared in {prepared}")
    return arguments.ALL_READ


def make_dataset(
    out: str | os.PathLike[str],
    drawn: Iterable[Drawn],
    angles: list[float],
    tfds_dir: str | os.PathLike[str] | None = None,
) -> pathlib.Path | None:
    """Writes drawn grana, whole or not at all, behind a progress bar.

    Args:
      out: a new or an empty folder.
      drawn: image, mask, period in px of the crop and scale in px per nm of each.
      angles: how the lamellae of each are to lie, degrees as in the CSV (see `data`).
      tfds_dir: where TensorFlow Datasets is to keep the same set, None for nowhere.

    Returns:
      The folder of the set that TensorFlow Datasets keeps, None without.

    Raises:
      InputError: the folder isn't new or empty, holds the other one, the set is prepared already,
        or a file cannot be written.
    """
    # Here, as it would slow down the start of every command.
    from srd_jax import tfds_grana

    if tfds_dir is not None:
        _check_apart(out, tfds_dir)
        tfds_grana.check_unprepared(tfds_dir)
    bar = rich.console.Console(stderr=True)
    with whole_folder(out) as folder:
        shown = rich.progress.track(
            drawn, "drawing", len(angles), console=bar, transient=True, disable=not bar.is_terminal
        )
        digits = len(str(len(angles) - 1))
        grana = (Granum(f"granum_{i:0{digits}}.png", *values) for i, values in enumerate(shown))
        write_grana(folder, grana, angles)
        return None if tfds_dir is None else tfds_grana.prepare(folder, tfds_dir)


def _check_apart(out: str | os.PathLike[str], tfds_dir: str | os.PathLike[str]) -> None:
    if pathlib.Path(tfds_dir).resolve().is_relative_to(pathlib.Path(out).resolve()):
        raise InputError(
            f"{tfds_dir}: lies in {out}, which is to hold the images alone; "
            "accepted for TensorFlow Datasets is a folder elsewhere"
        )


def draw_angles(seed: int, n: int, unrotated: float) -> list[float]:
    """Returns n angles: 90, but for a share of them uniform above 0 and up to 180 degrees."""
    random = np.random.default_rng(seed)
    chosen = random.permutation(n) < round(unrotated * n)
    return np.where(chosen, 180 - 180 * random.random(n), 90.0).tolist()


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; accepted is a number from 0 to 1")
    return value
