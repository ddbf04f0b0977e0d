"""How far to believe an autocorrelation beside the network: the numbers of `combination.BELIEF`.

python benchmarks/combination.py [--weights FILE] [--grana 400] [--negatives 40] [--seed 777]

Draws crops, measures each by the network and finds the peaks of its autocorrelation. The numbers
are those under which the true periods have the greatest posterior probability. Training,
calibration and benchmarks/accuracy.py use other seeds.
"""

import argparse
import dataclasses
import pathlib
import sys
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import numpy as np
import rich.progress
from scipy import optimize

from srd_jax import predict, weights
from srd_jax.autocorrelation import Peaks, peaks
from srd_jax.combination import BELIEF, Belief, combine, posterior
from srd_jax.config import GranaConfig, NegativesConfig
from srd_jax.images import Crop
from srd_jax.synthetic.dataset import draw_grana

# Kinds of crops without lamellae to be measured, as often as in training.
NEGATIVES = GranaConfig(negatives=NegativesConfig(0.28, 0.22, 0.36, 0.14))
# Log periods on which a posterior is normalised.
GRID = np.arange(np.log(3.0), np.log(300.0), 0.004)


class Seen(NamedTuple):
    """A crop's true period, what the network says, px of the crop, and its autocorrelation."""

    true: float
    period: float
    sd: float
    peaks: Peaks


def main() -> None:
    """Fits, and prints the numbers."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n")[0])
    parser.add_argument("--weights", default=weights.RELEASED, help="default: the released ones")
    parser.add_argument("--grana", type=int, default=400, metavar="N", help="%(default)s")
    parser.add_argument("--negatives", type=int, default=40, metavar="N", help="%(default)s")
    parser.add_argument("--seed", type=int, default=777, help="%(default)s")
    options = parser.parse_args()
    network = predict.load(options.weights, batch_size=1)
    grana = seen(network, GranaConfig(), options.grana, options.seed)
    found = fitted([*grana, *seen(network, NEGATIVES, options.negatives, options.seed + 1)])
    print(f"with the present numbers: {figures(BELIEF, grana)}")
    print(f"with the fitted ones:     {figures(found, grana)}")
    print(f"BELIEF = {found}")


def seen(network: predict.Estimator, config: GranaConfig, n: int, seed: int) -> list[Seen]:
    """Returns drawn crops, measured."""
    drawn = rich.progress.track(draw_grana(seed, n, config), "measuring", n)
    return [_seen(network, image, mask, period) for image, mask, period, _ in drawn]


def _seen(network: predict.Estimator, image: np.ndarray, mask: np.ndarray, true: float) -> Seen:
    (one,) = network([Crop(image, mask, None, "")])
    if one.sd_px is None:
        raise SystemExit("error: these weights give no sd; accepted: weights that do")
    return Seen(true, one.period_px, one.sd_px, peaks(image, mask, one.period_px))


def fitted(crops: list[Seen]) -> Belief:
    """Returns the belief of the greatest likelihood."""

    def loss(numbers: np.ndarray) -> float:
        return -float(np.mean([log_probability(one, Belief(*numbers)) for one in crops]))

    first = dataclasses.astuple(BELIEF)
    found = optimize.minimize(loss, first, method="Nelder-Mead", options={"fatol": 1e-3})
    return Belief(*map(float, found.x))


def log_probability(one: Seen, held: Belief) -> float:
    """Returns the log density that the posterior gives the true period."""
    given = one.period, one.sd, one.peaks, held
    whole = posterior(GRID, *given).sum() * (GRID[1] - GRID[0])
    return float(np.log(posterior(np.log([one.true]), *given)[0] / whole))


def answers(held: Belief, crops: list[Seen]) -> tuple[np.ndarray, np.ndarray]:
    """Returns errors and sds, per cent of the measured period."""
    said = np.array([combine(one.period, one.sd, one.peaks, held) for one in crops])
    error = said[:, 0] - np.array([one.true for one in crops])
    return 100 * error / said[:, 0], 100 * said[:, 1] / said[:, 0]


def figures(held: Belief, crops: list[Seen]) -> str:
    """Returns the errors and their coverage in words."""
    error, sd = answers(held, crops)
    size = np.abs(error)
    return (
        f"median error {np.median(size):.2f} %, beyond 15 %: {np.mean(size > 15):.1%}, "
        f"within 1 sd {np.mean(size <= sd):.1%}, within 1.96 sd {np.mean(size <= 1.96 * sd):.1%}"
    )


if __name__ == "__main__":
    main()
