import re
import struct

import imagecodecs
import numpy as np
import pytest
import tifffile
from helpers.image_files import grey, silence

from srd_jax.imaging.crop import read_crop

GATAN = ((65003, "s", 0, "nm", False), (65004, "s", 0, "nm", False))
HITACHI = "[SemImageFile]\r\nInstructName=S-4800\r\nPixelSize=0.992\r\nDataSize=1280x960\r\n"
JEOL = "$CM_MAG 30000\r\n$$SM_MICRON_BAR 200\r\n$$SM_MICRON_MARKER 100nm\r\n"


@pytest.fixture(autouse=True)
def _nothing_leaks(capfd, caplog):
    with silence(capfd, caplog):
        yield


@pytest.fixture(params=["little", "big", "bigtiff"])
def layout(request):
    return {
        "little": {"byteorder": "<"},
        "big": {"byteorder": ">"},
        "bigtiff": {"byteorder": "<", "bigtiff": True},
    }[request.param]


def scale_of(path):
    crop = read_crop(path)
    return crop.px_per_nm, crop.px_per_nm_source, crop.notes


def is_scale(px_per_nm, source="tiff"):
    if px_per_nm is None:
        return None, "", ()
    return pytest.approx(px_per_nm, rel=1e-6), source, ()


def written(tmp_path, *tags, name="crop.tif", **options):
    path = tmp_path / name
    tifffile.imwrite(path, grey(), extratags=tags, **options)
    return path


def gatan(across, down, units=GATAN):
    return *units, (65009, "d", 1, across, False), (65010, "d", 1, down, False)


def text_tag(code, text):
    return code, "s", 0, text, False


def imagej(tmp_path, description, per_unit, unit=1, down=None):
    """Writes a description byte by byte, which tifffile would refuse."""
    content = description if isinstance(description, bytes) else description.encode()
    return written(
        tmp_path,
        (270, "s", 0, content, False),
        resolution=(per_unit, down or per_unit),
        resolutionunit=unit,
        metadata=None,
    )


@pytest.mark.parametrize(
    ("per_unit", "unit", "expected"),
    [
        (1.302e7, 3, 1.302),
        (1.302 * 2.54e7, 2, 1.302),
        (1302, 5, 1.302),
        (1.302e7, 1, None),
        (72, 2, None),
        (300, 2, None),
        (0.049e7, 3, None),
        (0.051e7, 3, 0.051),
        (20.1e7, 3, None),
    ],
)
def test_resolution_tags(tmp_path, per_unit, unit, expected):
    path = written(tmp_path, resolution=(per_unit, per_unit), resolutionunit=unit)
    assert scale_of(path) == is_scale(expected)


