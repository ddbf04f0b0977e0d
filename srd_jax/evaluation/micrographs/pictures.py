"""Draws micrographs with the outlines of true and found grana."""

import io

import numpy as np
from PIL import Image, ImageDraw

from srd_jax.analysis.granum import Analysis
from srd_jax.evaluation.micrographs.areas import Area, outline
from srd_jax.evaluation.micrographs.cases import AS_ONE, FOUND, MISSING, WRONG, Compared
from srd_jax.evaluation.micrographs.truth import SURE, Annotated
from srd_jax.imaging.micrographs.micrograph import Micrograph

Colour = tuple[int, int, int]

# Distinct for all kinds of colour vision, and from grey (Okabe and Ito 2008).
COLOURS: dict[str, Colour] = {
    "true, found": (255, 170, 0),
    "true, missing": (204, 60, 160),
    "possible": (240, 228, 66),
    "found, right": (0, 158, 115),
    "found, wrong": (213, 60, 0),
    "found, neither": (86, 180, 233),
}
_MOST = 1100  # px of the longer side


def picture(
    micrograph: Micrograph, truth: Annotated, analysis: Analysis, compared: Compared
) -> bytes:
    """Draws a micrograph, reduced, with outlines in COLOURS and the found grana's numbers, as JPEG.

    Cases of `compared` tell the colours.
    """
    scale = min(1.0, _MOST / max(micrograph.grey.shape))
    shown = _reduced(micrograph.grey, scale)
    pen = ImageDraw.Draw(shown)
    missing = {case.true for case in compared.cases if case.outcome == MISSING}
    for one in truth.grana:
        kind = "true, missing" if one.name in missing else "true, found"
        colour = COLOURS[kind if one.certainty == SURE else "possible"]
        for ring in _rings(one.area):
            _draw(pen, ring * scale, colour, 3 if kind == "true, missing" else 2)
    outcomes = {case.number: case.outcome for case in compared.cases if case.number is not None}
    for granum in analysis.grana:
        outcome = outcomes.get(granum.number)
        kind = "found, right" if outcome in (FOUND, AS_ONE) else "found, neither"
        colour = COLOURS["found, wrong" if outcome == WRONG else kind]
        if len(granum.outline) > 2:
            _draw(pen, np.array(granum.outline) * scale, colour, 2)
        at = (granum.x_px * scale, granum.y_px * scale)
        pen.text(at, str(granum.number), fill=colour, anchor="mm", stroke_width=2, stroke_fill=0)
    file = io.BytesIO()
    # Subsampled colours would wash out the outlines.
    shown.save(file, "JPEG", quality=82, subsampling=0)
    return file.getvalue()


def _reduced(grey: np.ndarray, scale: float) -> Image.Image:
    step = max(int(1 / scale) // 2, 1)
    some = np.asarray(grey[::step, ::step], np.float32)
    low, high = np.percentile(some, (0.5, 99.5))
    bytes_ = (255 * np.clip((some - low) / max(high - low, 1e-9), 0, 1)).astype(np.uint8)
    size = (max(round(grey.shape[1] * scale), 1), max(round(grey.shape[0] * scale), 1))
    return Image.fromarray(bytes_).resize(size, Image.Resampling.BOX).convert("RGB")


def _rings(area: Area) -> list[np.ndarray]:
    if area.mask is None:
        return list(area.polygons)
    ring = outline(area.mask, area.corner)
    return [] if ring is None else [ring]


def _draw(pen: ImageDraw.ImageDraw, ring: np.ndarray, colour: Colour, width: int) -> None:
    # Far outside, coordinates would overflow.
    points = [tuple(point) for point in np.clip(ring, -1e4, 1e4).tolist()]
    pen.line([*points, points[0]], fill=colour, width=width, joint="curve")
