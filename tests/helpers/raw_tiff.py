"""A TIFF writer by hand, for tags that no library writes (TIFF 6.0, section 2)."""

import struct

import numpy as np

_FORMS = {1: "B", 2: "s", 3: "H", 4: "I", 5: "I", 12: "d"}

WIDTH, LENGTH, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
OFFSETS, SAMPLES, ROWS_PER_STRIP, COUNTS, SUB_IFDS = 273, 277, 278, 279, 330


def raw_tiff(array, data=None, next_page=0, **tags):
    """The bytes of a TIFF of one page: header, its directory at byte 8, long values, strips.

    Args:
      array: (rows, columns) of unsigned integers.
      data: strips in place of the array's bytes as one strip.
      next_page: offset of the next directory.
      tags: t + code: (type, values), or None to leave a tag out. A string of OFFSETS in the values
        stands for the offsets of the strips.
    """
    strips = [array.tobytes()] if data is None else data
    shape = array.shape
    found = {
        WIDTH: (4, [shape[1]]),
        LENGTH: (4, [shape[0]]),
        BITS: (3, [array.dtype.itemsize * 8]),
        COMPRESSION: (3, [1]),
        PHOTOMETRIC: (3, [1]),
        OFFSETS: (4, [0] * len(strips)),
        SAMPLES: (3, [1]),
        ROWS_PER_STRIP: (4, [-(-shape[0] // len(strips))]),
        COUNTS: (4, [len(strip) for strip in strips]),
    }
    found |= {int(name[1:]): value for name, value in tags.items()}
    found = {code: value for code, value in sorted(found.items()) if value is not None}
    size = 8 + 2 + 12 * len(found) + 4
    outside = {c: _packed(*value) for c, value in found.items() if len(_packed(*value)) > 4}
    starts, places = np.cumsum([size, *map(len, outside.values()), *map(len, strips)]).tolist(), {}
    places = dict(zip(outside, starts, strict=False))
    if found[OFFSETS][1] == [0] * len(strips):
        found[OFFSETS] = 4, starts[len(outside) : len(outside) + len(strips)]
        outside |= {OFFSETS: _packed(*found[OFFSETS])} if OFFSETS in outside else {}
    entries = b""
    for code, (kind, values) in found.items():
        count = len(values) // (2 if kind == 5 else 1)
        value = struct.pack("<I", places[code]) if code in places else _packed(kind, values)
        entries += struct.pack("<HHI", code, kind, count) + value.ljust(4, b"\0")
    directory = struct.pack("<H", len(found)) + entries + struct.pack("<I", next_page)
    return b"II*\0\x08\0\0\0" + directory + b"".join([*outside.values(), *strips])


def _packed(kind, values):
    if kind == 2:
        return bytes(values)
    return struct.pack(f"<{len(values)}{_FORMS[kind]}", *values)
