"""Measures the errors of one view, of its flips, and of flips and windows.

python benchmarks/tta.py FOLDER [--weights W] [--first N]
python benchmarks/tta.py --generated N [--seed S] [--weights W]

FOLDER holds crops with annotations.csv. One table is for all crops, one for crops with more rows
than one view shows.

Needs: crops with annotations.csv, or --generated N.
Takes: about 10 min on 2 cores for 60 grana.
Writes: tables to the terminal.
"""

import argparse
import itertools
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import numpy as np

from srd_jax.imaging import dataset
from srd_jax.imaging.crop import Crop
from srd_jax.measuring import tta
from srd_jax.measuring.estimator import Estimator, load
from srd_jax.measuring.result import result_of
from srd_jax.synthetic.config import GranaConfig
from srd_jax.synthetic.crops import draw_grana

WAYS = ("one view", "4 flips", "flips, windows")


def main() -> None:
    """Prints a table for all crops and one for the high ones."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", nargs="?", help="crops and annotations.csv")
    parser.add_argument("--first", type=int, help="so many crops of the folder")
    parser.add_argument("--generated", type=int, metavar="N", help="draw N grana instead")
    parser.add_argument("--seed", type=int, default=0, help="of --generated")
    parser.add_argument("--weights", help="weights file or workdir; default: the released ones")
    options = parser.parse_args()
    if (options.folder is None) == (options.generated is None):
        parser.error("accepted is either FOLDER or --generated N")
    estimator = load(options.weights)
    measured = [measure(estimator, one) for one in grana(options)]
    high = [one for one in measured if one["windows"] > 1]
    for name, part in (("all crops", measured), ("crops of several windows", high)):
        print(f"\n{name}: {len(part)}")
        if part:
            print_table(part)


def grana(options: argparse.Namespace):
    """Yields the grana of the folder, or drawn ones."""
    if options.folder is not None:
        yield from itertools.islice(dataset.read_grana(options.folder), options.first)
    else:
        drawn = draw_grana(options.seed, options.generated, GranaConfig())
        yield from (dataset.Granum(f"{i}", *one) for i, one in enumerate(drawn))


def measure(estimator: Estimator, granum: dataset.Granum) -> dict:
    """Returns errors and sds of each way, px of the crop, and the variance between views."""
    crop = Crop(granum.image, granum.mask, granum.px_per_nm, "")
    windows = tta.Augmented(estimator).prepare(crop)
    views = [view for window in windows for view in tta.flips(window)]
    found = estimator.measure(views)
    middle = len(windows) // 2 * len(tta.flips(windows[0]))
    parts = [found[middle : middle + 1], found[middle : middle + 4], found]
    answers = [tta.combine(part) for part in parts]
    row = result_of(granum.name, answers[0], granum.px_per_nm, estimator.field_rows)
    return {
        "windows": len(windows),
        "ok": row.status == "ok",
        "error": [one.period_px - granum.period_px for one in answers],
        "sd": [one.sd_px for one in answers],
        "between": [np.var([one.period_px for one in part]) for part in parts],
    }


def print_table(measured: list[dict]) -> None:
    """Prints a line for each way of measuring.

    It has the mean absolute error, px of the crop; the removed share of one view's mean squared
    error; both also over crops with status ok in one view, because a few gross errors outweigh all
    others; the coverage of 1 and 1.96 sd (nominally 68.3 and 95 %); and the mean variance between
    views, also as a share of one view's squared error.
    """
    error, sd, between = (
        np.array([one[key] for one in measured], float) for key in ("error", "sd", "between")
    )
    ok = np.array([one["ok"] for one in measured])
    titles = ("MAE", "MAE ok", "MSE removed", "of ok", "1 sd", "1.96 sd", "between", "share")
    print(f"{'':16}" + "".join(f"{title:>12}" for title in titles))
    removed, removed_ok = (
        1 - np.mean(part**2, axis=0) / np.mean(part[:, 0] ** 2) for part in (error, error[ok])
    )
    for i, way in enumerate(WAYS):
        size, variance = np.abs(error[:, i]), np.mean(between[:, i])
        figures = (
            f"{size.mean():.2f}",
            f"{size[ok].mean():.2f}",
            f"{removed[i]:.1%}",
            f"{removed_ok[i]:.1%}",
            f"{np.mean(size <= sd[:, i]):.1%}",
            f"{np.mean(size <= 1.96 * sd[:, i]):.1%}",
            f"{variance:.2f}",
            f"{variance / np.mean(error[:, 0] ** 2):.1%}",
        )
        print(f"{way:16}" + "".join(f"{figure:>12}" for figure in figures))


if __name__ == "__main__":
    main()
