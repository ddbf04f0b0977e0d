"""Files as they shouldn't be: every accepted format with every kind of fault, drawn by a seed."""

import io
import os
import socket
import struct
import zlib

import imagecodecs
import numpy as np
import tifffile
from PIL import Image

from helpers.crops import stripes
from helpers.raw_tiff import raw_tiff

SHAPE, PERIOD = (90, 70), 12.0


def formats():
    """The bytes of the same stripes in every format, by a name with its suffix."""
    grey = stripes(0, SHAPE, PERIOD)
    rgb = np.stack([grey] * 3, -1)
    found = {
        "grey.png": imagecodecs.png_encode(grey),
        "grey16.png": imagecodecs.png_encode(grey.astype(np.uint16) * 16),
        "rgb.png": imagecodecs.png_encode(rgb),
        "rgb16.png": imagecodecs.png_encode(rgb.astype(np.uint16) * 257),
        "alpha.png": imagecodecs.png_encode(np.dstack([rgb, grey])),
        "palette.png": _by_pillow(grey, "P", "png", transparency=3),
        "bilevel.png": _by_pillow(grey, "1", "png"),
        "grey.jpg": _by_pillow(grey, "L", "jpeg"),
        "rgb.jpg": _by_pillow(grey, "RGB", "jpeg"),
        "progressive.jpeg": _by_pillow(grey, "RGB", "jpeg", progressive=True),
        "palette.tif": _by_pillow(grey, "P", "tiff"),
        "fax.tif": _by_pillow(grey, "1", "tiff", compression="group4"),
        "plain.tif": _tiff(grey),
        "big_endian.tif": _tiff(grey.astype(np.uint16) * 9, byteorder=">"),
        "bigtiff.tif": _tiff(grey, bigtiff=True, byteorder=">", compression="lzw"),
        "float.tif": _tiff(grey / np.float32(255), compression="zlib", predictor=3),
        "signed.tif": _tiff(grey.astype(np.int16) - 128, rowsperstrip=8, compression="packbits"),
        "twelve_bits.tif": _tiff(grey.astype(np.uint16), bitspersample=12),
        "planes.tif": _tiff(np.moveaxis(rgb, -1, 0), photometric="rgb", planarconfig="separate"),
        "tiles.tif": _tiff(rgb, photometric="rgb", tile=(32, 32), compression="zstd"),
        "jpeg_tiles.tif": _tiff(rgb, photometric="rgb", tile=(32, 32), compression="jpeg"),
        "jpeg2000.tif": _tiff(grey, rowsperstrip=30, compression="jpeg2000"),
        "lzma.tif": _tiff(grey, rowsperstrip=30, compression="lzma"),
        "stack.tif": _tiff(np.stack([grey] * 3)),
    }
    return found


def cut():
    """Truncated files."""
    for name, whole in formats().items():
        for share in (0.02, 0.3, 0.6, 0.9):
            yield f"cut_{share}_{name}", whole[: int(share * len(whole))]


def mutated(seed, each):
    """Files with flipped bytes, and parts copied, cut out or put in, at drawn places."""
    random = np.random.default_rng(seed)
    for name, whole in formats().items():
        for index in range(each):
            data = bytearray(whole)
            place, other, length = random.integers(0, [len(data), len(data), 40])
            if index % 4 == 0:
                # Within the first bytes, where most of what decoders rely on is written.
                for at in random.integers(4, min(400, len(data)), 3):
                    data[at] = random.integers(256)
            elif index % 4 == 1:
                for at in random.integers(0, len(data), 6):
                    data[at] ^= 1 << random.integers(8)
            elif index % 4 == 2:
                data[place : place + length] = data[other : other + length]
            else:
                data[place : place + length % 20] = random.bytes(length)
            yield f"mutated_{index}_{name}", bytes(data)