@pytest.mark.parametrize(
    ("unit", "nm"),
    [
        *[(name, 1e-3) for name in ("pm", "picometers")],
        *[(name, 0.1) for name in ("A", "Å", "\u212b", "\\u00C5", "\\u212B", "Angstrom")],
        *[(name, 1) for name in ("nm", "NM", "nm ", "nanometer", "nanometres", "Nanometers")],
        *[(name, 1e3) for name in ("um", "µm", "\u03bcm", "\\u00B5m", "\\u03bcm", "Âµm")],
        *[(name, 1e3) for name in ("micron", "Microns", "micrometre", b"\xb5m")],
        *[(name, 1e6) for name in ("mm", "millimeter")],
        *[(name, 1e7) for name in ("cm", "centimetres")],
        *[(name, 1e9) for name in ("m", "metre")],
        *[(name, 2.54e7) for name in ("in", "inch", "inches")],
        *[(name, None) for name in ("pixel", "1/nm", "s", "")],
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_imagej_units(tmp_path, unit, nm, end):
    name = unit if isinstance(unit, bytes) else unit.encode()
    description = end.join([b"ImageJ=1.53t", b"unit=" + name, b""])
    path = imagej(tmp_path, description, 1.302 * (nm or 1))
    px_per_nm, source, notes = scale_of(path)
    if nm is None:
        assert (px_per_nm, source, notes) == (None, "", ())
    else:
        # Rational tags hold few digits of a small number.
        assert (px_per_nm, source, notes) == (pytest.approx(1.302, rel=1e-4), "tiff", ())


def test_imagej_file_of_tifffile(tmp_path):
    path = tmp_path / "crop.tif"
    tifffile.imwrite(path, grey(), imagej=True, resolution=(1302, 1302), metadata={"unit": "um"})
    assert scale_of(path) == is_scale(1.302)


@pytest.mark.parametrize(
    ("imagej_unit", "tag_unit", "per_unit", "expected"),
    [
        # As Bio-Formats and SCIFIO write: the tag tells the unit of the numbers.
        ("um", 3, 2e7, 2),
        ("nm", 3, 2e7, 2),
        ("pixel", 3, 2e7, 2),
        ("cm", 3, 2e7, 2),
        # As HyperSpy writes: the tag is the default, and ImageJ's unit that of the numbers.
        ("nm", 2, 2, 2),
        ("um", 2, 2500, 2.5),
        # The resolution of a print, written over that of the micrograph.
        ("um", 2, 72, None),
        ("um", 2, 300, None),
        ("um", 3, 118.11, None),
        ("um", 1, 300, 0.3),
    ],
)
def test_imagej_unit_beside_the_tag(tmp_path, imagej_unit, tag_unit, per_unit, expected):
    path = imagej(tmp_path, f"ImageJ=1.53t\nunit={imagej_unit}\n", per_unit, tag_unit)
    assert scale_of(path) == is_scale(expected)


def test_imagej_unit_that_contradicts_the_tag(tmp_path):
    path = imagej(tmp_path, "ImageJ=1.53t\nunit=inch\n", 2e7, 3)
    assert scale_of(path) == (
        None,
        "",
        (
            "the scale is stated as 0.7874 px/nm by ImageJ's unit and 2 px/nm by the tag "
            "ResolutionUnit; none is taken",
        ),
    )


def test_imagej_unit_of_the_rows(tmp_path):
    path = imagej(tmp_path, "ImageJ=1.53t\nunit=um\nyunit=nm\n", 2000, down=2)
    assert scale_of(path) == is_scale(2)
    path = imagej(tmp_path, "ImageJ=1.53t\nunit=um\nyunit=nm\n", 2000, down=2000)
    assert "aren't square" in scale_of(path)[2][0]
    path = imagej(tmp_path, "ImageJ=1.53t\nunit=nm\nyunit=pixel\n", 2)
    assert scale_of(path) == is_scale(None)


def test_square_pixels_and_both_tags(tmp_path):
    path = written(tmp_path, resolution=(1.30e7, 1.33e7), resolutionunit=3)
    sides = "0.7692 x 0.7519 nm (across x down) by the tag ResolutionUnit"
    note = f"the pixels aren't square, {sides}; no scale is taken"
    assert scale_of(path) == (None, "", (note,))
    # Nearly square: the vertical scale is taken, as the period runs down the rows.
    path = written(tmp_path, resolution=(1.300e7, 1.305e7), resolutionunit=3)
    assert scale_of(path) == is_scale(1.305)
    path = written(tmp_path, resolution=((0, 1), (0, 1)), resolutionunit=3)
    assert scale_of(path) == is_scale(None)


@pytest.mark.parametrize(
    ("units", "sides", "expected"),
    [
        (("nm", "nm"), (0.5, 0.5), 2),
        (("nm",), (0.5, 0.5), 2),
        (("µm".encode("latin-1"),) * 2, (5e-4, 5e-4), 2),
        (("nm", "Å".encode("latin-1")), (0.5, 5.0), 2),
        (("1/nm", "1/nm"), (0.5, 0.5), None),
        ((), (0.5, 0.5), None),
        (("nm", "nm"), (0.0, 0.0), None),
    ],
)
def test_gatan(tmp_path, layout, units, sides, expected):
    tags = tuple((65003 + i, "s", 0, unit, False) for i, unit in enumerate(units))
    path = written(tmp_path, *gatan(*sides, tags), resolution=(72, 72), **layout)
    assert scale_of(path) == is_scale(expected, "gatan")


@pytest.mark.parametrize("code", [34680, 34682])
@pytest.mark.parametrize("section", ["Scan", "EScan", "IScan"])
def test_fei(tmp_path, layout, code, section):
    text = (
        f"[User]\r\nDate=01/01/2020\r\n[Image]\r\nResolutionX=1536\r\n[{section}]\r\n"
        "PixelWidth=7.5e-010\r\nPixelHeight=7.5e-010\r\n"
    )
    path = written(tmp_path, text_tag(code, text), **layout)
    assert scale_of(path) == is_scale(1 / 0.75, "fei")


def test_thermo_fisher_xml(tmp_path, layout):
    xml = (
        '<?xml version="1.0"?><Metadata xmlns:nil="http://example.org"><BinaryResult><PixelSize>'
        '<X unit="m">7.5E-10</X><Y unit="m">7.5E-10</Y></PixelSize></BinaryResult></Metadata>'
    )
    tags = text_tag(34682, " "), text_tag(34683, xml)
    assert scale_of(written(tmp_path, *tags, **layout)) == is_scale(1 / 0.75, "fei")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("AP_IMAGE_PIXEL_SIZE\nImage Pixel Size = 500.0 pm\n", 2),
        ("AP_IMAGE_PIXEL_SIZE\nImage Pixel Size = 0.5 nm\nAP_PIXEL_SIZE\nPixel Size = 1 nm\n", 2),
        ("DP_IMAGE_STORE\nStore resolution = 2048 * 1536\nAP_PIXEL_SIZE\nPixel Size = 1 nm\n", 2),
        ("AP_PIXEL_SIZE\nPixel Size = 1.000 nm\n", None),
        ("AP_MAG\nMag = 50.00 K X\n", None),
    ],
)
def test_zeiss(tmp_path, layout, lines, expected):
    text = "0\r\n1.0e-9\r\n" + lines.replace("\n", "\r\n")
    path = written(tmp_path, text_tag(34118, text), **layout)
    assert scale_of(path) == is_scale(expected, "zeiss")


