"""Measures single grana anew, as persons outlined and turned them."""

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from srd_jax.analysis import candidates, pipeline
from srd_jax.analysis.candidates import Candidate
from srd_jax.analysis.granum import Analysis, Granum, Value
from srd_jax.analysis.instances import THRESHOLD
from srd_jax.analysis.outlines import SDS_APART
from srd_jax.analysis.output import records
from srd_jax.analysis.report import granum_picture
from srd_jax.imaging.crop import Crop
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.picture import png_text
from srd_jax.measuring.lamellae.counting import USUAL_SD
from srd_jax.measuring.measurement import Method
from srd_jax.review.state import geometry
from srd_jax.review.state.tasks import Task

# Sds of what a person sets: an outline, px, as of masks that somebody drew (`analysis.outlines`),
# and a direction, degrees. A period has that of one without an sd.
_OUTLINE_SD, _DIRECTION_SD = 1.0, 2.0
# An earlier direction tells half of its weight by the same pixels as a new one.
_SAME_PIXELS = math.sqrt(2.0)


def measure(
    micrograph: Micrograph, tasks: Sequence[Task], method: Method[Any]
) -> list[tuple[Granum, bytes]]:
    """Measures grana of one micrograph.

    Args:
      micrograph: that they lie on.
      tasks: the grana, all with one threshold.
      method: measures the period.

    Returns:
      Each granum, and a PNG of it, turned, with its lamellae traced; empty where it can't be drawn.

    Raises:
      InputError: an outline holds no pixel.
    """
    found = [_candidate(micrograph, task) for task in tasks]
    threshold = next((one.threshold for one in tasks if one.threshold is not None), THRESHOLD)
    grana, crops, _ = pipeline.measure(micrograph, found, method, threshold)
    rows, columns = micrograph.grey.shape
    analysis = Analysis(
        micrograph.name, rows, columns, micrograph.px_per_nm, micrograph.source, tuple(grana)
    )
    analysis = records.finite(analysis)
    return [
        (one, _picture(micrograph, analysis, one, crops.get(one.number))) for one in analysis.grana
    ]


def _candidate(micrograph: Micrograph, task: Task) -> Candidate:
    """Returns a granum with what a person set and what was known of it before."""
    before, sd = task.before, _OUTLINE_SD
    same = task.like == "outline"
    if same and before and before.area_px2 and before.perimeter_px:
        sd = before.area_px2.sd / before.perimeter_px.value
    shape = (micrograph.grey.shape[0], micrograph.grey.shape[1])
    away = sd * SDS_APART / 2
    others = tuple(geometry.moved(task.outline, px, shape) for px in (away, -away) if away > 0)
    outline = np.array(task.outline, float)
    one = candidates.outlined(micrograph, task.number, outline, others)
    if task.direction_deg is not None:
        one = one._replace(direction=Value(task.direction_deg, _DIRECTION_SD))
    if task.period_px is not None:
        one = one._replace(period=Value(task.period_px, USUAL_SD * task.period_px))
    by_hand = {"direction": task.direction_deg, "period": task.period_px}
    notes = tuple(f"{name} by hand" for name, value in by_hand.items() if value is not None)
    one = one._replace(notes=notes)
    if before is None:
        return one
    if before.period_px is not None:
        one = one._replace(period_px=before.period_px.value)
    if task.like != "period" and before.direction_deg is not None:
        rough = before.direction_deg
        one = one._replace(rough=Value(rough.value, rough.sd * _SAME_PIXELS))
    if same:
        one = one._replace(detection=before.detection, touches_border=before.touches_border)
    return one


def _picture(
    micrograph: Micrograph, analysis: Analysis, granum: Granum, crop: Crop | None
) -> bytes:
    """Returns the PNG of a granum; b"" where it can't be drawn, which is no reason to lose it."""
    content = io.BytesIO()
    try:
        drawn = granum_picture.picture(micrograph, analysis, granum, crop)
        drawn.save(content, "PNG", pnginfo=png_text())
    except Exception:
        return b""
    return content.getvalue()