def faulty_tiffs():
    """TIFFs of wrong tags, each with a part of the reason for which it is refused."""
    grey = stripes(0, SHAPE, PERIOD)
    size = len(raw_tiff(grey))
    fields = {
        "itself": ({"next_page": None}, "in a circle"),
        "no_page": ({}, "without a page"),
        "width_0": ({"t256": (4, [0])}, "0 px"),
        "no_width": ({"t256": None}, "0 px"),
        "wide": ({"t256": (4, [2**32 - 1])}, "megapixels"),
        "tall": ({"t257": (4, [2**31])}, "megapixels"),
        "taller": ({"t257": (4, [120])}, "truncated"),
        "no_offsets": ({"t273": None}, "truncated"),
        "offset_0": ({"t273": (4, [1])}, "truncated"),
        "offset_beyond": ({"t273": (4, [size + 5]), "t279": None}, "truncated"),
        "deeper": ({"t258": (3, [16])}, "truncated"),
        "seven_bits": ({"t258": (3, [7])}, "7 bits a sample"),
        "no_bits": ({"t258": None}, "1 bits a sample"),
        "compression": ({"t259": (3, [12345])}, "compressed by the method 12345"),
        "lerc": ({"t259": (3, [34887])}, "compressed by LERC"),
        "colours": ({"t262": (3, [99])}, "the code 99"),
        "labs": ({"t262": (3, [8])}, "CIELAB"),
        "channels": ({"t277": (3, [3])}, "3 channels"),
        "sub_ifds": ({"t330": (4, [8]), "next_page": None}, "in a circle"),
        "turned": ({"t274": (3, [9])}, "orientation tag of 9"),
        "tile": ({"t322": (4, [2**31]), "t323": (4, [2**31])}, "megapixels"),
    }
    for name, (tags, reason) in fields.items():
        data = raw_tiff(grey, **tags)
        if name == "no_page":
            data = data[:4] + bytes(4) + data[8:]
        yield f"{name}.tif", data, reason
    thin = [b"\0" * 70] * 90
    strips = raw_tiff(grey, thin, t273=(4, [8] * 90), t279=(4, [3000] * 90), t259=(3, [8]))
    yield "overlap.tif", strips, "overlap"
    yield "pages.tif", _chain(1500), "over 1000 pages"
    yield "many_tags.tif", b"II*\0\x08\0\0\0" + b"\xff\xff" + bytes(12 * 65535 + 4), "65535 tags"
    back = raw_tiff(grey, next_page=size) + struct.pack("<HI", 0, 8 + grey.size)
    yield "back.tif", back, "in a circle"
    bomb = imagecodecs.jpeg2k_encode(np.zeros((4000, 4000), np.uint8), codecformat="j2k")
    yield "bomb.tif", raw_tiff(grey, [bomb], t259=(3, [34712])), "4000 x 4000 px"


def faulty_pngs():
    """PNGs of wrong chunks, each with a part of the reason for which it is refused."""
    grey = stripes(0, SHAPE, PERIOD)
    head, data, end = _chunks(imagecodecs.png_encode(grey))
    huge = struct.pack(">II", 50_000, 50_000) + head[1][8:]
    yield "huge.png", _png((b"IHDR", huge), data, end), "50000 x 50000 px"
    yield "lower.png", _png((b"IHDR", struct.pack(">II", 70, 45) + head[1][8:]), data, end), "IDAT"
    yield "higher.png", _png((b"IHDR", struct.pack(">II", 70, 99) + head[1][8:]), data, end), "IDAT"
    yield "depth.png", _png((b"IHDR", head[1][:8] + b"\5" + head[1][9:]), data, end), "IHDR"
    yield "no_data.png", _png(head, end), "IDAT"
    yield "no_end.png", _png(head, data), "truncated"
    yield "twice.png", _png(head, data, data, end), ""
    yield "unknown.png", _png(head, (b"ABCD", b""), data, end), "ABCD"
    yield "mask.png", _png(head, (b"tRNS", bytes(9)), data, end), "tRNS"
    yield "no_palette.png", _png((b"IHDR", head[1][:9] + b"\3" + head[1][10:]), data, end), "PLTE"
    yield "long_text.png", _png(head, (b"tEXt", bytes(5_000_000)), data, end), ""
    cut = struct.pack(">I4s", 2**31 - 1, b"tEXt")
    yield "length.png", _png(head) + cut + _png(data, end)[8:], "truncated"
    checked = bytearray(_png(head, data, end))
    checked[-20] ^= 1
    yield "checksum.png", bytes(checked), "IDAT"
    # A million times the bytes of the picture.
    zeros = zlib.compress(bytes(50_000_000))
    yield "inflating.png", _png(head, (b"IDAT", zeros), end), "IDAT"


