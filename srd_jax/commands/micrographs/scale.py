"""Options that tell the scale of micrographs."""

import argparse
import pathlib
from collections.abc import Sequence

from srd_jax.imaging.micrographs.scales import ScaleOptions, read_scales


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
