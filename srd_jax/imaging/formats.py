"""Reads PNG, JPEG and TIFF files at their full depth.

The first bytes of a file tell its format; its name doesn't matter. Orientation tags are followed,
as in image viewers.

Whatever a file holds, reading it costs bounded time and memory, without a clock: the bytes of a
file, its pixels, pages, tags, chunks and scans are limited before anything is decoded, and a
decoder's work is bounded by these. A thread that decodes can't be stopped, and a process for each
file would cost more than most files do.
"""

import contextlib
import logging
import math
import pathlib
import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import imagecodecs
import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from srd_jax.imaging.picture import (
    ACCEPTED_COLOURS,
    ACCEPTED_FORMATS,
    MAX_PIXELS,
    ONE_PICTURE,
    ORIENTATION_TAG,
    Picture,
    check_scans,
    check_size,
    split_alpha,
    upright,
)
from srd_jax.imaging.tiff import decode_tiff
from srd_jax.support.errors import InputError, naming

# Endings, in small letters, of the files that a folder is searched for; and of micrographs in
# formats of microscopes, see `micrographs.reading`.
SUFFIXES = (".png", ".jpg", ".jpeg", ".jfif", ".tif", ".tiff")
MICROSCOPE_SUFFIXES = (".dm3", ".dm4", ".mrc")

_OTHER_FORMATS = {
    b"GIF8": "a GIF",
    b"BM": "a BMP",
    b"RIFF": "a WebP or other RIFF",
    b"%PDF": "a PDF",
}

_SPECIAL_FILES = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
    (lambda mode: True, "a device"),
)

MAX_BYTES = 1_000_000_000

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNKS = 1_000_000

# Bits a pixel of each colour type and depth (PNG specification, 11.2.1).
_PNG_BITS = {
    (kind, depth): channels * depth
    for kind, channels, depths in (
        (0, 1, (1, 2, 4, 8, 16)),
        (2, 3, (8, 16)),
        (3, 1, (1, 2, 4, 8)),
        (4, 2, (8, 16)),
        (6, 4, (8, 16)),
    )
    for depth in depths
}
_PNG_PALETTE = 3
# Bytes that are inflated at once, to at most 1,032 times as many.
_PIECE = 1 << 16
_PNG_NEEDED = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}

# First column and row, and steps, of each pass of an interlaced PNG (PNG specification, 8.1).
_WHOLE = ((0, 0, 1, 1),)
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


def read_picture(
    path: pathlib.Path, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES
) -> Picture:
    """Reads a PNG, JPEG or TIFF file of limited size.

    Raises:
      InputError: the file can't be read, isn't of these formats, is damaged, truncated or too
        large, has several pages or frames, or colours other than grey, RGB and palette.
    """
    with naming(path):
        stream = open_file(path, max_bytes)
        with stream, _silence():
            try:
                decode = _decoder(stream.read(8))
                stream.seek(0)
                return decode(stream, max_pixels)
            except InputError:
                raise
            except MemoryError as error:
                raise InputError(
                    "needs more memory than there is; accepted are smaller images"
                ) from error
            # Decoders raise exceptions of almost every type for damaged files.
            except Exception as error:
                raise InputError(
                    f"cannot be decoded, damaged or truncated; {ACCEPTED_FORMATS} that are whole"
                ) from error


