"""Writes the outlines of grana for other programs: ImageJ's ROIs, and GeoJSON as QuPath has it."""

import json
import pathlib
import zipfile
from typing import Any

import numpy as np

from srd_jax.analysis.granum import Analysis, Granum
from srd_jax.analysis.output.quantities import IN_PX, QUANTITIES, in_file
from srd_jax.support.files import whole_file, write_text

# Of Okabe and Ito, distinct for all kinds of colour vision, also on grey.
COLOURS = {
    "ok": (86, 180, 233),
    "low_confidence": (230, 159, 0),
    "error": (213, 94, 0),
    "excluded": (204, 121, 167),
}
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can hold


def write_rois(path: pathlib.Path, analysis: Analysis) -> None:
    """Writes a zip file of polygons for the ROI manager of ImageJ, named by the grana's numbers.

    The same outlines give the same bytes.

    Raises:
      InputError: the file can't be written.
    """
    with whole_file(path) as temporary, zipfile.ZipFile(temporary, "w") as file:
        for granum in _polygons(analysis):
            entry = zipfile.ZipInfo(f"{granum.number}.roi", _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, _roi(granum))


def _roi(granum: Granum) -> bytes:
    """Returns the file of a polygon, whose coordinates ImageJ, too, counts from a corner."""
    import roifile

    points = np.array(granum.outline, np.float32)
    roi = roifile.ImagejRoi.frompoints(points, name=str(granum.number))
    roi.roitype = roifile.ROI_TYPE.POLYGON
    roi.stroke_color = bytes((255, *COLOURS[granum.status]))  # alpha first
    return roi.tobytes()


def write_geojson(path: pathlib.Path, analysis: Analysis) -> None:
    """Writes outlines as a FeatureCollection (RFC 7946, but in px, y down), as QuPath imports it.

    Raises:
      InputError: the file can't be written.
    """
    features = [_feature(granum, analysis) for granum in _polygons(analysis)]
    content = {"type": "FeatureCollection", "features": features}
    write_text(path, json.dumps(content, allow_nan=False) + "\n")


def _feature(granum: Granum, analysis: Analysis) -> dict[str, Any]:
    ring = [[float(x), float(y)] for x, y in granum.outline]
    if ring[0] != ring[-1]:
        ring.append(ring[0])
    measured = {
        quantity.name: value.value
        for quantity in (*QUANTITIES, *IN_PX)
        if (value := quantity.of(granum, analysis)) is not None
    }
    if granum.direction_deg is not None:
        measured["direction_deg"] = granum.direction_deg.value
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "properties": {
            "objectType": "annotation",
            "name": str(granum.number),
            "granum": granum.number,
            "status": granum.status,
            "reason": granum.reason,
            "touches_border": granum.touches_border,
            "classification": {"name": granum.status, "color": list(COLOURS[granum.status])},
            "measurements": measured,
        },
    }


def _polygons(analysis: Analysis) -> list[Granum]:
    return [in_file(granum, analysis) for granum in analysis.grana if len(granum.outline) >= 3]
