"""Writes pictures of cubic membranes with their parameters, ordered or at random."""

import dataclasses
import functools
import itertools
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from srd_jax.support.compiling import jit
from srd_jax.support.files import whole_folder, write_table
from srd_jax.support.terminal import track
from srd_jax.synthetic.marks import BLOCK
from srd_jax.synthetic.surfaces import fractions, rotations
from srd_jax.synthetic.surfaces.config import SurfacesConfig
from srd_jax.synthetic.surfaces.develop import develop
from srd_jax.synthetic.surfaces.names import PARAMETERS
from srd_jax.synthetic.surfaces.projection import SAMPLES, Surface, project
from srd_jax.synthetic.surfaces.scene import draw_displacement, draw_surface

TABLE = "surfaces.csv"
_HEADER = (
    "file", "type", "a_nm", "phi", "level", "axis_x", "axis_y", "axis_z", "in_plane_deg",
    "shift_x", "shift_y", "shift_z", "wall_nm", "thickness_nm", "edge_nm", "filling", "nm_per_px",
)  # fmt: skip

_Direction = tuple[float, ...] | None


@dataclasses.dataclass(frozen=True)
class Wanted:
    """A picture to draw.

    Attributes:
      kind: of the surface.
      hkl: direction of view; None draws it.
      given: values of some of `names.PARAMETERS`.
    """

    kind: str
    hkl: _Direction
    given: dict[str, float] = dataclasses.field(default_factory=dict)


def ordered(
    kinds: Sequence[str], directions: Sequence[_Direction], grid: Mapping[str, Sequence[float]]
) -> list[Wanted]:
    """Returns all combinations of kinds, directions and values; the last value changes fastest."""
    return [
        Wanted(kind, hkl, dict(zip(grid, values, strict=True)))
        for kind, hkl in itertools.product(kinds, directions)
        for values in itertools.product(*grid.values())
    ]


def in_turn(kinds: Sequence[str], directions: Sequence[_Direction], count: int) -> list[Wanted]:
    """Returns pictures in which the kinds, then the directions take turns."""
    return [
        Wanted(kinds[i % len(kinds)], directions[i // len(kinds) % len(directions)])
        for i in range(count)
    ]


def write(
    out: str | os.PathLike[str],
    wanted: Sequence[Wanted],
    seed: int,
    shape: tuple[int, int],
    clean: bool,
    config: SurfacesConfig,
) -> None:
    """Draws pictures, each a PNG, with a table of their parameters.

    Args:
      out: a new or an empty folder.
      wanted: the pictures.
      seed: of the random numbers.
      shape: rows and columns, px.
      clean: whether to write the projections alone, from the least to the greatest grey value.
      config: ranges of all that isn't given.

    Raises:
      InputError: `out` is neither new nor empty, or a file can't be written.
    """
    digits = len(str(len(wanted) - 1))
    with whole_folder(out) as folder:
        rows = []
        drawn = _pictures(wanted, seed, shape, clean, config)
        for i, (grey, row) in enumerate(track(drawn, "drawing", len(wanted))):
            name = f"surface_{i:0{digits}}.png"
            Image.fromarray(grey).save(folder / name)
            rows.append((name, wanted[i].kind, *row))
        write_table(folder / TABLE, _HEADER, rows)


def _pictures(
    wanted: Sequence[Wanted],
    seed: int,
    shape: tuple[int, int],
    clean: bool,
    config: SurfacesConfig,
) -> Iterator[tuple[np.ndarray, list[float]]]:
    """Yields the grey values, uint8, and the parameters of each picture."""
    project_one = functools.cache(lambda kind: _projector(kind, shape, clean, config))
    developed = _developer(config)
    for i, one in enumerate(wanted):
        keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), i))
        given = jnp.array([one.given.get(name, math.nan) for name in PARAMETERS], jnp.float32)
        hkl = jnp.array(one.hkl or (math.nan,) * 3, jnp.float32)
        projected, px_nm, row = project_one(one.kind)(keys[0], given, hkl)
        if clean:
            grey = -np.asarray(projected)
            grey = (grey - grey.min()) * (255 / max(np.ptp(grey), 1e-6))
        else:
            grey = np.asarray(developed(keys[1], projected, px_nm))
        grey = grey[: shape[0], : shape[1]]
        yield np.round(grey).astype(np.uint8), np.asarray(row, float).tolist()


def _projector(
    kind: str, shape: tuple[int, int], clean: bool, config: SurfacesConfig
) -> Callable[..., Any]:
    """Returns a compiled function from key and given values to a projection and its parameters."""
    padded = shape if clean else _padded(shape)
    beyond = jnp.array([padded[1] - shape[1], padded[0] - shape[0], 0], jnp.float32)

    @jit
    def draw(
        key: jax.Array, given: jax.Array, hkl: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        keys = jax.random.split(key)
        drawn, fraction, px_nm = draw_surface(keys[0], kind, config)
        one, fraction, px_nm = _with_given(kind, drawn, fraction, px_nm, given, hkl)
        middle = one.rotation.T @ (beyond / 2 * px_nm) / one.cell
        whole = dataclasses.replace(one, shift=one.shift + middle)
        moved = None if clean else draw_displacement(keys[1], one.cell, px_nm, padded, config)
        projected = project(kind, whole, px_nm, padded, SAMPLES, displacement=moved)
        row = [one.cell, fraction, one.level, *one.rotation[2]]
        row += [jnp.degrees(rotations.in_plane(one.rotation)), *one.shift, one.membranes[0, 1]]
        row += [one.thickness, one.edge, one.filling, px_nm]
        return projected, px_nm, jnp.stack(row)

    return draw


def _developer(config: SurfacesConfig) -> Callable[..., jax.Array]:
    """Returns a compiled function from key, projection and nm a pixel to a micrograph."""
    look = dataclasses.replace(config.look, masked=0.0)

    @jit
    def developed(key: jax.Array, projected: jax.Array, px_nm: jax.Array) -> jax.Array:
        # The lattice upside down stands in for a neighbouring domain.
        return develop(key, projected, projected[::-1], px_nm, look)[0]

    return developed


def _padded(shape: tuple[int, int]) -> tuple[int, int]:
    """Returns rows and columns in whole blocks of JPEG files; more lie below and at the right."""
    return -(-shape[0] // BLOCK) * BLOCK, -(-shape[1] // BLOCK) * BLOCK


def _with_given(
    kind: str,
    drawn: Surface,
    fraction: jax.Array,
    px_nm: jax.Array,
    given: jax.Array,
    hkl: jax.Array,
) -> tuple[Surface, jax.Array, jax.Array]:
    """Returns a slab, its fraction and its scale with the given values; NaN leaves a drawn one."""
    plain = rotations.in_plane(drawn.rotation)
    chosen = [drawn.cell, fraction, drawn.membranes[0, 1], drawn.thickness, px_nm]
    values = jnp.stack([*chosen, jnp.degrees(plain)])
    cell, fraction, wall, thickness, px_nm, in_plane = jnp.where(jnp.isnan(given), values, given)
    axis = jnp.where(jnp.isnan(hkl), drawn.rotation[2], hkl)
    changed = dataclasses.replace(
        drawn,
        cell=cell,
        level=fractions.level_of_fraction(kind, fraction),
        rotation=rotations.from_hkl(axis, jnp.radians(in_plane)),
        membranes=drawn.membranes.at[0, 1].set(wall),
        thickness=thickness,
    )
    return changed, fraction, px_nm