def open_file(path: pathlib.Path, max_bytes: int = MAX_BYTES) -> BinaryIO:
    """Opens a regular file of limited size; to open a FIFO would wait for its writer."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            kind = next(name for found, name in _SPECIAL_FILES if found(status.st_mode))
            raise InputError(f"is {kind}; {ACCEPTED_FORMATS}")
        if status.st_size > max_bytes:
            raise InputError(
                f"has {status.st_size / 1e9:.1f} GB; accepted are at most {max_bytes / 1e9:g} GB"
            )
        return path.open("rb")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}); {ACCEPTED_FORMATS}") from error


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


def _decoder(head: bytes) -> Callable[[BinaryIO, int], Picture]:
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


def _decode_png(stream: BinaryIO, max_pixels: int) -> Picture:
    stream.seek(len(_PNG_SIGNATURE))
    chunks = list(_png_chunks(stream))
    if not chunks or chunks[0][0] != b"IHDR" or chunks[-1][0] != b"IEND":
        raise InputError(f"is a truncated PNG; {ACCEPTED_FORMATS} that are whole")
    header = chunks[0][1]
    columns, rows, depth, kind, *_ = struct.unpack(">IIBBBBB", header)
    check_size(rows, columns, max_pixels)
    if any(name == b"acTL" for name, _ in chunks):
        raise InputError(f"is an animated PNG; {ONE_PICTURE}")
    colours = _png_colours(chunks, kind, depth)
    data = b"".join(content for name, content in chunks if name == b"IDAT")
    del chunks  # the data may have a GB, and few copies of them fit into memory
    data = _png_data(header, data)
    needed = [(b"IHDR", header), *colours, (b"IDAT", data), (b"IEND", b"")]
    file = b"".join((_PNG_SIGNATURE, *(part for one in needed for part in _png_chunk(*one))))
    del data, needed
    # Pillow would cut 16-bit RGB to 8 bits.
    decoded = imagecodecs.png_decode(file)
    samples, opaque = split_alpha(decoded)
    return Picture(samples, opaque, full_scale=255.0 if samples.dtype == np.uint8 else None)


def _png_chunks(stream: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    """Yields name and content of each chunk; ancillary chunks but tRNS are left empty.

    A chunk is its length, name, content and CRC (PNG specification, 5.3).

    Raises:
      InputError: there are more than a million chunks, or one isn't whole.
    """
    for _ in range(_MAX_CHUNKS):
        head = stream.read(8)
        if len(head) < 8:
            return
        length, name = struct.unpack(">I4s", head)
        if name not in _PNG_NEEDED:
            if name[:1].isupper():
                raise _damaged(name)
            stream.seek(length + 4, 1)
            yield name, b""
            continue
        content, checksum = stream.read(length), stream.read(4)
        if len(checksum) < 4 or zlib.crc32(content, zlib.crc32(name)) != int.from_bytes(checksum):
            raise _damaged(name)
        yield name, content
        if name == b"IEND":
            return
    raise InputError(f"is a PNG of over {_MAX_CHUNKS} chunks; accepted are fewer")


def _png_chunk(name: bytes, content: bytes) -> tuple[bytes, ...]:
    checksum = zlib.crc32(content, zlib.crc32(name))
    return struct.pack(">I", len(content)), name, content, struct.pack(">I", checksum)


def _damaged(chunk: bytes) -> InputError:
    name = ascii(chunk.decode("latin-1"))
    return InputError(
        f"is a damaged or truncated PNG (its chunk {name}); {ACCEPTED_FORMATS} that are whole"
    )


def _png_colours(
    chunks: list[tuple[bytes, bytes]], kind: int, depth: int
) -> list[tuple[bytes, bytes]]:
    """Returns the chunks that a colour type needs: its palette and its transparent colours."""
    palette = [content for name, content in chunks if name == b"PLTE"]
    transparent = [content for name, content in chunks if name == b"tRNS"]
    entries = 0
    needed = []
    if kind == _PNG_PALETTE:
        entries, rest = divmod(len(b"".join(palette)), 3)
        if len(palette) != 1 or rest or not 0 < entries <= 2**depth:
            raise _damaged(b"PLTE")
        needed += [(b"PLTE", palette[0])]
    if transparent:
        accepted = {0: (2,), 2: (6,), _PNG_PALETTE: range(1, entries + 1)}.get(kind, ())
        if len(transparent) != 1 or len(transparent[0]) not in accepted:
            raise _damaged(b"tRNS")
        needed += [(b"tRNS", transparent[0])]
    return needed


def _png_data(header: bytes, data: bytes) -> bytes:
    """Returns the zlib stream of a PNG once all that libpng would print a warning about is checked.

    Args:
      header: content of the chunk IHDR.
      data: of all chunks IDAT; bytes that follow the stream are cut off.

    Raises:
      InputError: the header isn't of a PNG, or the stream doesn't hold its picture exactly.
    """
    columns, rows, depth, kind, compression, filtering, interlace = struct.unpack(
        ">IIBBBBB", header
    )
    bits = _PNG_BITS.get((kind, depth))
    if bits is None or compression or filtering or interlace > 1 or max(columns, rows) > 1_000_000:
        raise _damaged(b"IHDR")
    left = 0
    for x, y, dx, dy in _ADAM7 if interlace else _WHOLE:
        width, height = max(0, math.ceil((columns - x) / dx)), max(0, math.ceil((rows - y) / dy))
        # A byte that names the filter comes before each row.
        left += height * (1 + math.ceil(width * bits / 8)) if width else 0
    inflate = zlib.decompressobj()
    with contextlib.suppress(zlib.error):
        for end in range(_PIECE, len(data) + _PIECE, _PIECE):
            left -= len(inflate.decompress(data[end - _PIECE : end]))
            if inflate.eof and left == 0:
                return data[: min(end, len(data)) - len(inflate.unused_data)]
            if inflate.eof or left < 0:
                break
    raise _damaged(b"IDAT")


def _decode_jpeg(stream: BinaryIO, max_pixels: int) -> Picture:
    check_scans(stream)
    stream.seek(0)
    # Not by Image.open, which has a lower limit of the size.
    image = JpegImageFile(stream)
    check_size(image.height, image.width, max_pixels)
    if image.mode not in ("L", "RGB"):
        raise InputError(f"is a JPEG of {image.mode} colours; {ACCEPTED_COLOURS}")
    array = upright(np.asarray(image), image.getexif().get(ORIENTATION_TAG, 1))
    samples, opaque = split_alpha(array)
    return Picture(samples, opaque, full_scale=255.0, lossy=True)
