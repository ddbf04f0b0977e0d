"""Reads drawn pictures of cubic membranes with their parameters."""

import dataclasses
import itertools
import math
import os
import pathlib

import jax.numpy as jnp
import numpy as np

from srd_jax.support import csv_files
from srd_jax.support.errors import InputError
from srd_jax.synthetic.surfaces import rotations
from srd_jax.synthetic.surfaces.drawn_folder import TABLE
from srd_jax.synthetic.surfaces.names import KINDS

_NUMBERS = ("a_nm", "phi", "axis_x", "axis_y", "axis_z", "in_plane_deg", "nm_per_px")


@dataclasses.dataclass(frozen=True)
class Known:
    """A picture whose membrane is known.

    Attributes:
      path: of the picture.
      kind: of the surface.
      cell_nm: edge a of the cell.
      fraction: of the volume with f above c.
      rotation: (3, 3), the rows are the section's axes.
      nm_per_px: scale.
    """

    path: pathlib.Path
    kind: str
    cell_nm: float
    fraction: float
    rotation: np.ndarray
    nm_per_px: float


def read(folder: str | os.PathLike[str]) -> list[Known]:
    """Returns the pictures of a folder with `surfaces.csv`.

    Raises:
      InputError: the table is missing, or a cell isn't what its column says.
    """
    root = pathlib.Path(folder)
    path = root / TABLE
    if not path.is_file():
        raise InputError(f"{root}: holds no {TABLE}; accepted is a folder of srd surfaces generate")
    needed = ("file", "type", *_NUMBERS)
    try:
        table = csv_files.read_table(path, [needed])
    except InputError as error:
        raise InputError(f"{error}; accepted is the table of srd surfaces generate") from error
    found = [
        _known(root, path, number, dict(itertools.zip_longest(table.header, cells, fillvalue="")))
        for number, cells in table.rows
    ]
    if not found:
        raise InputError(f"{path}: holds no picture; accepted is a row for each")
    return found


def _known(root: pathlib.Path, table: pathlib.Path, line: int, row: dict[str, str]) -> Known:
    """Returns the picture of a row.

    Raises:
      InputError: a cell isn't what its column says.
    """
    numbers = {}
    for name in _NUMBERS:
        value = csv_files.number(row[name])
        if value is None or (name in ("a_nm", "nm_per_px") and value <= 0):
            raise InputError(
                f"{table}, line {line}: {name} is {row[name]!r}; accepted is a number"
                f"{' above 0' if name in ('a_nm', 'nm_per_px') else ''}"
            )
        numbers[name] = value
    if row["type"] not in KINDS:
        raise InputError(
            f"{table}, line {line}: type is {row['type']!r}; accepted are {', '.join(KINDS)}"
        )
    if not 0 < numbers["phi"] < 1:
        raise InputError(
            f"{table}, line {line}: phi is {row['phi']!r}; accepted is a number between 0 and 1"
        )
    axis = np.array([numbers[f"axis_{one}"] for one in "xyz"], np.float32)
    if not np.any(axis):
        raise InputError(f"{table}, line {line}: the axis is 0 0 0; accepted is a direction")
    rotation = rotations.from_hkl(jnp.asarray(axis), math.radians(numbers["in_plane_deg"]))
    return Known(
        root / row["file"],
        row["type"],
        numbers["a_nm"],
        numbers["phi"],
        np.asarray(rotation),
        numbers["nm_per_px"],
    )
