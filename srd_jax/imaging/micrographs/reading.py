"""Reads a micrograph: its grey values, without information strips, and its scale.

PNG, JPEG and TIFF files are read as crops are (see `imaging.formats`), DM3, DM4 and MRC files by
`gatan` and `mrc`. A file's content tells its format; only old MRC files are known by their name.
"""

import os
import pathlib

from srd_jax.imaging import formats
from srd_jax.imaging.micrographs import gatan, mrc
from srd_jax.imaging.micrographs.grey import to_grey
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.micrographs.scales import ScaleOptions, decide
from srd_jax.imaging.micrographs.strip import find_strips, note
from srd_jax.imaging.picture import ACCEPTED_FORMATS, Picture
from srd_jax.imaging.pixel_size import agreed, from_side_file
from srd_jax.support.errors import InputError, naming

MAX_PIXELS = 500_000_000
MAX_BYTES = 4_000_000_000

_ACCEPTED = "accepted are PNG, JPEG, TIFF, DM3, DM4 and MRC files"


def read(
    path: str | os.PathLike[str],
    px_per_nm: float | None = None,
    options: ScaleOptions | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Micrograph:
    """Reads a micrograph.

    Args:
      path: of a PNG, JPEG, TIFF, DM3, DM4 or MRC file.
      px_per_nm: its scale; None takes that of the options, or the file's own.
      options: where its scale comes from; see `scales.decide`.
      max_pixels: pixels that are accepted.

    Raises:
      InputError: the file can't be read, or a scale bar is asked for that can't be found.
    """
    given, path = path, pathlib.Path(path)
    picture = read_picture(path, max_pixels)
    with naming(path):
        tag = agreed(picture.scale, from_side_file(path))
        grey, notes = to_grey(picture)
        notes = (*picture.notes, *notes)
        del picture
        strips = find_strips(grey)
        last = len(grey) - strips.below
        cut_off = [part for part in (grey[: strips.above], grey[last:]) if len(part)]
        inner = grey[strips.above : last]
        options = options or ScaleOptions(px_per_nm=px_per_nm)
        scale, source, more = decide(path, options, tag, inner, cut_off)
    notes = (*notes, *([note(strips)] if any(strips) else []), *more)
    # A copy of what is left of a large file would need more memory than its strips.
    return Micrograph(os.fspath(given), inner, scale, source, notes, (strips.above, strips.below))


def read_picture(path: pathlib.Path, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decodes a file of any format of micrographs.

    Raises:
      InputError: it can't be read.
    """
    with naming(path), formats.open_file(path, MAX_BYTES) as stream:
        try:
            if stream.read(4) in gatan.HEADS:
                return gatan.decode_dm(stream, max_pixels)
            if mrc.is_mrc(path, stream):
                return mrc.decode_mrc(path, stream, max_pixels)
        except InputError:
            raise
        except MemoryError as error:
            raise InputError(
                "needs more memory than there is; accepted are smaller micrographs"
            ) from error
        # Whatever damaged headers lead to in the libraries.
        except Exception as error:
            raise InputError(
                "cannot be decoded, damaged or truncated; accepted are whole files"
            ) from error
    try:
        return formats.read_picture(path, max_pixels, MAX_BYTES)
    except InputError as error:
        raise InputError(str(error).replace(ACCEPTED_FORMATS, _ACCEPTED)) from error
