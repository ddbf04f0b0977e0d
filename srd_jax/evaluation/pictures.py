"""Draws single cases: a crop with combs of its true and its measured period."""

import io

import numpy as np
from PIL import Image, ImageDraw

from srd_jax.evaluation.cases import Shown
from srd_jax.imaging import SHORTEST_PERIOD_PX
from srd_jax.imaging.picture import to_bytes
from srd_jax.measuring.overlays import BLACK, COMB, draw_comb, magnified, ruler

TRUE, MEASURED = (255, 170, 0), COMB  # apart from grey and from each other


def picture(one: Shown) -> bytes:
    """Draws a crop, white outside of its granum, with both combs, as a JPEG.

    The combs stand in the measured part, the true period on the left; see `overlays.ruler` for how
    their teeth are placed.
    """
    image, mask, box = one.granum.image, one.granum.mask, one.measurement.box
    paper = np.where(mask, image, 1.0)
    grey = Image.fromarray(to_bytes(paper.clip(0, 1)))
    shown, scale = magnified(grey.convert("RGB"))
    pen, unit = ImageDraw.Draw(shown), max(1, max(shown.size) // 300)
    ends = scale * box[0], scale * box[1] - 1
    combs = ((TRUE, one.granum.period_px), (MEASURED, one.measurement.period_px))
    for index, (colour, period_px) in enumerate(combs):
        # A shorter period can't be drawn.
        if period_px < SHORTEST_PERIOD_PX:
            continue
        column, teeth = ruler(image, mask, box, period_px)
        left = scale * column + 12 * unit * index
        strokes = ((BLACK, 2 * unit + 1), (colour, unit))
        draw_comb(pen, left, scale * (teeth + 0.5), ends, 9 * unit, strokes)
    file = io.BytesIO()
    # Subsampled colours would wash out the combs.
    shown.save(file, "JPEG", quality=88, subsampling=0)
    return file.getvalue()
