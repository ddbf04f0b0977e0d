"""Reads MRC files.

MRC2014 (https://www.ccpem.ac.uk/mrc-format/mrc2014) doesn't say whether the first row is the lowest
or the highest one, but that most programs take it for the lowest. IMOD (mrc_format.txt, 3dmod) and
Bio-Formats (MRCReader), by which Fiji opens such files, do, so rows are turned over here. FEI's EPU
takes it for the highest: its pictures are mirrored here, as they are in those programs.
"""

import io
import pathlib
import warnings
from typing import Any, BinaryIO

import mrcfile
import mrcfile.utils
import numpy as np

from srd_jax.imaging import pixel_size
from srd_jax.imaging.picture import Picture, check_size
from srd_jax.support.errors import InputError

# Integers of 8 and 16 bits, floats of 32, unsigned integers of 16, floats of 16.
_MODES = (0, 1, 2, 6, 12)
_HEADER = 1024

# What IMOD writes into its files, and its flag for signed bytes (IMOD, mrc_format.txt).
_IMOD, _IMOD_SIGNED = 1146047817, 1

_ACCEPTED = "accepted are whole MRC files of a picture"


def is_mrc(path: pathlib.Path, stream: BinaryIO) -> bool:
    """Tells whether a file is MRC, by its mark or, as old ones have none, by its name."""
    stream.seek(208)
    return stream.read(3) == b"MAP" or path.suffix.lower() == ".mrc"


def decode_mrc(path: pathlib.Path, stream: BinaryIO, max_pixels: int) -> Picture:
    """Reads the first section of an MRC file.

    Args:
      path: of the file.
      stream: the same, opened.
      max_pixels: pixels that are accepted.

    Raises:
      InputError: the file is truncated, or holds no such picture.
    """
    size = stream.seek(0, io.SEEK_END)
    if size < _HEADER:
        raise InputError(f"is a truncated MRC file of {size} bytes; {_ACCEPTED}")
    header = _header(path)
    rows, columns, sections = int(header.ny), int(header.nx), int(header.nz)
    if int(header.mode) not in _MODES:
        raise InputError(
            f"is an MRC file of mode {header.mode}; accepted are the modes "
            f"{', '.join(map(str, _MODES))}"
        )
    if min(rows, columns) < 1 or int(header.nsymbt) < 0:
        raise InputError(f"is a damaged MRC file of {rows} x {columns} px; {_ACCEPTED}")
    check_size(rows, columns, max_pixels)
    dtype = _type(header)
    offset, needed = _HEADER + int(header.nsymbt), rows * columns * dtype.itemsize
    if size < offset + needed:
        raise InputError(
            f"is a truncated MRC file ({size} of {offset + needed} bytes); {_ACCEPTED}"
        )
    stream.seek(offset)
    values = np.fromfile(stream, dtype, rows * columns).reshape(rows, columns)[::-1]
    if not dtype.isnative or (dtype.itemsize < 4 and dtype.kind == "f"):
        values = values.astype(np.float32 if dtype.kind == "f" else dtype.newbyteorder("="))
    notes = (f"the first of {sections} sections is measured",) if sections > 1 else ()
    return Picture(
        values[..., np.newaxis], None, full_scale=None, scale=_scale(header), notes=notes
    )


def _header(path: pathlib.Path) -> Any:
    """Returns the header of a file, in its own byte order."""
    with warnings.catch_warnings():
        # About a mark or a version that old files lack.
        warnings.simplefilter("ignore")
        with mrcfile.open(path, permissive=True, header_only=True) as file:
            if file.header is None:
                raise InputError(f"is no MRC file; {_ACCEPTED}")
            return file.header.copy()


def _type(header: Any) -> np.dtype:
    """Returns the type of the values; EMAN and old programs write unsigned ones as signed."""
    dtype = mrcfile.utils.data_dtype_from_header(header)
    if dtype.kind != "i":
        return dtype
    extra = np.frombuffer(header.extra2.tobytes(), header.mode.dtype)
    by_imod = dtype.itemsize == 1 and extra[10] == _IMOD
    unsigned = not extra[11] & _IMOD_SIGNED if by_imod else header.dmax > np.iinfo(dtype).max
    return np.dtype(f"{dtype.byteorder}u{dtype.itemsize}") if unsigned else dtype


def _scale(header: Any) -> pixel_size.Scale:
    """Returns the scale by the size of the cell, in Å, over its number of intervals."""
    intervals = int(header.mx), int(header.my)
    sides = float(header.cella.x), float(header.cella.y)
    if min(intervals) < 1 or not np.isfinite(sides).all():
        return pixel_size.UNKNOWN
    across, down = (side / count for side, count in zip(sides, intervals, strict=True))
    if across == down == 1:
        note = "its voxel of exactly 1 Å is what programs write that know none; no scale is taken"
        return pixel_size.Scale(note=note)
    return pixel_size.of_sides("mrc", across / 10, down / 10)
