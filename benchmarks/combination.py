"""Fits the numbers of `combination.BELIEF`: how far to believe an autocorrelation.

python benchmarks/combination.py [--weights FILE] [--grana 2000] [--far 600] [--negatives 250]

Draws grana, a part of them with membranes that lie far apart or at other magnifications (of
harmonics.py), measures each by the network, finds the peaks of its autocorrelation, and fits the
numbers to the true periods. docs/methods.md, "How its numbers were fitted", says how. Training,
calibration and benchmarks/accuracy.py use other seeds.

Needs: the package alone.
Takes: about 15 min on 2 cores.
Writes: the fitted numbers to the terminal, for srd_jax/measuring/combination.py.
"""

import argparse
import dataclasses
import pathlib
import sys
from collections.abc import Callable
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import harmonics
import numpy as np
from scipy import optimize

from srd_jax.imaging.crop import Crop
from srd_jax.measuring.combination import BELIEF, Belief, combine, posteriors
from srd_jax.measuring.estimator import Estimator, load
from srd_jax.measuring.peaks import Peaks, peaks
from srd_jax.support.terminal import track
from srd_jax.synthetic.config import GranaConfig, NegativesConfig
from srd_jax.synthetic.crops import draw_grana
from srd_jax.tasks.period import weights

# Kinds of crops without measurable lamellae, as frequent as in training.
NEGATIVES = GranaConfig(negatives=NegativesConfig(0.28, 0.22, 0.36, 0.14))
# The numbers of a belief; of these, the numbers that are held fixed, and the numbers of the odds.
NAMES = [field.name for field in dataclasses.fields(Belief)]
HELD = ["log_widening", "log_elsewhere", "log_missing", "by_sure"]
ODDS = ["log_odds", "by_prominence"]
# The two posteriors of a crop.
CERTAIN, DOUBTFUL = 0, 1
# Log periods on which a posterior is normalised: coarse ones, and finer ones around each peak.
COARSE = np.arange(np.log(3.0), np.log(1200.0), 0.01)
AROUND = np.sinh(np.linspace(-4.5, 4.5, 61)) / 1000


class Seen(NamedTuple):
    """A crop's true period, the network's periods and sds (views,), px of the crop, its peaks."""

    true: float
    period: np.ndarray
    sd: np.ndarray
    peaks: Peaks


def main() -> None:
    """Fits the numbers and prints them."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("--weights", default=weights.RELEASED, help="default: the released ones")
    parser.add_argument("--grana", type=int, default=2000, metavar="N", help="%(default)s")
    parser.add_argument("--far", type=int, default=600, metavar="N", help="%(default)s")
    parser.add_argument("--negatives", type=int, default=250, metavar="N", help="%(default)s")
    parser.add_argument("--seed", type=int, default=777, help="%(default)s")
    options = parser.parse_args()
    network = load(options.weights, batch_size=1)
    grana = seen(network, GranaConfig(), options.grana, options.seed)
    far = seen_far(network, options.far, options.seed + 2)
    negatives = seen(network, NEGATIVES, options.negatives, options.seed + 1)
    found = fitted([*grana, *far], negatives)
    for name, crops in (("grana", grana), ("membranes far apart", far)):
        print(f"{name}, with the present numbers: {figures(BELIEF, crops)}")
        print(f"{name}, with the fitted ones:     {figures(found, crops)}")
    print(f"BELIEF = {found}")


def seen(network: Estimator, config: GranaConfig, n: int, seed: int) -> list[Seen]:
    """Returns the measurements of drawn crops, and shows a progress bar."""
    drawn = track(draw_grana(seed, n, config), "measuring", n)
    return [_seen(network, image, mask, period) for image, mask, period, _ in drawn]


def seen_far(network: Estimator, n: int, seed: int) -> list[Seen]:
    """Returns the measurements of the crops of harmonics.py that show at least two periods."""
    drawn = track(harmonics.drawn(n, seed), "measuring", n)
    return [
        _seen(network, one.image, one.mask, one.period_px)
        for one in drawn
        if len(one.mask) >= 2 * one.period_px
    ]


def _seen(network: Estimator, image: np.ndarray, mask: np.ndarray, true: float) -> Seen:
    (one,) = network([Crop(image, mask, None, "")])
    if one.sd_px is None:
        raise SystemExit("error: these weights give no sd; accepted: weights that do")
    views = one.views or (one,)
    period, sd = (
        np.array([getattr(view, name) for view in views]) for name in ("period_px", "sd_px")
    )
    return Seen(true, period, sd, peaks(image, mask, list(period)))


def fitted(grana: list[Seen], negatives: list[Seen]) -> Belief:
    """Returns the belief with the greatest likelihood; the numbers in HELD keep their values."""

    def best(crops: list[Seen], case: int, belief: Belief, names: list[str]) -> Belief:
        def changed(numbers: np.ndarray) -> Belief:
            return dataclasses.replace(belief, **dict(zip(names, map(float, numbers), strict=True)))

        first = [getattr(belief, name) for name in names]
        return changed(highest(lambda x: log_probability(crops, changed(x), case), first))

    of_peaks = [name for name in NAMES if name not in (*HELD, *ODDS)]
    return best([*grana, *negatives], DOUBTFUL, best(grana, CERTAIN, BELIEF, of_peaks), ODDS)


def highest(function: Callable[[np.ndarray], float], first: list[float]) -> np.ndarray:
    """Returns the numbers at which a function is greatest."""
    return optimize.minimize(lambda x: -function(x), first, method="BFGS", options={"gtol": 1e-3}).x


def log_probability(crops: list[Seen], held: Belief, case: int) -> float:
    """Returns the mean log density of the true periods in one of the two posteriors."""
    densities = []
    for one in crops:
        given = one.period, one.sd, one.peaks, held
        at = np.log(np.concatenate([one.period, one.peaks.period_px, one.peaks.mean_px]))
        grid = np.unique(np.concatenate([COARSE, (at[:, None] + AROUND).ravel()]))
        whole = np.trapezoid(posteriors(grid, *given)[case], grid)
        densities.append(posteriors(np.log([one.true]), *given)[case][0] / whole)
    return float(np.mean(np.log(densities)))


def answers(held: Belief, crops: list[Seen]) -> tuple[np.ndarray, np.ndarray]:
    """Returns errors and sds, both (N,) per cent of the measured period."""
    said = np.array([combine(one.period, one.sd, one.peaks, held) for one in crops])
    error = said[:, 0] - np.array([one.true for one in crops])
    return 100 * error / said[:, 0], 100 * said[:, 1] / said[:, 0]


def figures(held: Belief, crops: list[Seen]) -> str:
    """Returns the errors and their coverage in words."""
    error, sd = answers(held, crops)
    size = np.abs(error)
    return (
        f"median error {np.median(size):.2f} %, beyond 15 %: {np.mean(size > 15):.1%}, "
        f"within 1 sd {np.mean(size <= sd):.1%}, within 1.96 sd {np.mean(size <= 1.96 * sd):.1%}, "
        f"95 % within {np.quantile(size / sd, 0.95):.2f} sd"
    )


if __name__ == "__main__":
    main()