def test_olympus_sis(tmp_path, layout):
    # A header, one entry of kind 1, and at its offset in the file: exponent, then both sides.
    head = struct.pack("<4s6x5h6x32sH", b"SIS0", 0, 12, 1, 0, 120, b"picture", 1)
    calibration = struct.pack("<10xhdd8xd2x34s32s", -9, 0.75, 0.75, 50000, b"camera", b"TEM")
    entry = struct.pack("<hhI", 1, 1, 0xABCDEF)
    data = head + entry + calibration
    path = written(tmp_path, (33560, "B", len(data), data, False), **layout)
    content = path.read_bytes()
    at = content.index(b"SIS0") + len(head) + len(entry)
    path.write_bytes(content.replace(entry, struct.pack("<hhI", 1, 1, at)))
    assert scale_of(path) == is_scale(1 / 0.75, "sis")


def test_tvips(tmp_path, layout):
    order = layout["byteorder"]
    first = np.zeros(1, np.dtype(tifffile.TIFF.TVIPS_HEADER_V1).newbyteorder(order))
    second = np.zeros(1, np.dtype(tifffile.TIFF.TVIPS_HEADER_V2).newbyteorder(order))
    first["Version"] = 2
    second["Magic"] = 0xAAAAAAAA
    second["PixelSizeX"] = second["PixelSizeY"] = 0.75
    data = first.tobytes() + second.tobytes()
    path = written(tmp_path, (37706, "B", len(data), data, False), **layout)
    assert scale_of(path) == is_scale(1 / 0.75, "tvips")


@pytest.mark.parametrize(
    ("size", "unit", "expected"),
    [
        (0.5, "nm", 2),
        (0.0005, "µm", 2),
        (0.0005, None, 2),
        (5, "Å", 2),
        (500, "pm", 2),
        (5e-7, "mm", 2),
        (0.5, "pixel", None),
        (1, "µm", None),
    ],
)
def test_ome(tmp_path, layout, size, unit, expected):
    metadata = {"axes": "YX", "PhysicalSizeX": size, "PhysicalSizeY": size}
    if unit is not None:
        metadata |= {"PhysicalSizeXUnit": unit, "PhysicalSizeYUnit": unit}
    path = written(tmp_path, name="crop.ome.tif", metadata=metadata, **layout)
    assert scale_of(path) == is_scale(expected, "ome")


def test_ome_of_one_side_or_other_pictures(tmp_path):
    metadata = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "nm"}
    path = written(tmp_path, name="crop.ome.tif", metadata=metadata)
    assert scale_of(path) == is_scale(2, "ome")
    label = '<Pixels SizeX="9" SizeY="9" PhysicalSizeX="7" PhysicalSizeXUnit="nm"/>'
    this = '<Pixels SizeX="36" SizeY="24" PhysicalSizeX="0.5" PhysicalSizeXUnit="nm"/>'
    path = written(tmp_path, description=f"<OME><Image>{label}</Image><Image>{this}</Image></OME>")
    assert scale_of(path) == is_scale(2, "ome")


def test_statements_that_agree_or_contradict(tmp_path):
    path = written(tmp_path, *gatan(0.5, 0.5), resolution=(1.99e7, 1.99e7), resolutionunit=3)
    assert scale_of(path) == is_scale(2, "gatan")
    path = written(tmp_path, *gatan(0.5, 0.5), resolution=(1.3e7, 1.3e7), resolutionunit=3)
    note = "the scale is stated as 2 px/nm by gatan and 1.3 px/nm by tiff; none is taken"
    assert scale_of(path) == (None, "", (note,))
    path = written(tmp_path, *gatan(0.5, 0.5), text_tag(34682, "[Scan]\nPixelWidth=4e-10\n"))
    note = "the scale is stated as 2 px/nm by gatan and 2.5 px/nm by fei; none is taken"
    assert scale_of(path) == (None, "", (note,))
    path = written(tmp_path, *gatan(0.5, 0.6))
    note = "the pixels aren't square, 0.5 x 0.6 nm (across x down) by gatan; no scale is taken"
    assert scale_of(path) == (None, "", (note,))


