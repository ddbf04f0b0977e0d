"""Decodes DM3 and DM4 files of Gatan's DigitalMicrograph.

Gatan doesn't publish the formats. They are described, from files, by C. Boothroyd
(https://phyweb.physics.nus.edu.sg/~phybcb/info/dmformat) and G. Jefferis
(https://imagej.net/ij/plugins/DM3Format.gj.html): a header, then a tree of named tags. The tree is
big-endian, the values have the byte order that the header states. Sizes and counts have 4 bytes in
DM3 and 8 in DM4, where each tag states its length, too.
"""

import io
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal, NamedTuple

import numpy as np

from srd_jax.imaging import pixel_size
from srd_jax.imaging.picture import Picture, check_size
from srd_jax.support.errors import InputError

HEADS = (b"\0\0\0\3", b"\0\0\0\4")

_MAX_TAGS, _MAX_DEPTH, _MAX_INFO = 200_000, 64, 4096
# Arrays of more values, such as pictures, are left in the file.
_MAX_VALUES = 256

_END, _GROUP, _DATA = 0, 20, 21
_STRUCT, _STRING, _ARRAY = 15, 18, 20
_VALUES = {2: "i2", 3: "i4", 4: "u2", 5: "u4", 6: "f4", 7: "f8", 8: "u1", 9: "i1", 10: "i1"}
_VALUES |= {11: "i8", 12: "u8"}

# Of a picture's values, by its DataType.
_GREYS = {1: "i2", 2: "f4", 6: "u1", 7: "i4", 9: "i1", 10: "u2", 11: "u4", 12: "f8", 14: "u1"}
# Blue, green, red and a byte without meaning; thumbnails have it.
_COLOURS = 23

_ACCEPTED = "accepted are whole DM3 and DM4 files of a picture"
_Tags = dict[str, Any]


class _Values(NamedTuple):
    """An array that is left in the file: its offset and its bytes."""

    offset: int
    size: int


def decode_dm(stream: BinaryIO, max_pixels: int) -> Picture:
    """Decodes the largest grey picture of a DM3 or DM4 file, of a stack the first plane.

    Args:
      stream: of a file on the disk.
      max_pixels: pixels that are accepted.

    Raises:
      InputError: the file is damaged or truncated, or holds no such picture.
    """
    reader = _Reader(stream)
    tags = reader.read()
    images = [_children(image.get("ImageData")) for image in _groups(tags.get("ImageList"))]
    images = [image for image in images if len(_shape(image)) > 1]
    greys = [image for image in images if image.get("DataType") in _GREYS]
    colours = [image for image in images if image.get("DataType") == _COLOURS]
    if not greys and not colours:
        kinds = ", ".join(str(image.get("DataType")) for image in images)
        what = f"pictures of the data types {kinds} only" if kinds else "no picture"
        raise InputError(f"is a DM file that holds {what}; accepted are grey and RGB pictures")
    image = max(greys or colours, key=lambda one: _shape(one)[0] * _shape(one)[1])
    columns, rows, *planes = _shape(image)
    check_size(rows, columns, max_pixels)
    count = int(np.prod(planes, dtype=object))
    notes = (f"the first of {count} planes is measured",) if count > 1 else ()
    scale = pixel_size.stated_by("gatan", _sides, image)
    return Picture(
        reader.samples(image, rows, columns), None, full_scale=None, scale=scale, notes=notes
    )


