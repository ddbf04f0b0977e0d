"""`srd surfaces generate`: drawn pictures of cubic membranes with a table of their parameters."""

import argparse
import math
import pathlib

import numpy as np

from srd_jax.commands import arguments
from srd_jax.commands.parsers.surfaces import types
from srd_jax.support import process
from srd_jax.support.errors import InputError
from srd_jax.synthetic.surfaces.config import SurfacesConfig
from srd_jax.synthetic.surfaces.names import PARAMETERS

# Pictures of an ordered set.
_MOST = 1_000_000


def run(options: argparse.Namespace) -> int:
    """Runs the command and returns the exit status."""
    if (options.n is None) == (not options.vary):
        raise InputError("--n, --vary: found both or none; accepted is one of them")
    given, directions = _given(options), options.hkl or [None]
    grid = _grid(options, given)
    # Late, as JAX takes its time to load.
    from srd_jax.synthetic.surfaces import drawn_folder

    if options.vary:
        number = len(options.type) * len(directions) * math.prod(map(len, grid.values()))
        if number > _MOST:
            raise InputError(f"--vary: gives {number} pictures; accepted are at most {_MOST}")
        wanted = drawn_folder.ordered(options.type, directions, grid)
    else:
        wanted = drawn_folder.in_turn(options.type, directions, options.n)
    rng = np.random.default_rng(options.seed)
    for one in wanted:
        one.given.update({name: float(rng.uniform(v[0], v[-1])) for name, v in given.items()})
    drawn_folder.write(
        options.out, wanted, options.seed, tuple(options.size), options.clean, SurfacesConfig()
    )
    table = pathlib.Path(options.out) / drawn_folder.TABLE
    print(f"{len(wanted)} picture{'' if len(wanted) == 1 else 's'}, parameters in {table}")
    return process.ALL_READ


def _given(options: argparse.Namespace) -> dict[str, list[float]]:
    """Returns the values and ranges that were given.

    Raises:
      InputError: a range has more than two values, or falls.
    """
    found = {}
    for name in PARAMETERS:
        values = getattr(options, name.replace("-", "_"))
        if values is None:
            continue
        if len(values) > 2 or values[0] > values[-1]:
            raise InputError(
                f"--{name} {' '.join(f'{one:g}' for one in values)}: accepted is a value, or the "
                "least and the greatest one"
            )
        found[name] = values
    return found


def _grid(options: argparse.Namespace, given: dict[str, list[float]]) -> dict[str, list[float]]:
    """Returns the values of each parameter that is varied.

    Raises:
      InputError: a parameter is unknown, given twice, or its values aren't accepted.
    """
    grid: dict[str, list[float]] = {}
    for name, *numbers in options.vary:
        if name not in PARAMETERS:
            raise InputError(f"--vary {name}: accepted is one of {', '.join(PARAMETERS)}")
        if name in grid or name in given:
            raise InputError(f"--vary {name}: is given twice; accepted is once")
        try:
            low, high = map(types.parameter(name), numbers[:2])
            steps = arguments.count(numbers[2])
        except argparse.ArgumentTypeError as error:
            raise InputError(f"--vary {name}: {error}") from None
        grid[name] = np.linspace(low, high, steps).tolist()
    return grid
