"""Writes DM3 and DM4 files, after C. Boothroyd's description of them; no part of the reader."""

import struct

import numpy as np

# DataType of a picture, and the type of the values of its array of tags.
_KINDS = {"i2": (1, 2), "f4": (2, 6), "u1": (6, 8), "i4": (7, 3), "i1": (9, 10), "u2": (10, 4)}
_KINDS |= {"u4": (11, 5), "f8": (12, 7)}


def dm_file(picture, version=3, little=True, scale=1.0, unit="nm", kind=None, thumbnail=True):
    """Returns the bytes of a file of a picture (rows, columns), or planes of them."""
    tags = _Tags(version, "<" if little else ">")
    images = []
    if thumbnail:
        images.append(tags.image(np.full((8, 8), 0x00808080, "u4"), 1.0, "", 23))
    images.append(tags.image(np.asarray(picture), scale, unit, kind))
    root = tags.group(
        [
            ("ApplicationBounds", tags.values([0, 0, 1000, 1000], 3)),
            ("Name", tags.text("a picture")),
            ("Place", tags.struct([(2, 1), (6, 0.5)])),
            ("Points", tags.array_of_structs([[(3, 1), (3, 2)], [(3, 3), (3, 4)]])),
            ("ImageList", tags.directory([("", image) for image in images])),
        ]
    )
    size = ">I" if version == 3 else ">Q"
    head = struct.pack(">I", version) + struct.pack(size, len(root)) + struct.pack(">I", little)
    return head + root + bytes(8)


class _Tags:
    def __init__(self, version, order):
        self.long, self.four, self.order = "I" if version == 3 else "Q", version == 4, order

    def count(self, number):
        return struct.pack(f">{self.long}", number)

    def group(self, tags):
        body = b"".join(self.tag(name, *tag) for name, tag in tags)
        return struct.pack(">BB", 0, 0) + self.count(len(tags)) + body

    def tag(self, name, kind, body):
        head = struct.pack(">BH", kind, len(name)) + name.encode("latin-1")
        return head + (struct.pack(">Q", len(body)) if self.four else b"") + body

    def directory(self, tags):
        return 20, self.group(tags)

    def data(self, info, content):
        return 21, b"%%%%" + self.count(len(info)) + b"".join(map(self.count, info)) + content

    def number(self, value, kind):
        form = {3: "i", 5: "I", 6: "f"}[kind]
        return self.data([kind], struct.pack(self.order + form, value))

    def values(self, values, kind):
        form = {3: "i4", 4: "u2"}[kind]
        content = np.asarray(values, self.order + form).tobytes()
        return self.data([20, kind, len(values)], content)

    def text(self, text):
        return self.values(np.frombuffer(text.encode("utf-16-le"), "<u2"), 4)

    def _struct(self, fields):
        forms = {2: "h", 3: "i", 6: "f"}
        info = [15, 0, len(fields)] + [number for kind, _ in fields for number in (0, kind)]
        return info, b"".join(struct.pack(self.order + forms[kind], one) for kind, one in fields)

    def struct(self, fields):
        return self.data(*self._struct(fields))

    def array_of_structs(self, structs):
        info = self._struct(structs[0])[0]
        content = b"".join(self._struct(one)[1] for one in structs)
        return self.data([20, *info, len(structs)], content)

    def image(self, picture, scale, unit, kind=None):
        data_type, value_type = _KINDS[picture.dtype.str[1:]]
        content = picture.astype(picture.dtype.newbyteorder(self.order)).tobytes()
        axis = [("Origin", self.number(0.0, 6)), ("Scale", self.number(scale, 6))]
        axis = self.directory([*axis, ("Units", self.text(unit))])
        sizes = [("", self.number(size, 5)) for size in picture.shape[::-1]]
        image = [
            ("Calibrations", self.directory([("Dimension", self.directory([("", axis)] * 2))])),
            ("Data", self.data([20, value_type, picture.size], content)),
            ("DataType", self.number(data_type if kind is None else kind, 5)),
            ("Dimensions", self.directory(sizes)),
            ("PixelDepth", self.number(picture.itemsize, 5)),
        ]
        return self.directory([("ImageData", self.directory(image))])
