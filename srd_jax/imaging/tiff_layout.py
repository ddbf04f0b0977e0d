"""Checks how a TIFF file is laid out before tifffile reads it.

A file is a chain of directories, one a page, each a list of tags and the offset of the next
directory (TIFF 6.0, section 2). A picture lies in strips or tiles of stated offsets and lengths.
tifffile follows a circle of directories without an end, fills missing strips with 0, and lets some
decoders make more than a strip holds.
"""

import bisect
import io
import itertools
import math
import struct
from collections.abc import Iterator
from typing import BinaryIO

import tifffile
from PIL import Image
from tifffile import COMPRESSION

from srd_jax.imaging.picture import ONE_PICTURE, check_scans, check_size
from srd_jax.support.errors import InputError

# Limits of what tifffile reads of a file besides its pictures.
_MAX_PAGES = 1000
_MAX_TAGS = 4096
_MAX_TAG_BYTES = 32_000_000

# Bytes a value of each type of tags (TIFF 6.0, section 2, and BigTIFF).
_TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_TYPE_SIZES |= {16: 8, 17: 8, 18: 8}

_PRIVATE_TAGS = 32768
_OPAQUE_TYPES = {1, 7}

# An offset below lies in the file's header.
_HEADER = 8

# The tags StripByteCounts, TileByteCounts and JPEGInterchangeFormatLength.
_LENGTH_TAGS = {279, 325, 514}

# Compressions whose decoders see that data are cut off.
_EXACT = {
    COMPRESSION.NONE,
    COMPRESSION.LZW,
    COMPRESSION.ADOBE_DEFLATE,
    COMPRESSION.DEFLATE,
    COMPRESSION.PACKBITS,
    COMPRESSION.LZMA,
    COMPRESSION.ZSTD,
    COMPRESSION.ZSTD_DEPRECATED,
}

# Compressions whose decoder fills the strip and no more.
_SIZED = _EXACT | {COMPRESSION.CCITTRLE, COMPRESSION.CCITTFAX3, COMPRESSION.CCITTFAX4}

# Lossy compressions, of strips that state their size themselves, in Pillow's names.
LOSSY = {
    COMPRESSION.OJPEG: "JPEG",
    COMPRESSION.JPEG: "JPEG",
    COMPRESSION.APERIO_JP2000_YCBC: "JPEG2000",
    COMPRESSION.APERIO_JP2000_RGB: "JPEG2000",
    COMPRESSION.JPEG_2000_LOSSY: "JPEG2000",
    COMPRESSION.JPEG2000: "JPEG2000",
    COMPRESSION.WEBP: "WEBP",
}


def directories(stream: BinaryIO) -> tuple[list[int], list[int], tuple[str, ...]]:
    """Goes through the directories of a file.

    Returns:
      The offset of each, one a page; the offsets of all that is stored outside of pictures; and
      notes.

    Raises:
      InputError: there is none, they run in a circle, one isn't whole, or their number or the size
        of their tags is too large.
    """
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    head = stream.read(4)
    order = "<" if head.startswith(b"II") else ">"
    big = 43 in head
    counted, entry, pointer = ("Q", "HHQQ", "Q") if big else ("H", "HHII", "I")

    def read(form: str) -> tuple[int, ...]:
        data = stream.read(struct.calcsize(order + form))
        if len(data) < struct.calcsize(order + form):
            raise InputError("cannot be decoded, its tags are truncated; accepted are whole files")
        return struct.unpack(order + form, data)

    if big:
        read("HH")
    (offset,) = read(pointer)
    offsets, marks, weight, notes = [], [], 0, ()
    while offset:
        if offset in offsets:
            raise InputError("is a TIFF whose pages run in a circle; accepted are whole files")
        if offset >= size and offsets:
            notes = ("its next page lies beyond the end of the file",)
            break
        if len(offsets) == _MAX_PAGES:
            raise InputError(f"is a TIFF of over {_MAX_PAGES} pages; {ONE_PICTURE}")
        offsets.append(offset)
        stream.seek(offset)
        (count,) = read(counted)
        if count > _MAX_TAGS:
            raise InputError(f"is a TIFF of {count} tags; accepted are at most {_MAX_TAGS}")
        for _ in range(count):
            code, kind, values, place = read(entry)
            length = values * _TYPE_SIZES.get(kind, 0)
            if length > struct.calcsize(pointer):
                marks.append(place)
            # tifffile drops a tag that doesn't fit into the file, and looks at private data only
            # where it is asked.
            if length <= size and not (kind in _OPAQUE_TYPES and code >= _PRIVATE_TAGS):
                weight += length
        if weight > _MAX_TAG_BYTES:
            raise InputError(
                f"is a TIFF of {weight / 1e6:.0f} MB of tags; "
                f"accepted are at most {_MAX_TAG_BYTES / 1e6:g} MB"
            )
        (offset,) = read(pointer)
    if not offsets:
        raise InputError("is a TIFF without a page; accepted are whole files")
    return offsets, [*marks, *offsets], notes


