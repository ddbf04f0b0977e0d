"""Measures the renderer of cubic membranes: pictures a second, and what a gradient costs.

python benchmarks/rendering.py [--side 128] [--calls 7] [--out DIR]

For each kind, in turns: a projection without noise, its gradient by all numbers of the slab (of a
sum over the picture), and its derivatives by 15 numbers at once as a fit takes them. In the last
row, TEM-like pictures as the network is trained on, batches of 20.

Needs: the package alone.
Takes: about 1 min on 2 cores.
Writes: a table to the terminal; --out DIR: rendering.md and rendering.json.
"""

import argparse
import pathlib
import statistics
import sys
import time
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import jax
import jax.numpy as jnp
import numpy as np
import tables

from srd_jax.analysis.surfaces.model import NAMES, Parameters, picture, start, stepped
from srd_jax.analysis.surfaces.shifts import Hypothesis
from srd_jax.support.compiling import jit
from srd_jax.synthetic.surfaces.batch import draw_pictures
from srd_jax.synthetic.surfaces.config import SurfacesConfig
from srd_jax.synthetic.surfaces.names import KINDS

COUNT = 20  # drawn pictures at once


def works(kind: str, side: int) -> tuple[Callable, Callable, Callable]:
    """Returns a picture, its gradient and its derivatives, compiled functions of a slab."""

    def shown(step: jax.Array, slab: Parameters) -> jax.Array:
        return picture(kind, stepped(slab, step), (side, side))

    def derivatives(slab: Parameters):
        value, tangent = jax.linearize(lambda step: shown(step, slab), jnp.zeros(len(NAMES)))
        return value, jax.vmap(tangent)(jnp.eye(len(NAMES)))

    zero = jnp.zeros(len(NAMES))
    return (
        jit(lambda slab: shown(zero, slab)),
        jit(lambda slab: jax.grad(lambda step: jnp.sum(shown(step, slab) ** 2))(zero)),
        jit(derivatives),
    )


def seconds(work: Callable, given) -> float:
    """Returns the time of one call."""
    begun = time.perf_counter()
    jax.block_until_ready(work(given))
    return time.perf_counter() - begun


def main() -> None:
    """Measures all kinds, and prints the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--side", type=int, default=128, help="rows and columns")
    parser.add_argument("--calls", type=int, default=7)
    tables.add_out(parser)
    options = parser.parse_args()
    setting = tables.started(options)
    rows = []
    for kind in KINDS:
        slab = start(Hypothesis(kind, np.eye(3), 0.35 * options.side, 0.3, np.zeros(3)))
        compiled = works(kind, options.side)
        for work in compiled:
            seconds(work, slab)
        taken = [[seconds(work, slab) for work in compiled] for _ in range(options.calls)]
        times = np.array(taken)
        ratios = np.median(times / times[:, :1], axis=0)
        rows.append([kind, 1 / statistics.median(times[:, 0]), ratios[1], ratios[2]])
    shape = (options.side, options.side)
    draw = jit(lambda key: draw_pictures(key, SurfacesConfig(), COUNT, shape).image)
    seconds(draw, jax.random.key(0))
    taken = [seconds(draw, jax.random.key(i)) for i in range(options.calls)]
    rows.append(["TEM-like, all kinds", COUNT / statistics.median(taken), None, None])
    columns = ("", "pictures a second", "gradient, ratio", f"{len(NAMES)} derivatives, ratio")
    title = f"pictures of {options.side} x {options.side} px"
    tables.publish("rendering", setting, [tables.Table(title, columns, rows)], options.out)


if __name__ == "__main__":
    main()
