"""Reads micrographs with their scales: pictures, and files of Gatan's and cryo-EM's formats."""

import dataclasses
import pathlib
from collections.abc import Mapping

import numpy as np

from srd_jax.imaging.formats import open_file, read_picture
from srd_jax.imaging.micrographs import strip
from srd_jax.imaging.micrographs.gatan import decode_dm
from srd_jax.imaging.micrographs.grey import to_grey
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.micrographs.mrc import decode_mrc, is_mrc
from srd_jax.imaging.micrographs.scale_bar import measure_bar
from srd_jax.imaging.picture import Picture
from srd_jax.imaging.pixel_size import Scale, agreed, from_side_file
from srd_jax.support.errors import InputError, naming

# 24,000 x 24,000 px; a file of so many of 32 bits.
MAX_PIXELS, MAX_BYTES = 576_000_000, 2_500_000_000
_GATAN = (".dm3", ".dm4")
# Scales that differ by less, as a share, agree.
_ROUNDING = 0.01


@dataclasses.dataclass(frozen=True)
class ScaleOptions:
    """Where the scale of micrographs comes from; the first that is there counts.

    Attributes:
      table: px per nm by file, as the files are given.
      px_per_nm: of all files.
      bar_nm: length of the bar that is burnt into each, nm.
    """

    table: Mapping[pathlib.Path, float] = dataclasses.field(default_factory=dict)
    px_per_nm: float | None = None
    bar_nm: float | None = None


def read(
    path: pathlib.Path, px_per_nm: float | None = None, options: ScaleOptions | None = None
) -> Micrograph:
    """Reads a micrograph; information strips are cut off, and a note says so.

    Args:
      path: of the file.
      px_per_nm: its scale; None takes that of the options, or the file's own.
      options: where its scale comes from.

    Raises:
      InputError: the file can't be read, is too large, or its bar can't be found.
    """
    options = options or ScaleOptions(px_per_nm=px_per_nm)
    picture = _picture(path)
    with naming(path):
        grey, notes = to_grey(picture)
        strips = strip.find_strips(grey)
        rows = slice(strips.above, len(grey) - strips.below)
        if any(strips):
            notes = (*notes, strip.note(strips))
        own = agreed(picture.scale, from_side_file(path))
        parts = [grey[: strips.above], grey[rows.stop :]]
        scale, source = _scale(
            path, grey[rows], [part for part in parts if len(part)], own, options
        )
    if scale is not None and own.px_per_nm is not None and not _agree(own.px_per_nm, scale):
        notes = (*notes, f"{scale:.4g} px/nm, but {own.px_per_nm:.4g} px/nm by {own.source}")
    return Micrograph(
        str(path),
        # A copy, so that the strips' memory is freed.
        grey[rows].copy() if any(strips) else grey,
        scale,
        source,
        (*picture.notes, *notes),
    )


def _agree(one: float, other: float) -> bool:
    return abs(one / other - 1) <= _ROUNDING


def _picture(path: pathlib.Path) -> Picture:
    """Returns the decoded samples of a file."""
    if path.suffix.lower() in _GATAN:
        with naming(path), open_file(path, MAX_BYTES) as stream:
            return decode_dm(stream, MAX_PIXELS)
    with naming(path), open_file(path, MAX_BYTES) as stream:
        if is_mrc(path, stream):
            stream.seek(0)
            return decode_mrc(path, stream, MAX_PIXELS)
    return read_picture(path, MAX_PIXELS, MAX_BYTES)


def _scale(
    path: pathlib.Path,
    picture: np.ndarray,
    strips: list[np.ndarray],
    own: Scale,
    options: ScaleOptions,
) -> tuple[float | None, str]:
    """Returns the scale of a micrograph, px per nm, and who states it.

    Raises:
      InputError: its bar can't be found.
    """
    if (by_table := options.table.get(path)) is not None:
        return by_table, "table of scales"
    if options.px_per_nm is not None:
        return options.px_per_nm, "given"
    if options.bar_nm is None:
        return own.px_per_nm, own.source
    bar = measure_bar(picture, strips)
    if bar is None:
        raise InputError(
            f"shows no scale bar; --bar-nm {options.bar_nm:g} is accepted where one is burnt in"
        )
    return bar.length / options.bar_nm, f"bar of {options.bar_nm:g} nm, {bar.length:.1f} px"
