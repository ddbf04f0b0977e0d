"""Reads the pixel size that microscopes and graphics programs state.

In a TIFF it stands in its resolution tags, where ImageJ's metadata may name another unit, in
OME-XML, or in tags of the microscope's maker; some makers write a text file beside the picture.
Statements that contradict each other are refused, as is a pixel that isn't square. A scale outside
of 0.05 to 20 px/nm, such as the 72 dpi of a screen, states nothing.

Makers don't publish their formats: which field means what is known from tifffile, RosettaSciIO
(https://hyperspy.org/rosettasciio) and Bio-Formats (https://bio-formats.readthedocs.io).
"""

import contextlib
import math
import pathlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from xml.etree import ElementTree

import tifffile

# A micrograph that shows thylakoid membranes lies well within this range. 72 and 300 dpi, which
# graphics programs write by default, are about 1e-5 px per nm.
_PLAUSIBLE_PX_PER_NM = (0.05, 20.0)

# Two scales, or two sides of a pixel, that differ by a greater share contradict each other.
_MAX_DIFFERENCE = 0.01

# Codes of the tag ResolutionUnit: inch and centimetre (TIFF 6.0), millimetre and micrometre
# (an extension that tifffile writes). Inch is the default.
_NO_UNIT, _INCH, _CENTIMETRE = 1, 2, 3
_NM_PER_TAG_UNIT = {_INCH: 2.54e7, _CENTIMETRE: 1e7, 4: 1e6, 5: 1e3}

# Resolutions of screens and printers, per inch. Programs that edit a picture write them over the
# resolution of a microscope and leave the unit in ImageJ's metadata as it was.
_PRINT_RESOLUTIONS = (72, 96, 100, 150, 200, 300, 600, 1200, 2400)

# By names as `_nm_per` simplifies them, without the s of a plural.
_UNITS = {
    "pm picometer": 1e-3,
    "a å ang angstrom ångstrom ångström": 0.1,
    "nm nanometer": 1.0,
    "um μm micron micrometer": 1e3,
    "mm millimeter": 1e6,
    "cm centimeter": 1e7,
    "m meter": 1e9,
    "in inch inche": 2.54e7,
}
_NM_PER = {name: nm for names, nm in _UNITS.items() for name in names.split()}

_LENGTH = re.compile(r"([-+]?[\d.,]+(?:e[-+]?\d+)?)\s*(\S*)", re.IGNORECASE)

# Sides of a pixel, across and down, in nm.
_Sides = tuple[float, float]


class Scale(NamedTuple):
    """The scale of a picture.

    Attributes:
      px_per_nm: None where none is stated, or none that can be trusted.
      source: who states it, such as "tiff" or "gatan"; "" where there is none.
      note: why what is stated isn't taken; "" where there is no reason.
    """

    px_per_nm: float | None = None
    source: str = ""
    note: str = ""


UNKNOWN = Scale()


def from_tiff(page: tifffile.TiffPage, imagej: Mapping[str, Any] | None) -> Scale:
    """Reads the scale of a TIFF page, whose file may have ImageJ's metadata."""
    stated = [
        stated_by(source, read, page.tags) for source, tag, read in _IN_TIFF if tag in page.tags
    ]
    return agreed(*stated, _from_resolution(page.tags, imagej or {}))


def from_side_file(path: pathlib.Path) -> Scale:
    """Reads the scale of a picture of any format from NAME.txt beside it, of Hitachi or JEOL."""
    texts = [_side_text(path.with_name(f"{path.stem}.{ending}")) for ending in ("txt", "TXT")]
    return agreed(*(stated_by(source, read, text) for text in texts for source, read in _BESIDE))


def agreed(*scales: Scale) -> Scale:
    """Returns the first of several scales of one picture, or why none can be taken."""
    refused = [scale for scale in scales if scale.note]
    stated = [(scale.px_per_nm, scale) for scale in scales if scale.px_per_nm is not None]
    if refused or not stated:
        return refused[0] if refused else UNKNOWN
    values = [value for value, _ in stated]
    if max(values) > min(values) * (1 + _MAX_DIFFERENCE):
        said = " and ".join(f"{value:.4g} px/nm by {scale.source}" for value, scale in stated)
        return Scale(note=f"the scale is stated as {said}; none is taken")
    return stated[0][1]


def stated_by(source: str, read: Callable[[Any], _Sides], where: object) -> Scale:
    """Returns what one reader finds; damaged metadata state nothing."""
    try:
        return of_sides(source, *read(where))
    # What is missing or damaged raises an exception of almost any type, tifffile's own among them.
    except Exception:
        return UNKNOWN


