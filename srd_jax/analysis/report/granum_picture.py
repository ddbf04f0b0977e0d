"""Draws a granum by itself, turned, with its lamellae traced where its period is known."""

import math
import pathlib

import numpy as np
from PIL import Image

from srd_jax.analysis.granum import Analysis, Granum
from srd_jax.analysis.report import annotated
from srd_jax.imaging.crop import Crop
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.picture import png_text
from srd_jax.support.errors import unexpected
from srd_jax.support.files import whole_file
from srd_jax.support.terminal import printable

_MARGIN = 0.1  # of the longer side, around a granum that isn't turned


def write(
    path: pathlib.Path,
    micrograph: Micrograph,
    analysis: Analysis,
    granum: Granum,
    crop: Crop | None,
) -> list[str]:
    """Writes the picture of a granum as a PNG; returns why it couldn't be drawn, [] if it could.

    Args:
      path: of the PNG.
      micrograph: that it lies on.
      analysis: of the micrograph.
      granum: of the analysis.
      crop: of the granum, turned; None if its direction isn't known.

    Raises:
      InputError: the file can't be written.
    """
    try:
        drawn = picture(micrograph, analysis, granum, crop)
    except Exception as error:
        return [f"{analysis.file}: granum {granum.number} couldn't be drawn ({unexpected(error)})"]
    with whole_file(path) as temporary:
        drawn.save(temporary, "PNG", pnginfo=png_text())
    return []


def picture(
    micrograph: Micrograph, analysis: Analysis, granum: Granum, crop: Crop | None
) -> Image.Image:
    """Draws a granum; see `write`."""
    if crop is None or granum.period_px is None:
        return unturned(micrograph, analysis, granum)
    return _traced(crop, granum, caption(analysis, granum), analysis.px_per_nm)


def _traced(crop: Crop, granum: Granum, words: str, px_per_nm: float | None) -> Image.Image:
    """Draws a turned granum with its lamellae."""
    from srd_jax.measuring.lamellae.picture import lamellae_picture

    period = granum.period_px
    assert period is not None
    return lamellae_picture(crop.image, crop.mask, period.value, period.sd, words, px_per_nm)


def unturned(micrograph: Micrograph, analysis: Analysis, granum: Granum) -> Image.Image:
    """Draws the part of a micrograph around a granum, with its outline."""
    x, y = np.array(granum.outline or ((granum.x_px, granum.y_px),), float).T
    margin = max(8.0, _MARGIN * max(np.ptp(x), np.ptp(y)))
    rows, columns = micrograph.grey.shape
    left, right = max(0, math.floor(x.min() - margin)), min(columns, math.ceil(x.max() + margin))
    top, bottom = max(0, math.floor(y.min() - margin)), min(rows, math.ceil(y.max() + margin))
    moved = Granum(
        number=granum.number,
        status=granum.status,
        reason="",
        outline=tuple((one[0] - left, one[1] - top) for one in granum.outline),
        x_px=granum.x_px - left,
        y_px=granum.y_px - top,
        detection=None,
        touches_border=granum.touches_border,
    )
    part = Micrograph(micrograph.name, micrograph.grey[top:bottom, left:right])
    alone = Analysis(analysis.file, px_per_nm=analysis.px_per_nm, grana=(moved,))
    return annotated.picture(part, alone)


def caption(analysis: Analysis, granum: Granum) -> str:
    """Returns lines about a granum: file and number; SRD and layers; reasons."""
    name = printable(pathlib.Path(analysis.file).name)
    lines = [f"{name} granum {granum.number}"]
    period, scale = granum.period_px, analysis.px_per_nm
    found = []
    if period is not None and scale is not None:
        found.append(f"SRD {period.value / scale:.2f} nm, sd {period.sd / scale:.2f} nm")
    elif period is not None:
        found.append(f"period {period.value:.2f} px, sd {period.sd:.2f} px")
    if granum.layers is not None:
        found.append(f"{granum.layers.value:.1f} layers, sd {granum.layers.sd:.1f}")
    lines.append(", ".join([*found, granum.status.replace("_", " ")]))
    return "\n".join([*lines, *filter(None, printable(granum.reason).split("; "))])
