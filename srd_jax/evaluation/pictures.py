"""Pictures of single cases: the crop with a comb of its true and one of its measured period."""

import io

import numpy as np
from PIL import Image, ImageDraw

from srd_jax.evaluation.cases import Shown
from srd_jax.imaging.dataset import SHORTEST_PERIOD_PX
from srd_jax.measuring.overlays import ruler

TRUE, MEASURED = (255, 170, 0), (0, 230, 255)  # apart from grey and from each other

_SIDE = 900  # px; smaller crops are magnified by a whole factor up to about this


def picture(one: Shown) -> bytes:
    """Returns a JPEG of a crop, white outside of its granum, with both combs side by side.

    Both stand in the part that was measured, that of the true period on the left; each is placed so
    that its teeth lie on dark rows as well as its period allows, see `visualize.ruler`.
    """
    image, mask, box = one.granum.image, one.granum.mask, one.measurement.box
    rows, columns = image.shape
    scale = max(1, _SIDE // max(rows, columns))
    paper = np.where(mask, image, 1.0)
    grey = Image.fromarray(np.rint(255 * paper.clip(0, 1)).astype(np.uint8))
    shown = grey.convert("RGB").resize((columns * scale, rows * scale), Image.Resampling.BICUBIC)
    pen, unit = ImageDraw.Draw(shown), max(1, max(shown.size) // 300)
    combs = ((TRUE, one.case.true_px), (MEASURED, one.measurement.period_px))
    for index, (colour, period_px) in enumerate(combs):
        # A comb of shorter teeth couldn't be drawn.
        if period_px < SHORTEST_PERIOD_PX:
            continue
        column, teeth = ruler(image, mask, box, period_px)
        left = scale * column + 12 * unit * index
        right, ends = left + 9 * unit, (scale * box[0], scale * box[1] - 1)
        strokes = [(left, ends[0], left, ends[1])]
        strokes += [(left, y, right, y) for y in scale * (teeth + 0.5)]
        for ink, width in (((0, 0, 0), 2 * unit + 1), (colour, unit)):
            for stroke in strokes:
                pen.line(stroke, fill=ink, width=width)
    file = io.BytesIO()
    # Without subsampling of the colours, which would wash out the combs.
    shown.save(file, "JPEG", quality=88, subsampling=0)
    return file.getvalue()