def of_sides(source: str, across: float, down: float) -> Scale:
    """Returns the scale by the sides of a pixel in nm."""
    low, high = _PLAUSIBLE_PX_PER_NM
    sides = across, down
    if min(sides) <= 0 or not any(low <= 1 / side <= high for side in sides):
        return UNKNOWN
    if not max(sides) <= min(sides) * (1 + _MAX_DIFFERENCE):
        shape = f"{across:.4g} x {down:.4g} nm (across x down)"
        return Scale(note=f"the pixels aren't square, {shape} by {source}; no scale is taken")
    # The period runs down the rows, so the vertical side decides.
    return Scale(1 / down, source)


def _from_resolution(tags: tifffile.TiffTags, imagej: Mapping[str, Any]) -> Scale:
    """Reads the resolution tags, px per unit.

    ImageJ states the unit in its metadata and leaves the tag ResolutionUnit without one. Files of
    Bio-Formats and SCIFIO have both, and there the tag is that of the resolution (ImageJ's
    FileOpener reads um beside cm so). A reading that isn't plausible is none.
    """
    across, down = (_ratio(tags.valueof(code)) for code in (282, 283))
    if across is None or down is None:
        return UNKNOWN
    tag_unit = tags.valueof(296, default=_NO_UNIT if "unit" in imagej else _INCH)
    nm = _NM_PER_TAG_UNIT.get(tag_unit)
    unit = str(imagej.get("unit", ""))
    nm_across, nm_down = _nm_per(unit), _nm_per(str(imagej.get("yunit", unit)))
    by_imagej = by_tag = UNKNOWN
    if nm_across is not None and nm_down is not None and not _is_of_print(down, tag_unit):
        by_imagej = of_sides("ImageJ's unit", nm_across / across, nm_down / down)
    if nm is not None:
        by_tag = of_sides("the tag ResolutionUnit", nm / across, nm / down)
    scale = agreed(by_imagej, by_tag)
    return scale if scale.px_per_nm is None else scale._replace(source="tiff")


def _is_of_print(resolution: float, tag_unit: int) -> bool:
    """Tells whether a resolution in px per tag unit is one of screens and printers."""
    per_inch = {_INCH: resolution, _CENTIMETRE: resolution * 2.54}.get(tag_unit, 0.0)
    return any(math.isclose(per_inch, usual, rel_tol=0.002) for usual in _PRINT_RESOLUTIONS)


def _ratio(value: object) -> float | None:
    """Returns a rational tag as a number, None where it is missing, damaged or isn't positive."""
    match value:
        case (int(numerator), int(denominator)) if numerator > 0 and denominator > 0:
            return numerator / denominator
        case int(number) | float(number) if number > 0:
            return number
    return None


def _gatan(tags: tifffile.TiffTags) -> _Sides:
    """Reads DigitalMicrograph's calibration: units, then sizes, each across and down."""
    unit_across = _text(tags.valueof(65003))
    unit_down = _text(tags.valueof(65004, default=unit_across))
    return nm_of(tags.valueof(65009), unit_across), nm_of(tags.valueof(65010), unit_down)


def _fei(tags: tifffile.TiffTags) -> _Sides:
    """Reads the section of the scan in FEI's and Thermo Fisher's tags, sizes in m."""
    sections = tags.valueof(34680, default={}) | tags.valueof(34682, default={})
    scans = (sections.get(name, {}) for name in ("Scan", "EScan", "IScan"))
    scan = next(scan for scan in scans if "PixelWidth" in scan)
    return nm_of(scan["PixelWidth"]), nm_of(scan.get("PixelHeight", scan["PixelWidth"]))


def _thermo(tags: tifffile.TiffTags) -> _Sides:
    """Reads the XML of Thermo Fisher and of TIA: PixelSize with X and Y, in m by default."""
    size = _elements(_text(tags.valueof(34683)), "PixelSize")[0]
    across, down = (nm_of(side.text, side.get("unit", "m")) for side in size)
    return across, down


def _zeiss(tags: tifffile.TiffTags) -> _Sides:
    """Reads SmartSEM's size of a stored pixel."""
    fields = tags.valueof(34118)
    if "ap_image_pixel_size" in fields:
        side = nm_of(" ".join(map(str, fields["ap_image_pixel_size"][1:])), "")
    else:
        # That of a screen of 1024 px, which shows the whole picture (RosettaSciIO).
        columns = int(fields["dp_image_store"][1].split("*")[0])
        side = nm_of(" ".join(map(str, fields["ap_pixel_size"][1:])), "") * 1024 / columns
    return side, side


