"""Reads the pixel size from the tags of a TIFF file."""

from collections.abc import Mapping
from typing import Any

import tifffile

# A micrograph that shows thylakoid membranes lies well within this range. 72 and 300 dpi, which
# graphics programs write by default, are about 1e-5 px per nm.
_PLAUSIBLE_PX_PER_NM = (0.05, 20.0)

# Pixels whose sides differ by a greater share have no single pixel size.
_MAX_ASPECT_DIFFERENCE = 0.01

# Codes of the tag ResolutionUnit: inch and centimetre (TIFF 6.0), millimetre and micrometre
# (an extension that tifffile writes). Code 1 means "no unit".
_NM_PER_TAG_UNIT = {2: 2.54e7, 3: 1e7, 4: 1e6, 5: 1e3}

_NM_PER_IMAGEJ_UNIT = {
    "nm": 1.0,
    "nanometer": 1.0,
    "a": 0.1,
    "å": 0.1,
    "angstrom": 0.1,
    "um": 1e3,
    "µm": 1e3,
    "micron": 1e3,
    "micrometer": 1e3,
    "mm": 1e6,
    "cm": 1e7,
    "inch": 2.54e7,
}


def px_per_nm(page: tifffile.TiffPage, imagej: Mapping[str, Any] | None) -> float | None:
    """Reads the scale of a TIFF page from its resolution tags.

    A unit in ImageJ's own metadata replaces the tag ResolutionUnit.

    Args:
      page: the page that holds the image.
      imagej: the file's ImageJ metadata, None where there is none.

    Returns:
      px per nm; None where the file doesn't state it, the axes differ by more than 1 %, or it isn't
      between 0.05 and 20.
    """
    across, down = (_ratio(page.tags.valueof(code)) for code in (282, 283))
    if imagej is not None and "unit" in imagej:
        nm_per_unit = _NM_PER_IMAGEJ_UNIT.get(_unit_name(str(imagej["unit"])))
    else:
        nm_per_unit = _NM_PER_TAG_UNIT.get(page.tags.valueof(296, default=2))
    if across is None or down is None or nm_per_unit is None:
        return None
    if abs(across / down - 1) > _MAX_ASPECT_DIFFERENCE:
        return None
    # The period runs down the rows, so the vertical resolution decides.
    scale = down / nm_per_unit
    return scale if _PLAUSIBLE_PX_PER_NM[0] <= scale <= _PLAUSIBLE_PX_PER_NM[1] else None


def _ratio(value: tuple[int, int] | float | None) -> float | None:
    """Returns a rational tag as a number, None where it is missing or isn't positive."""
    if value is None:
        return None
    numerator, denominator = value if isinstance(value, tuple) else (value, 1)
    return numerator / denominator if numerator > 0 and denominator > 0 else None


def _unit_name(text: str) -> str:
    """Returns one spelling of a unit; ImageJ escapes the micro sign, and writes two of them."""
    name = text.strip().lower().replace("\\u00b5", "µ").replace("\u03bc", "µ")
    return name.removesuffix("s").replace("metre", "meter")