@pytest.mark.parametrize(
    "tag",
    [
        text_tag(34682, "[Scan]\r\nPixelWidth=\r\nPixelHeight=wide\r\n"),
        text_tag(34682, "PixelWidth=5e-10"),
        text_tag(34683, "<Metadata><PixelSize><X>"),
        text_tag(34118, "AP_IMAGE_PIXEL_SIZE\r\nImage Pixel Size =\r\n"),
        (34118, "H", 2, (1, 2), False),
        (33560, "B", 70, b"SIS0" + bytes(66), False),
        (33560, "B", 8, b"nonsense", False),
        (37706, "B", 8, b"nonsense", False),
        (65009, "s", 0, "half", False),
        text_tag(270, '<OME><Pixels PhysicalSizeX="0.5"></OME>'),
        text_tag(270, '<OME><Pixels PhysicalSizeX="half"/></OME>'),
        text_tag(270, "<OME></OME>"),
    ],
)
def test_damaged_metadata_state_nothing(tmp_path, tag, layout):
    path = written(tmp_path, tag, metadata=None, **layout)
    assert scale_of(path) == is_scale(None)
    path = written(tmp_path, tag, metadata=None, resolution=(2e7, 2e7), resolutionunit=3, **layout)
    assert scale_of(path) == is_scale(2)


@pytest.mark.parametrize(
    ("text", "source", "expected"),
    [
        (HITACHI, "hitachi", 1 / 0.992),
        (HITACHI.replace("0.992", "0,992"), "hitachi", 1 / 0.992),
        (HITACHI.replace("0.992", "0.992 nm"), "hitachi", 1 / 0.992),
        (HITACHI.replace("Sem", "Tem"), "hitachi", 1 / 0.992),
        (HITACHI.replace("\r", ""), "hitachi", 1 / 0.992),
        (HITACHI.replace("[SemImageFile]", "[Other]"), "", None),
        (HITACHI.replace("0.992", "0"), "", None),
        (JEOL, "jeol", 2),
        (JEOL.replace("100nm", "0.1 um"), "jeol", 2),
        (JEOL.replace("100nm", "0.1µm"), "jeol", 2),
        (JEOL.replace("100nm", "100"), "", None),
        (JEOL.replace("BAR 200", "BAR 0"), "", None),
        ("PixelSize=0.992 in the notes of a person", "", None),
        ("", "", None),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
def test_side_files(tmp_path, text, source, expected, encoding):
    path = written(tmp_path)
    path.with_suffix(".txt").write_bytes(text.encode(encoding))
    assert scale_of(path) == is_scale(expected, source)


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("crop.png", "crop.txt"),
        ("crop.jpg", "crop.TXT"),
        ("a.crop.tif", "a.crop.txt"),
        ("CROP.TIF", "CROP.TXT"),
    ],
)
def test_side_files_of_all_formats(tmp_path, name, side):
    path = tmp_path / name
    encode = {"png": imagecodecs.png_encode, "jpg": imagecodecs.jpeg_encode}
    path.write_bytes(encode.get(name[-3:], imagecodecs.tiff_encode)(grey()))
    (tmp_path / side).write_text(JEOL)
    assert scale_of(path) == is_scale(2, "jeol")


def test_side_file_beside_the_tags(tmp_path):
    path = written(tmp_path, resolution=(2.01e7, 2.01e7), resolutionunit=3)
    path.with_suffix(".txt").write_text(JEOL)
    assert scale_of(path) == is_scale(2.01)
    path.with_suffix(".txt").write_text(HITACHI)
    note = "the scale is stated as 2.01 px/nm by tiff and 1.008 px/nm by hitachi; none is taken"
    assert scale_of(path) == (None, "", (note,))
    # What the file contradicts in itself, another one doesn't decide.
    path = written(tmp_path, *gatan(0.5, 0.5), resolution=(1.3e7, 1.3e7), resolutionunit=3)
    assert re.search("by gatan and .* by tiff; none is taken", scale_of(path)[2][0])


def test_side_file_that_is_none(tmp_path):
    path = written(tmp_path)
    path.with_suffix(".txt").mkdir()
    assert scale_of(path) == is_scale(None)
