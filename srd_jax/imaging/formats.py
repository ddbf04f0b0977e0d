"""Reads PNG, JPEG and TIFF files at their full depth.

The first bytes of a file tell its format; its name doesn't matter. The size is checked before
anything is decoded. Orientation tags are followed, as in image viewers.
"""

import contextlib
import logging
import pathlib
import struct
import warnings
from collections.abc import Callable, Iterator
from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from srd_jax.imaging.picture import (
    ACCEPTED_COLOURS,
    ACCEPTED_FORMATS,
    ONE_PICTURE,
    ORIENTATION_TAG,
    Picture,
    check_size,
    split_alpha,
    upright,
)
from srd_jax.imaging.tiff import decode_tiff
from srd_jax.support.errors import InputError, naming, one_line

# Endings, in small letters, of the files that a folder is searched for.
SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".tif", ".tiff")

_OTHER_FORMATS = {
    b"GIF8": "a GIF",
    b"BM": "a BMP",
    b"RIFF": "a WebP or other RIFF",
    b"%PDF": "a PDF",
}

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def read_picture(path: pathlib.Path) -> Picture:
    """Reads a PNG, JPEG or TIFF file.

    Raises:
      InputError: the file can't be read, isn't of these formats, is damaged, truncated or too
        large, has several pages or frames, or colours other than grey, RGB and palette.
    """
    with naming(path):
        if path.is_dir():
            raise InputError(f"is a folder; {ACCEPTED_FORMATS}")
        try:
            stream = path.open("rb")
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror}); {ACCEPTED_FORMATS}") from error
        with stream, _silence():
            try:
                decode = _decoder(stream.read(8))
                stream.seek(0)
                return decode(stream)
            except InputError:
                raise
            # Decoders raise exceptions of almost every type for damaged files.
            except Exception as error:
                raise InputError(
                    f"cannot be decoded, damaged or truncated ({one_line(error)}); "
                    f"{ACCEPTED_FORMATS} that are whole"
                ) from error


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Silences the warnings of Pillow and tifffile about odd metadata."""
    logger = logging.getLogger("tifffile")
    disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = disabled


def _decoder(head: bytes) -> Callable[[BinaryIO], Picture]:
    """Returns the decoder of a file that begins with these bytes."""
    if head.startswith(_PNG_SIGNATURE):
        return _decode_png
    if head.startswith(b"\xff\xd8\xff"):
        return _decode_jpeg
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return decode_tiff
    if not head:
        raise InputError(f"is empty; {ACCEPTED_FORMATS}")
    for start, name in _OTHER_FORMATS.items():
        if head.startswith(start):
            raise InputError(f"is {name} file; {ACCEPTED_FORMATS}")
    raise InputError(f"isn't an image; {ACCEPTED_FORMATS}")


def _decode_png(stream: BinaryIO) -> Picture:
    chunks = list(_png_chunks(stream.read()))
    if not chunks or chunks[0][0] != b"IHDR":
        raise InputError(f"is a truncated PNG; {ACCEPTED_FORMATS} that are whole")
    columns, rows = struct.unpack(">II", chunks[0][1][8:16])
    check_size(rows, columns)
    if any(name == b"acTL" for name, _ in chunks):
        raise InputError(f"is an animated PNG; {ONE_PICTURE}")
    # libpng prints its warnings about ancillary chunks, such as a wrong CRC, by itself.
    needed = b"".join(chunk for name, chunk in chunks if name.isupper() or name == b"tRNS")
    # Pillow would cut 16-bit RGB to 8 bits.
    samples, opaque = split_alpha(imagecodecs.png_decode(_PNG_SIGNATURE + needed))
    return Picture(samples, opaque, full_scale=255.0 if samples.dtype == np.uint8 else None)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields name and bytes of each chunk: length, name, content, CRC (PNG specification, 5.3)."""
    start = len(_PNG_SIGNATURE)
    while start + 12 <= len(data):
        (length,) = struct.unpack(">I", data[start : start + 4])
        end = start + 12 + length
        yield data[start + 4 : start + 8], data[start:end]
        start = end


def _decode_jpeg(stream: BinaryIO) -> Picture:
    # Not by Image.open, which has a lower limit of the size.
    image = JpegImageFile(stream)
    check_size(image.height, image.width)
    if image.mode not in ("L", "RGB"):
        raise InputError(f"is a JPEG of {image.mode} colours; {ACCEPTED_COLOURS}")
    array = upright(np.asarray(image), image.getexif().get(ORIENTATION_TAG, 1))
    samples, opaque = split_alpha(array)
    return Picture(samples, opaque, full_scale=255.0, lossy=True)
