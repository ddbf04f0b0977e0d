"""Writes drawn micrographs with annotations of their grana, as annotated real ones have."""

import json
import os
import pathlib

import numpy as np
import tifffile
from skimage.measure import approximate_polygon, find_contours

from srd_jax.support.files import whole_folder, write_text
from srd_jax.support.terminal import track
from srd_jax.synthetic.scenes.micrographs import DrawnGranum, DrawnMicrograph, draw

_CM_PER_NM = 1e-7
# Seeds go on from 0 after the last one.
_SEEDS = 2**31
# Corners of an outline are left out where it moves by no more than this, px.
_TOLERANCE = 0.5


def write(out: str | os.PathLike[str], count: int, seed: int) -> None:
    """Draws micrographs, each a TIFF with its scale and a JSON file with the truth beside.

    Args:
      out: a new or an empty folder.
      count: number of micrographs.
      seed: of the first one; the next ones have the next seeds.

    Raises:
      InputError: `out` is neither new nor empty, or a file can't be written.
    """
    digits = len(str(count - 1))
    with whole_folder(out) as folder:
        for index in track(range(count), "drawing", count):
            _write(folder / f"micrograph_{index:0{digits}}.tif", draw((seed + index) % _SEEDS))


def _write(path: pathlib.Path, drawn: DrawnMicrograph) -> None:
    resolution = drawn.px_per_nm / _CM_PER_NM
    tifffile.imwrite(
        path,
        drawn.grey,
        photometric="minisblack",
        compression="zlib",
        resolution=(resolution, resolution),
        resolutionunit="CENTIMETER",
        # That of the package would mark it as a picture of results, which is no input.
        software=False,
        metadata=None,
    )
    rows, columns = drawn.grey.shape
    content = {
        "image": path.name,
        "size": [columns, rows],
        "px_per_nm": drawn.px_per_nm,
        "strain": drawn.strain,
        "grana": [_annotation(one, drawn.labels == one.number) for one in drawn.grana],
    }
    write_text(path.with_suffix(".json"), json.dumps(content, indent=1, allow_nan=False) + "\n")


def _annotation(granum: DrawnGranum, mask: np.ndarray) -> dict[str, object]:
    """Returns what is known of a granum; where it can't be read, that it is possible."""
    known = {
        "direction_deg": granum.direction_deg,
        "period_px": granum.period_px,
        "layers": granum.layers,
    }
    return {
        "id": str(granum.number),
        "polygon": _polygon(mask),
        "certainty": "sure" if granum.certain else "possible",
        **(known if granum.certain else dict.fromkeys(known)),
        "cut_by_border": granum.touches_border,
    }


def _polygon(mask: np.ndarray) -> list[list[float]]:
    """Returns the outline of the largest part of a mask, x and y in px from the corner."""
    outlines = find_contours(np.pad(mask, 1).astype(np.float32), 0.5)
    longest = approximate_polygon(max(outlines, key=len), _TOLERANCE)
    # A pad of one px, and pixels whose centres lie half a px from their corners.
    return [[round(float(x) - 0.5, 2), round(float(y) - 0.5, 2)] for y, x in longest[:-1]]
