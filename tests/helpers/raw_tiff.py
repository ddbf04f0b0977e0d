"""A TIFF writer by hand, for tags that no library writes (TIFF 6.0, section 2)."""

import itertools
import struct

_FORMS = {1: "B", 3: "H", 4: "I"}

# Where strips begin: the header comes before.
START = 8


def raw_tiff(array, strips=None, next_page=0, **tags):
    """The bytes of a TIFF of one page: header, strips, directory, long values of tags.

    Args:
      array: (rows, columns) of unsigned integers, little-endian.
      strips: bytes of each in place of the array's as one strip.
      next_page: offset of the next directory; None for the page's own.
      tags: t + code: (type, values), or None to leave a tag out.
    """
    strips = [array.tobytes()] if strips is None else strips
    *starts, directory = itertools.accumulate(map(len, strips), initial=START)
    rows, columns = array.shape
    found = {
        256: (4, [columns]),
        257: (4, [rows]),
        258: (3, [array.dtype.itemsize * 8]),
        259: (3, [1]),
        262: (3, [1]),
        273: (4, starts),
        277: (3, [1]),
        278: (4, [-(-rows // len(strips))]),
        279: (4, [len(strip) for strip in strips]),
    }
    found |= {int(name[1:]): value for name, value in tags.items()}
    found = {code: found[code] for code in sorted(found) if found[code] is not None}
    entries, long_values = b"", b""
    after = directory + 2 + 12 * len(found) + 4
    for code, (kind, values) in found.items():
        value = struct.pack(f"<{len(values)}{_FORMS[kind]}", *values)
        if len(value) > 4:
            place = struct.pack("<I", after + len(long_values))
            value, long_values = place, long_values + value
        entries += struct.pack("<HHI", code, kind, len(values)) + value.ljust(4, b"\0")
    following = struct.pack("<I", directory if next_page is None else next_page)
    return b"".join(
        (
            b"II*\0",
            struct.pack("<I", directory),
            *strips,
            struct.pack("<H", len(found)),
            entries,
            following,
            long_values,
        )
    )
