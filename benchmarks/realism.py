"""Measures distances between real and generated crops: how real do generated grana look?

python benchmarks/realism.py FOLDER [--n 64]

FOLDER holds annotated real crops. The table has the medians of DISTANCES over pairs of crops. Its
first two columns agree where generated crops are as near to real crops as these are to each other.

Needs: annotated real crops.
Takes: about 2 min on 2 cores.
Writes: a table to the terminal.
"""

import argparse
import itertools
import pathlib
import sys
from collections.abc import Sequence

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))

import jax
import numpy as np
from scipy import stats

from srd_jax.evaluation.traits import contrast
from srd_jax.imaging.dataset import read_grana
from srd_jax.synthetic import stripes
from srd_jax.synthetic.config import GranaConfig, StripesConfig
from srd_jax.synthetic.crops import draw_grana
from srd_jax.tasks.period.config import ModelConfig

# Lags of the autocorrelation behind a spectrum, px: several of the longest periods.
LAGS = 96
# Rows and columns of a stripes image, which align with the encoder's grid.
STRIPES_FRAME = (220, 478)

Crop = tuple[np.ndarray, np.ndarray, float]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", help="annotated real crops")
    parser.add_argument("--n", type=int, default=64, help="generated crops, and stripes")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    real = [(one.image, one.mask, one.period_px) for one in read_grana(options.folder)]
    drawn = [one[:3] for one in draw_grana(options.seed, options.n, GranaConfig())]
    sets = {
        "real": traits(real),
        "generated": traits(drawn),
        "stripes": traits(striped(options.seed, options.n)),
    }
    pairs = (("real", "real"), ("real", "generated"), ("stripes", "generated"), ("real", "stripes"))
    print(
        f"{len(real)} real, {options.n} generated and {options.n} striped crops; median over pairs"
    )
    print(f"{'':28}" + "".join(f"{'-'.join(pair):>20}" for pair in pairs))
    for name, distance in DISTANCES.items():
        values = [
            np.median([distance(a, b) for a, b in couples(sets[first], sets[second])])
            for first, second in pairs
        ]
        print(f"{name:28}" + "".join(f"{value:20.3f}" for value in values))


def couples(first: Sequence, second: Sequence):
    """Yields the pairs of two sets; a set with itself has no pair of a crop with itself."""
    if first is second:
        return itertools.combinations(first, 2)
    return itertools.product(first, second)


def striped(seed: int, n: int) -> list[Crop]:
    """Draws images as in training stage 2, but with periods in px of the crop."""
    config = StripesConfig(period=(12.0, 34.0), noise_sd=(0.0, 100.0))
    batch = stripes.render(jax.random.key(seed), n, STRIPES_FRAME, config, ModelConfig().geometry)
    return [
        (np.asarray(image), np.asarray(mask), float(period))
        for image, mask, period in zip(batch.image, batch.mask, batch.target, strict=True)
    ]


def traits(crops: Sequence[Crop]) -> list[dict]:
    """Returns the compared properties of each crop."""
    return [
        {
            "grey": 255 * image[mask],
            "across": spectrum(image, mask, axis=0),
            "along": spectrum(image, mask, axis=1),
            "contrast": max(contrast(image, mask, period), 1e-4),
        }
        for image, mask, period in crops
    ]


def spectrum(image: np.ndarray, mask: np.ndarray, axis: int) -> np.ndarray:
    """Returns the logarithm of the relative power at 1..LAGS / 2 cycles in 2 LAGS px.

    It follows from the autocorrelation inside of the mask. Each lag is divided by its number of
    pairs and tapered, so that the mask's shape has no influence (Blackman and Tukey 1958).
    """
    values = np.moveaxis(np.where(mask, image - image[mask].mean(), 0.0), axis, -1)
    inside = np.moveaxis(mask.astype(float), axis, -1)
    correlation = []
    for lag in range(LAGS):
        rest = values.shape[-1] - lag
        count = np.sum(inside[:, :rest] * inside[:, lag:]) if rest > 0 else 0
        product = np.sum(values[:, :rest] * values[:, lag:]) if rest > 0 else 0
        correlation.append(product / count if count > 50 else 0.0)
    tapered = np.array(correlation) / correlation[0] * np.hanning(2 * LAGS)[LAGS:]
    power = np.fft.rfft(np.concatenate([tapered, [0], tapered[:0:-1]])).real
    return np.log10(np.maximum(power[1:], 1e-3))


# Of grey histograms (Wasserstein); of the logarithms of power spectra (root mean square over
# frequencies); of contrasts at the period (absolute logarithm of the ratio).
DISTANCES = {
    "grey histogram (levels)": lambda a, b: stats.wasserstein_distance(a["grey"], b["grey"]),
    "spectrum across (decades)": lambda a, b: np.sqrt(np.mean((a["across"] - b["across"]) ** 2)),
    "spectrum along (decades)": lambda a, b: np.sqrt(np.mean((a["along"] - b["along"]) ** 2)),
    "contrast (decades)": lambda a, b: abs(np.log10(a["contrast"] / b["contrast"])),
}


if __name__ == "__main__":
    main()