class _Reader:
    """Reads the tags of one file."""

    def __init__(self, stream: BinaryIO):
        self._stream = stream
        self._size = stream.seek(0, io.SEEK_END)
        stream.seek(0)
        (version,) = self._unpack(">I")
        # Sizes and counts.
        self._long = {3: "I", 4: "Q"}[version]
        self._order: Literal["<", ">"] = "<"
        self._tags = 0

    def read(self) -> _Tags:
        """Returns all tags; those without a name have their number as one."""
        _, little = self._unpack(f">{self._long}I")
        self._order = "<" if little else ">"
        return self._group(0)

    def samples(self, image: _Tags, rows: int, columns: int) -> np.ndarray:
        """Reads the samples (rows, columns, 1 or 3) of a picture."""
        kind, data = image["DataType"], image.get("Data")
        dtype = np.dtype("u4" if kind == _COLOURS else _GREYS[kind]).newbyteorder(self._order)
        needed = rows * columns * dtype.itemsize
        if isinstance(data, np.ndarray):
            values = np.frombuffer(data.tobytes(), dtype) if data.nbytes >= needed else None
        elif isinstance(data, _Values) and data.size >= needed:
            self._stream.seek(data.offset)
            values = np.fromfile(self._stream, dtype, rows * columns)
        else:
            values = None
        if values is None or len(values) < rows * columns:
            raise InputError(f"is a truncated DM file (its picture); {_ACCEPTED}")
        values = values[: rows * columns].reshape(rows, columns, 1)
        if not values.dtype.isnative:
            values = values.astype(values.dtype.newbyteorder("="))
        if kind == _COLOURS:
            return np.concatenate([values >> bits & 255 for bits in (16, 8, 0)], -1).astype("u1")
        return values * np.uint8(255) if kind == 14 else values

    def _unpack(self, form: str) -> tuple[Any, ...]:
        data = self._stream.read(struct.calcsize(form))
        if len(data) < struct.calcsize(form):
            raise InputError(f"is a truncated DM file (its tags); {_ACCEPTED}")
        return struct.unpack(form, data)

    def _group(self, depth: int) -> _Tags:
        if depth > _MAX_DEPTH:
            raise InputError(f"is a DM file of over {_MAX_DEPTH} levels; {_ACCEPTED}")
        *_, count = self._unpack(f">BB{self._long}")
        found: _Tags = {}
        nameless = 0
        for _ in range(count):
            kind, length = self._unpack(">BH")
            if kind == _END:
                break
            self._tags += 1
            if self._tags > _MAX_TAGS:
                raise InputError(f"is a DM file of over {_MAX_TAGS} tags; {_ACCEPTED}")
            name = self._stream.read(length).decode("latin-1")
            if not name:
                name, nameless = str(nameless), nameless + 1
            if self._long == "Q":
                self._unpack(">Q")  # the tag's length
            if kind == _GROUP:
                found[name] = self._group(depth + 1)
            elif kind == _DATA:
                found[name] = self._value()
            else:
                raise InputError(f"is a damaged DM file (a tag of kind {kind}); {_ACCEPTED}")
        return found

    def _value(self) -> Any:
        """Returns a number or an array of up to 256; None for structures; else where it lies."""
        mark, count = self._unpack(f">4s{self._long}")
        if mark != b"%%%%" or not 0 < count <= _MAX_INFO:
            raise InputError(f"is a damaged DM file (a tag's mark); {_ACCEPTED}")
        info = self._unpack(f">{count}{self._long}")
        try:
            size = _size(iter(info), 0)
        except (StopIteration, KeyError, RecursionError):
            raise InputError(f"is a damaged DM file (a tag's type); {_ACCEPTED}") from None
        start = self._stream.tell()
        if size > self._size - start:
            raise InputError(f"is a truncated DM file (a tag's data); {_ACCEPTED}")
        value: Any = None
        array = info[0] == _ARRAY and count == 3
        if count == 1 or (array and info[2] <= _MAX_VALUES):
            dtype = np.dtype(_VALUES[info[-1] if count == 1 else info[1]])
            value = np.frombuffer(self._stream.read(size), dtype.newbyteorder(self._order))
            value = value if array else value[0].item()
        elif array:
            value = _Values(start, size)
        self._stream.seek(start + size)
        return value


def _size(info: Iterator[int], depth: int) -> int:
    """Returns the bytes of a value, by what comes before it."""
    if depth > _MAX_DEPTH:
        raise RecursionError
    kind = next(info)
    if kind == _STRING:
        return next(info)
    if kind == _ARRAY:
        return _size(info, depth + 1) * next(info)
    if kind != _STRUCT:
        return np.dtype(_VALUES[kind]).itemsize
    next(info)  # the length of its name
    size = 0
    for _ in range(next(info)):
        next(info)
        size += _size(info, depth + 1)
    return size


def _children(tags: Any) -> _Tags:
    return tags if isinstance(tags, dict) else {}


def _groups(tags: Any) -> list[_Tags]:
    return [tag for tag in _children(tags).values() if isinstance(tag, dict)]


def _shape(image: _Tags) -> list[int]:
    """Returns columns, rows and more of a picture; nothing where it isn't stated."""
    sizes = list(_children(image.get("Dimensions")).values())
    return sizes if all(isinstance(size, int) and size > 0 for size in sizes) else []


def _sides(image: _Tags) -> tuple[float, float]:
    across, down = _groups(image["Calibrations"]["Dimension"])[:2]
    return _side(across), _side(down)


def _side(axis: _Tags) -> float:
    unit = np.asarray(axis["Units"]).astype("<u2").tobytes().decode("utf-16-le")
    return pixel_size.nm_of(float(axis["Scale"]), unit)
