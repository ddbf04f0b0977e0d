"""`srd surfaces render`: the projection of a cubic membrane of given parameters."""

import argparse
import math

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from srd_jax.commands import arguments
from srd_jax.commands.sheet import Shown, write_sheet
from srd_jax.imaging.picture import to_bytes
from srd_jax.support import process
from srd_jax.support.compiling import jit
from srd_jax.support.errors import InputError
from srd_jax.support.files import whole_file
from srd_jax.synthetic.surfaces import fractions, projection, rotations


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    arguments.check_target(options.out, [], ".png")
    directions = options.hkl or [(0.0, 0.0, 1.0)]
    given = options.membrane or [(0.0, options.wall)]
    membranes = tuple((distance, width) for distance, width in given)
    for _, width in membranes:
        _check_width(width)
    level = _level(options)
    pictures = [_scaled(one) for one in _projected(options, directions, membranes, level)]
    if len(pictures) == 1:
        with whole_file(options.out) as temporary:
            Image.fromarray(to_bytes(pictures[0])).save(temporary, "PNG")
    else:
        whole = np.ones(pictures[0].shape, bool)
        captions = [f"{options.type} {_shown(hkl)}" for hkl in directions]
        write_sheet(
            options.out,
            [Shown(one, whole, words) for one, words in zip(pictures, captions, strict=True)],
        )
    fraction = float(fractions.fraction_of_level(options.type, jnp.float32(level)))
    seen = ", ".join(map(_shown, directions))
    print(
        f"{options.type}, a = {options.a:g} nm, along {seen}, volume fraction {fraction:.3f} "
        f"(c = {level:.3f}), in {options.out}"
    )
    return process.ALL_READ


def _check_width(width: float) -> None:
    """Checks the width of a membrane.

    Raises:
      InputError: it isn't above 0.
    """
    if width <= 0:
        raise InputError(f"--membrane: found a width of {width:g}; accepted is a number above 0")


def _level(options: argparse.Namespace) -> float:
    """Returns the level, given or by its volume fraction.

    Raises:
      InputError: no surface has that level.
    """
    if options.level is None:
        found = fractions.level_of_fraction(options.type, jnp.float32(options.phi or 0.5))
        return float(found)
    low, high = fractions.level_limits(options.type)
    if not low < options.level < high:
        raise InputError(
            f"--level {options.level:g}: of type {options.type}, accepted is a number between "
            f"{low:.3g} and {high:.3g}"
        )
    return options.level


def _projected(
    options: argparse.Namespace,
    directions: list[tuple[float, ...]],
    membranes: tuple[tuple[float, float], ...],
    level: float,
) -> list[np.ndarray]:
    """Returns the grey values of each direction of view, dark where much membrane lies."""
    in_plane, shape = math.radians(options.in_plane), tuple(options.size)
    # Thin edges in thick sections need more.
    narrow = min(options.edge, *(width for _, width in membranes))
    samples = max(projection.SAMPLES, min(1024, math.ceil(1.5 * options.thickness / narrow)))

    @jit
    def one(hkl: jax.Array) -> jax.Array:
        drawn = projection.surface(
            options.a,
            rotations.from_hkl(hkl, in_plane),
            level,
            tuple(options.shift),
            membranes,
            options.thickness,
            options.edge,
        )
        projected = projection.project(
            options.type, drawn, jnp.float32(options.nm_per_px), shape, samples, steps=2
        )
        return projection.grey(projected, options.mode, options.absorption)

    return [np.asarray(one(jnp.array(hkl, jnp.float32))) for hkl in directions]


def _scaled(grey: np.ndarray) -> np.ndarray:
    """Returns grey values from 0 for the least to 1 for the greatest, as SPIRE shows them."""
    low, high = grey.min(), grey.max()
    return (grey - low) / max(high - low, 1e-6)


def _shown(hkl: tuple[float, ...]) -> str:
    """Returns a direction as text, such as [1 -1 0]."""
    return f"[{' '.join(f'{one:g}' for one in hkl)}]"
