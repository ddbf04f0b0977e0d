"""Fits cubic membranes to what is none: noise, stripes, grana, flat lattices of dots.

python benchmarks/surfaces_negatives.py [--each 12] [--seed 0] [--weights none] [--crops FOLDER …]
    [--out DIR]

Each picture is 128 x 128 px and should be of low confidence. Prints a row a kind of picture: how
many are ok, the largest NCC, and the commonest reason. --crops adds the images of folders, such as
crops of grana, each fitted as a whole. The exit status is 1 if any fit is ok.

Needs: nothing; --crops: folders of images.
Takes: about 4 seconds a picture, 5 minutes for 6 x 12.
Writes: a table to the terminal; --out DIR: surfaces_negatives.md and surfaces_negatives.json.
"""

import argparse
import collections
import pathlib
import sys
from collections.abc import Callable, Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import numpy as np
import tables
from scipy import ndimage

from srd_jax.analysis.surfaces import network, region
from srd_jax.analysis.surfaces.fit import fit
from srd_jax.imaging.folders import find_images
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.micrographs.reading import read
from srd_jax.support.errors import InputError
from srd_jax.support.terminal import track
from srd_jax.synthetic.config import GranaConfig
from srd_jax.synthetic.crops import draw_grana

SIDE = 128


def noise(rng: np.random.Generator) -> np.ndarray:
    """Returns grain of some size."""
    return _scaled(ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), rng.uniform(0.7, 4)))


def clouds(rng: np.random.Generator) -> np.ndarray:
    """Returns grain of all sizes, as stroma has."""
    rows, columns = np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None, :]
    amplitude = 1 / np.maximum(np.hypot(rows, columns), 1 / SIDE) ** rng.uniform(0.7, 1.5)
    return _scaled(np.real(np.fft.ifft2(amplitude * np.fft.fft2(rng.normal(size=(SIDE, SIDE))))))


def stripes(rng: np.random.Generator) -> np.ndarray:
    """Returns wavy, noisy lamellae."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    angle, period = rng.uniform(0, np.pi), rng.uniform(8, 24)
    wave = rng.uniform(0, 4) * np.sin(columns / rng.uniform(10, 30))
    phase = (rows * np.cos(angle) + columns * np.sin(angle) + wave) / period
    return _scaled(np.sin(2 * np.pi * phase) + rng.uniform(0.2, 1) * rng.normal(size=(SIDE, SIDE)))


def square(rng: np.random.Generator) -> np.ndarray:
    """Returns dots on a square lattice."""
    return _dots(rng, np.eye(2))


def hexagonal(rng: np.random.Generator) -> np.ndarray:
    """Returns dots on a hexagonal lattice, as microtubules and virus particles form."""
    return _dots(rng, np.array([[1.0, 0.0], [0.5, np.sqrt(3) / 2]]))


def oblique(rng: np.random.Generator) -> np.ndarray:
    """Returns dots on a lattice of two different edges, at any angle."""
    angle = rng.uniform(0.9, 1.4)
    length = rng.uniform(1.1, 1.5)
    return _dots(rng, np.array([[1.0, 0.0], [length * np.cos(angle), length * np.sin(angle)]]))


def _dots(rng: np.random.Generator, edges: np.ndarray) -> np.ndarray:
    spacing, turn = rng.uniform(14, 26), rng.uniform(0, np.pi)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    numbers = np.stack(np.meshgrid(np.arange(-30, 31), np.arange(-30, 31)), -1).reshape(-1, 2)
    places = numbers @ edges @ turned * spacing + SIDE / 2 + rng.uniform(-10, 10, 2)
    places = np.rint(places + rng.normal(0, 0.4, places.shape)).astype(int)
    inside = places[((places >= 0) & (places < SIDE)).all(axis=1)]
    picture = np.zeros((SIDE, SIDE))
    picture[inside[:, 0], inside[:, 1]] = -1
    picture = ndimage.gaussian_filter(picture, spacing * rng.uniform(0.12, 0.22))
    return _scaled(picture / picture.std() + rng.uniform(0.2, 0.8) * rng.normal(size=picture.shape))


def _scaled(picture: np.ndarray) -> np.ndarray:
    away = (picture - picture.mean()) / picture.std()
    return np.clip(120 + 30 * away, 0, 255).astype(np.uint8)


def grana(count: int, seed: int) -> Iterator[np.ndarray]:
    """Yields the middles of drawn grana."""
    for grey, mask, _, _ in draw_grana(seed, count, GranaConfig()):
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        part = grey[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        top, left = (max(n - SIDE, 0) // 2 for n in part.shape)
        yield (255 * part[top : top + SIDE, left : left + SIDE]).astype(np.uint8)


DRAWN: tuple[Callable[[np.random.Generator], np.ndarray], ...] = (
    noise,
    clouds,
    stripes,
    square,
    hexagonal,
    oblique,
)


def pictures(options: argparse.Namespace) -> Iterator[tuple[str, np.ndarray]]:
    """Yields kinds of pictures, and pictures."""
    rng = np.random.default_rng(options.seed)
    for make in DRAWN:
        for _ in range(options.each):
            yield make.__name__, make(rng)
    for one in grana(options.each, options.seed):
        yield "grana", one
    for folder in options.crops:
        for path in find_images([folder]).images:
            yield pathlib.Path(folder).name, np.asarray(read(path).grey)


def main() -> int:
    """Fits all pictures, prints the table, and returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--each", type=int, default=12, help="pictures of a kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", help="of the network; none: the search alone")
    parser.add_argument("--crops", nargs="*", default=[], help="folders of images")
    tables.add_out(parser)
    options = parser.parse_args()
    setting = tables.started(options)
    asked = None if options.weights == "none" else network.load(options.weights)
    statuses, nccs, reasons = (collections.defaultdict(list) for _ in range(3))
    every = list(pictures(options))
    for kind, grey in track(every, "fitting", len(every)):
        try:
            found = fit(region.whole(Micrograph(kind, grey)), network=asked).answer
        except InputError:
            statuses[kind].append("error")
            continue
        statuses[kind].append(found.status)
        nccs[kind].append(found.best.ncc if found.best else 0.0)
        reasons[kind] += found.reasons[:1]
        if found.status == "ok" and found.best:
            print(f"{kind}: ok, {found.best.kind}, NCC {found.best.ncc:.3f}")
    rows = []
    for kind, found in statuses.items():
        first = collections.Counter(" ".join(one.split()[:3]) for one in reasons[kind])
        words = first.most_common(1)[0][0] if first else ""
        rows.append((kind, len(found), found.count("ok"), max(nccs[kind], default=None), words))
    columns = ("kind", "pictures", "ok", "largest NCC", "commonest first reason")
    table = tables.Table("what is no membrane", columns, rows)
    tables.publish("surfaces_negatives", setting, [table], options.out)
    return int(any("ok" in found for found in statuses.values()))


if __name__ == "__main__":
    sys.exit(main())