def _sis(tags: tifffile.TiffTags) -> _Sides:
    """Reads the structure of Olympus SIS, sizes in m."""
    fields = tags.valueof(33560)
    return nm_of(fields["pixelsizex"]), nm_of(fields["pixelsizey"])


def _tvips(tags: tifffile.TiffTags) -> _Sides:
    """Reads the header of TVIPS cameras, sizes in nm."""
    fields = tags.valueof(37706)
    return nm_of(fields["PixelSizeX"], "nm"), nm_of(fields["PixelSizeY"], "nm")


def _ome(tags: tifffile.TiffTags) -> _Sides:
    """Reads the pixel size of OME-XML, in µm by default (OME schema 2016-06, Pixels)."""
    pixels = _elements(_text(tags.valueof(270)), "Pixels")
    size = {"SizeX": str(tags.valueof(256)), "SizeY": str(tags.valueof(257))}
    # Beside the picture there may be others, such as a label.
    this = next((one for one in pixels if size.items() <= one.attrib.items()), pixels[0])
    sides = [
        nm_of(this.get(f"PhysicalSize{axis}"), this.get(f"PhysicalSize{axis}Unit", "um"))
        for axis in "XY"
        if f"PhysicalSize{axis}" in this.attrib
    ]
    return sides[0], sides[-1]


def _hitachi(text: str) -> _Sides:
    """Reads Hitachi's text file, size in nm."""
    section = _found(r"^\[[ST]emImageFile\]([\s\S]*)", text)
    side = nm_of(_found(r"^PixelSize\s*=\s*(.+)", section), "nm")
    return side, side


def _jeol(text: str) -> _Sides:
    """Reads JEOL's text file: what the scale bar measures, over its length in px."""
    bar = float(_found(r"^\$\$SM_MICRON_BAR\s+(\S+)", text))
    side = nm_of(_found(r"^\$\$SM_MICRON_MARKER\s+(.+)", text), "") / bar
    return side, side


_IN_TIFF = (
    ("gatan", 65009, _gatan),
    ("fei", 34682, _fei),
    ("fei", 34680, _fei),
    ("fei", 34683, _thermo),
    ("zeiss", 34118, _zeiss),
    ("sis", 33560, _sis),
    ("tvips", 37706, _tvips),
    ("ome", 270, _ome),
)
_BESIDE = (("hitachi", _hitachi), ("jeol", _jeol))


def nm_of(value: object, unit: str = "m") -> float:
    """Returns a length in nm: a number of a unit, or a text that may name its own unit."""
    found = _LENGTH.match(str(value).strip())
    per = _nm_per(found[2] or unit) if found else None
    if found is None or per is None:
        raise ValueError(f"{value!r} {unit} is no length")
    return float(found[1].replace(",", ".")) * per


def _nm_per(unit: str) -> float | None:
    """Returns the nm of a unit by its name, None where it isn't one of lengths."""
    # ImageJ escapes letters outside of ASCII; programs that take UTF-8 for Latin-1 write Âµ.
    name = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), unit)
    name = unicodedata.normalize("NFKC", name).replace("\0", "").strip().casefold()
    name = name.replace("âμ", "μ").replace("metre", "meter")
    return _NM_PER.get(name, _NM_PER.get(name.removesuffix("s")))


def _found(pattern: str, text: str) -> str:
    """Returns the first group of a pattern in a text."""
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise ValueError(f"no {pattern}")
    return found[1]


def _elements(xml: str, name: str) -> list[ElementTree.Element]:
    """Returns the elements of a name, in any namespace."""
    return ElementTree.fromstring(xml.strip("\0 \r\n")).findall(f".//{{*}}{name}")


def _text(value: object) -> str:
    """Returns the text of a tag or file: UTF-16, UTF-8, else Latin-1."""
    if not isinstance(value, bytes):
        return "" if value is None else str(value)
    if value[:2] in (b"\xff\xfe", b"\xfe\xff") or value[1:2] == b"\0":
        return value.decode("utf-16", "replace")
    try:
        return value.decode("utf-8-sig")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _side_text(path: pathlib.Path) -> str:
    """Returns the text of a file, "" where there is none."""
    with contextlib.suppress(OSError):
        # A device might have no end, and a text file of a microscope isn't long.
        if path.is_file():
            with path.open("rb") as file:
                return _text(file.read(1_000_000))
    return ""