def check_strips(page: tifffile.TiffPage, marks: list[int]) -> None:
    """Checks that every strip or tile is in the file, and corrects its stated length.

    A length that is missing, 0 or too large becomes that of the samples or, of compressed ones, of
    all bytes up to whatever is stored next.

    Args:
      page: its data offsets and byte counts are replaced.
      marks: offsets of what else is stored in the file.

    Raises:
      InputError: data are missing, or belong to another size, or the compression isn't accepted.
    """
    if page.compression not in _SIZED and page.compression not in LOSSY:
        raise InputError(
            f"is a TIFF compressed by {_name(page.compression)}; accepted are none, CCITT, "
            "deflate, JPEG, JPEG 2000, LZMA, LZW, PackBits, WebP and Zstandard"
        )
    if page.is_tiled:
        check_size(page.tilelength * page.tiledepth, page.tilewidth)
    # 0 isn't in the standard; libtiff takes it for the default, a single strip.
    page.rowsperstrip = page.rowsperstrip or page.imagelength
    expected = math.prod(page.chunked)
    starts = page.dataoffsets[:expected]
    if len(starts) < expected:
        raise InputError(
            f"is a truncated TIFF ({len(starts)} of {expected} strips); accepted are whole files"
        )
    stated = page.databytecounts if any(tag in page.tags for tag in _LENGTH_TAGS) else ()
    needed = list(_sizes(page))
    _check_depth(page, sum(stated), sum(needed))
    end = page.parent.filehandle.size
    ends = sorted({*(mark for mark in [*marks, *starts] if mark < end), end})
    lengths = [
        _length(page.compression, start, length, size, ends)
        for start, length, size in zip(
            starts, itertools.chain(stated, itertools.repeat(0)), needed, strict=False
        )
    ]
    if sum(lengths) > end + sum(needed):
        raise InputError("is a TIFF whose strips overlap; accepted are strips that lie apart")
    page.dataoffsets, page.databytecounts = tuple(starts), tuple(lengths)
    if page.compression in LOSSY:
        _check_own_sizes(page)


def _length(compression: int, start: int, stated: int, size: int, ends: list[int]) -> int:
    """Returns the bytes that a strip has in the file.

    Args:
      compression: of the strip.
      start: its offset.
      stated: its length as the tag states it, 0 where there is none.
      size: bytes of its samples.
      ends: sorted offsets at which something else begins, at last the file's end.
    """
    raw, exact, end = compression == COMPRESSION.NONE, compression in _EXACT, ends[-1]
    least = size if raw else 1
    after = bisect.bisect(ends, start)
    room = ends[after] - start if after < len(ends) else 0
    whole = least <= stated <= end - start
    if start < _HEADER or not (whole or (exact and least <= room)):
        raise InputError(
            f"is a truncated TIFF (data of {stated or size} bytes at {start}, file of {end} bytes);"
            " accepted are whole files"
        )
    if raw:
        return size
    return min(stated or room, room) if exact else stated


def _sizes(page: tifffile.TiffPage) -> Iterator[int]:
    """Yields the bytes of the samples of each strip or tile."""
    bits = page.bitspersample
    bits = sum(bits) if isinstance(bits, tuple) else bits
    planes = 1
    if page.planarconfig == 1 and not isinstance(page.bitspersample, tuple):
        bits *= page.samplesperpixel
    elif page.planarconfig != 1:
        planes = page.samplesperpixel
    if page.is_tiled:
        tile = page.tiledepth * page.tilelength * math.ceil(page.tilewidth * bits / 8)
        yield from itertools.repeat(tile, math.prod(page.chunked))
        return
    row = math.ceil(page.imagewidth * bits / 8)
    for _ in range(planes):
        for first in range(0, page.imagelength, page.rowsperstrip):
            yield row * min(page.rowsperstrip, page.imagelength - first)


def _check_depth(page: tifffile.TiffPage, stated: int, needed: int) -> None:
    """Refuses samples of less than whole bytes that lie in whole bytes nevertheless."""
    bits = page.bitspersample
    if page.compression != COMPRESSION.NONE or not isinstance(bits, int) or bits % 8 == 0:
        return
    samples = page.imagelength * page.imagewidth * page.samplesperpixel
    if stated != needed and stated in (samples, 2 * samples, 4 * samples):
        raise InputError(
            f"is a TIFF of {bits} bits a sample whose data have {8 * stated // samples}; "
            "accepted are data of the stated depth"
        )


def _check_own_sizes(page: tifffile.TiffPage) -> None:
    """Checks what strips that are files of their own say about their size."""
    columns, rows = page.imagewidth, page.rowsperstrip
    if page.is_tiled:
        columns, rows = page.tilewidth, page.tilelength
    name, file = LOSSY[COMPRESSION(page.compression)], page.parent.filehandle
    for start, length in zip(page.dataoffsets, page.databytecounts, strict=True):
        file.seek(start)
        data = file.read(length)
        if name == "JPEG":
            check_scans(io.BytesIO(data))
            # The marker "end of image" of ITU-T T.81.
            if b"\xff\xd9" not in data:
                raise InputError("is a truncated TIFF (a JPEG strip); accepted are whole files")
        with Image.open(io.BytesIO(data), formats=[name]) as strip:
            width, height = strip.size
        if width > columns or height > rows:
            raise InputError(
                f"is a TIFF of {rows} x {columns} px a strip that holds {height} x {width} px; "
                "accepted are strips of the stated size"
            )


def _name(compression: int) -> str:
    try:
        return COMPRESSION(compression).name
    except ValueError:
        return f"the method {compression}" if isinstance(compression, int) else "an unknown method"