def others():
    """Files of other formats or none, each with a part of the reason for which it is refused."""
    made = formats()
    jpeg = made["progressive.jpeg"]
    scan = jpeg.rindex(b"\xff\xda")
    yield "scans.jpg", jpeg[:-2] + jpeg[scan:-2] * 5000 + jpeg[-2:], "scans"
    frame = jpeg.index(b"\xff\xc2")
    yield "huge.jpg", jpeg[: frame + 5] + b"\xff" * 4 + jpeg[frame + 9 :], "65535 x 65535 px"
    yield "empty.png", b"", "is empty"
    yield "zeros.tif", bytes(5000), "isn't an image"
    yield "text.jpg", b"file,period_px\n", "isn't an image"
    yield "signature.png", made["grey.png"][:8], "truncated"
    yield "gif.png", b"GIF89a" + bytes(90), "is a GIF"
    yield "webp.jpg", b"RIFF" + bytes(90), "WebP"
    yield "bmp.tif", b"BM" + bytes(90), "is a BMP"
    yield "pdf.png", b"%PDF-1.7\n", "is a PDF"


def special(folder):
    """Makes paths that aren't regular files; returns a part of each one's reason by its name."""
    (folder / "folder.png").mkdir()
    os.mkfifo(folder / "fifo.png")
    (folder / "fifo_link.tif").symlink_to("fifo.png")
    (folder / "device.tif").symlink_to("/dev/zero")
    (folder / "dangling.jpg").symlink_to("nowhere.jpg")
    (folder / "circle.png").symlink_to("circle.png")
    # The address of a socket has at most some 100 characters.
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(os.path.relpath(folder / "s.png"))
    for suffix in ("png", "tif", "jpg"):
        with (folder / f"sparse.{suffix}").open("wb") as file:
            file.write(formats()[f"grey.{suffix}" if suffix != "tif" else "plain.tif"])
            file.truncate(20_000_000_000)
    return {
        "folder.png": "is a folder",
        "fifo.png": "is a FIFO",
        "fifo_link.tif": "is a FIFO",
        "device.tif": "is a device",
        "dangling.jpg": "No such file",
        "circle.png": "cannot be read",
        "s.png": "is a socket",
        "sparse.png": "has 20.0 GB",
        "sparse.tif": "has 20.0 GB",
        "sparse.jpg": "has 20.0 GB",
    }


def _by_pillow(array, mode, kind, **options):
    stream = io.BytesIO()
    Image.fromarray(array).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def _tiff(array, **options):
    stream = io.BytesIO()
    options.setdefault("photometric", "minisblack")
    tifffile.imwrite(stream, array, **options)
    return stream.getvalue()


def _chain(count):
    """A TIFF of directories without tags, six bytes each."""
    pages = b"".join(struct.pack("<HI", 0, 8 + 6 * (i + 1)) for i in range(count))
    return b"II*\0\x08\0\0\0" + pages + bytes(6)


def _chunks(png):
    found, start = [], 8
    while start < len(png):
        (length,) = struct.unpack(">I", png[start : start + 4])
        found.append((png[start + 4 : start + 8], png[start + 8 : start + 8 + length]))
        start += 12 + length
    return [chunk for chunk in found if chunk[0].isupper()]


def _png(*chunks):
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
