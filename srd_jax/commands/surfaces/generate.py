"""`srd surfaces generate`: drawn pictures of cubic membranes with a table of their parameters."""

import argparse
import math
import pathlib

import numpy as np

from srd_jax.commands import arguments
from srd_jax.commands.surfaces import options as types
from srd_jax.support import process
from srd_jax.support.errors import InputError
from srd_jax.synthetic.surfaces import drawn_folder
from srd_jax.synthetic.surfaces.config import SurfacesConfig
from srd_jax.synthetic.surfaces.levels import KINDS

# Pictures of an ordered set.
_MOST = 1_000_000


def add(commands) -> None:
    """Adds the command."""
    text = "draw pictures of cubic membranes, and a table of their parameters"
    one = arguments.add_command(commands, "generate", text, _generate)
    one.add_argument("--n", type=arguments.count, metavar="N", help="pictures at random")
    one.add_argument(
        "--vary", nargs=4, action="append", default=[], metavar=("NAME", "MIN", "MAX", "STEPS"),
        help="instead of --n: an ordered set; NAME is one of "
        f"{', '.join(drawn_folder.NAMES)}; several make a grid",
    )  # fmt: skip
    one.add_argument(
        "--seed", type=arguments.seed, default=0, metavar="S", help="default: %(default)s"
    )
    one.add_argument(
        "--type", type=types.kind, nargs="+", default=KINDS, metavar="T",
        help=f"of {', '.join(KINDS)}; default: all in turn",
    )  # fmt: skip
    types.add_hkl(one, "direction of view, default: any; several are taken in turn")
    for name in drawn_folder.NAMES:
        one.add_argument(
            f"--{name}", nargs="+", type=_type_of(name), metavar="X", help="a value, or a range"
        )
    one.add_argument(
        "--size", nargs=2, type=types.size, default=(128, 128), metavar=("ROWS", "COLUMNS"),
        help="px, default: 128 128",
    )  # fmt: skip
    one.add_argument(
        "--clean", action="store_true", help="projections alone, as SPIRE writes them, no noise"
    )
    one.add_argument(
        "--out", type=arguments.path, required=True, metavar="DIR", help="a new or an empty folder"
    )


def _type_of(name: str):
    if name == "phi":
        return types.fraction
    return types.number if name == "in-plane" else arguments.positive


def _generate(options: argparse.Namespace) -> int:
    if (options.n is None) == (not options.vary):
        raise InputError("--n, --vary: found both or none; accepted is one of them")
    given, directions = _given(options), options.hkl or [None]
    if options.vary:
        grid = _grid(options, given)
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
    for name in drawn_folder.NAMES:
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
        if name not in drawn_folder.NAMES:
            raise InputError(f"--vary {name}: accepted is one of {', '.join(drawn_folder.NAMES)}")
        if name in grid or name in given:
            raise InputError(f"--vary {name}: is given twice; accepted is once")
        try:
            low, high = map(_type_of(name), numbers[:2])
            steps = arguments.count(numbers[2])
        except argparse.ArgumentTypeError as error:
            raise InputError(f"--vary {name}: {error}") from None
        grid[name] = np.linspace(low, high, steps).tolist()
    return grid
