"""Compares fits of cubic membranes with template matching that may take as long.

srd surfaces generate --n 60 --size 160 160 --seed 2026 --out drawn
python benchmarks/template_matching.py drawn [--seconds 3.5] [--first 60] [--seed 0] [--out DIR]

Template matching draws kinds, axes, angles, cells, volume fractions and sections at random from the
ranges of `srd surfaces generate`, whose scale it is told, renders each, correlates it with the
picture at all shifts after the same band-pass as the fits, and keeps the best one: what somebody
does by hand with a program that simulates projections. Prints median errors of those whose type is
right, as `srd surfaces evaluate` does.

Needs: a folder of `srd surfaces generate`.
Takes: about --seconds a picture, 4 minutes for 60.
Writes: a table to the terminal; --out DIR: template_matching.md and template_matching.json.
"""

import argparse
import functools
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import jax
import jax.numpy as jnp
import numpy as np
import tables

from srd_jax.analysis.surfaces import region
from srd_jax.analysis.surfaces.framing import SIZE, Frame, frame
from srd_jax.analysis.surfaces.matching import Band, band, filtered
from srd_jax.analysis.surfaces.model import MEANS, SAMPLES, Parameters, picture
from srd_jax.evaluation.surfaces import scores, truth
from srd_jax.imaging.micrographs.reading import read
from srd_jax.imaging.micrographs.scales import ScaleOptions
from srd_jax.support.compiling import jit
from srd_jax.support.terminal import track
from srd_jax.synthetic.surfaces import rotations
from srd_jax.synthetic.surfaces.config import SurfacesConfig
from srd_jax.synthetic.surfaces.names import KINDS

BATCH, MARGIN = 8, 24  # templates at once; px by which a template is larger on each side
RANGES = SurfacesConfig()


def drawn(key: jax.Array, scale: jax.Array) -> Parameters:
    """Draws the slabs of a batch; `scale` is px of the frame a nm."""
    keys = jax.random.split(key, 5)
    uniform = functools.partial(jax.random.uniform, shape=(BATCH,))
    cell = uniform(keys[0], minval=RANGES.cell[0], maxval=RANGES.cell[1])
    fraction = uniform(keys[1], minval=RANGES.fraction[0], maxval=RANGES.fraction[1])
    thickness = uniform(keys[2], minval=RANGES.thickness[0], maxval=RANGES.thickness[1])
    numbers = jnp.tile(jnp.asarray(MEANS), (BATCH, 1))
    numbers = numbers.at[:, 0].set(jnp.log(cell * scale))
    numbers = numbers.at[:, 1].set(jnp.log(fraction / (1 - fraction)))
    numbers = numbers.at[:, 8].set(jnp.log(thickness / cell))
    quaternion = jax.random.normal(keys[3], (BATCH, 4))
    turn = jax.vmap(_rotation)(quaternion)
    return Parameters(numbers, turn, jax.random.uniform(keys[4], (BATCH, 3)))


def _rotation(quaternion: jax.Array) -> jax.Array:
    """Returns the rotation of a quaternion of any length, uniform for normal ones."""
    unit = quaternion / jnp.linalg.norm(quaternion)
    half = jnp.arccos(jnp.clip(unit[0], -1.0, 1.0))
    axis = unit[1:] / jnp.maximum(jnp.linalg.norm(unit[1:]), 1e-9)
    return rotations.from_vector(2 * half * axis)


@functools.cache
def matcher(kind: str):
    """Compiles the correlation of a batch of templates of one kind: slabs and their NCCs."""
    side = SIZE + 2 * MARGIN

    def best(key: jax.Array, scale: jax.Array, data: jax.Array, by: Band, wide: Band):
        slabs = drawn(key, scale)

        def of_template(slab: Parameters) -> jax.Array:
            template = filtered(picture(kind, slab, (side, side), SAMPLES), wide)
            waves = jnp.fft.rfft2(template)
            mask = jnp.pad(by.mask, ((0, 2 * MARGIN), (0, 2 * MARGIN)))
            shown = jnp.pad(data, ((0, 2 * MARGIN), (0, 2 * MARGIN)))
            over = jnp.conj(jnp.fft.rfft2(shown)) * waves
            energy = jnp.conj(jnp.fft.rfft2(mask)) * jnp.fft.rfft2(template**2)
            sums, squares = (jnp.fft.irfft2(one, (side, side)) for one in (over, energy))
            values = sums / jnp.sqrt(jnp.maximum(squares, 1e-12))
            return jnp.max(values[: 2 * MARGIN, : 2 * MARGIN])

        return slabs, jax.lax.map(of_template, slabs)

    return jit(best)


def inputs(framed: Frame, nm_per_px: float) -> tuple[jax.Array, jax.Array, Band, Band]:
    """Returns px of the frame a nm, the frame's data, its filter and that of templates."""
    side = SIZE + 2 * MARGIN
    wide = band(np.ones((side, side), bool), framed.low, framed.high)
    return jnp.float32(framed.scale / nm_per_px), jnp.asarray(framed.data), framed.band, wide


def matched(framed: Frame, nm_per_px: float, seconds: float, key: jax.Array):
    """Returns kind, slab and number of the templates of the best match in some time."""
    given, end, number, found = inputs(framed, nm_per_px), time.monotonic() + seconds, 0, None
    while time.monotonic() < end:
        kind = KINDS[number % len(KINDS)]
        slabs, nccs = matcher(kind)(jax.random.fold_in(key, number), *given)
        top = int(jnp.argmax(nccs))
        if found is None or float(nccs[top]) > found[0]:
            found = float(nccs[top]), kind, jax.tree.map(lambda x, top=top: x[top], slabs)
        number += 1
    assert found is not None
    return found[1], found[2], number * BATCH


def main() -> int:
    """Matches all pictures, and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", help="made by srd surfaces generate")
    parser.add_argument("--seconds", type=float, default=3.5, help="for a picture")
    parser.add_argument("--first", type=int, help="so many pictures")
    parser.add_argument("--seed", type=int, default=0)
    tables.add_out(parser)
    options = parser.parse_args()
    setting = tables.started(options)
    known = truth.read(options.folder)[: options.first]
    key, compared, templates = jax.random.key(options.seed), [], 0
    for number, one in enumerate(track(known, "matching", len(known))):
        shown = read(one.path, options=ScaleOptions(px_per_nm=1 / one.nm_per_px))
        framed = frame(region.whole(shown))
        if not number:  # compiles
            for kind in KINDS:
                jax.block_until_ready(matcher(kind)(key, *inputs(framed, one.nm_per_px)))
        kind, slab, count = matched(
            framed, one.nm_per_px, options.seconds, jax.random.fold_in(key, number)
        )
        templates += count
        errors = scores.errors(
            one, kind, float(slab.cell) / framed.scale, np.asarray(slab.rotation),
            float(slab.fraction),
        )  # fmt: skip
        compared.append(scores.Compared(one, "", None, errors, errors))
    header, _, row, *_ = scores.summary(compared)
    title = f"template matching, {templates / len(known):.0f} templates a picture"
    table = tables.Table(title, ["", *header[1:]], [("template matching", *row[1:])])
    tables.publish("template_matching", setting, [table], options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
