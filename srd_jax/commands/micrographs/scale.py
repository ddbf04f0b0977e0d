"""Options that tell the scale of micrographs."""

import argparse
import pathlib
from collections.abc import Sequence

from srd_jax.commands import arguments
from srd_jax.imaging.micrographs.scales import ScaleOptions, read_scales


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options."""
    one = parser.add_mutually_exclusive_group()
    one.add_argument(
        "--px-per-nm", type=arguments.positive, metavar="X", help="scale of all micrographs"
    )
    one.add_argument(
        "--nm-per-px", type=arguments.positive, metavar="X", help="the same, as the pixel's size"
    )
    one.add_argument(
        "--bar-nm",
        type=arguments.positive,
        metavar="N",
        help="length of the scale bar that is burnt into each micrograph; it is found and measured",
    )
    parser.add_argument(
        "--scales",
        type=arguments.path,
        metavar="CSV",
        help="scales by file: columns file and px_per_nm or nm_per_px; they count first",
    )


def options_of(options: argparse.Namespace, paths: Sequence[pathlib.Path]) -> ScaleOptions:
    """Returns where the scales of micrographs come from.

    Raises:
      InputError: the table of scales can't be read, or doesn't fit the micrographs.
    """
    scale = options.px_per_nm
    if options.nm_per_px is not None:
        scale = 1 / options.nm_per_px
    if options.scales is None:
        return ScaleOptions({}, scale, options.bar_nm)
    table = pathlib.Path(options.scales)
    return ScaleOptions(read_scales(table, paths), scale, options.bar_nm, table.name)
