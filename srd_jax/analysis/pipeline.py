"""Analyses one micrograph: finds its grana, turns, measures and counts each."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from srd_jax.analysis import cutting, direction, morphometry, outlines, strain
from srd_jax.analysis.granum import Analysis, Granum, Value
from srd_jax.analysis.instances import THRESHOLD, instances
from srd_jax.analysis.maps import Maps
from srd_jax.analysis.working_scale import estimate
from srd_jax.imaging.crop import Crop
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.imaging.orientation import orientation, tilt
from srd_jax.measuring.lamellae.counting import count_layers
from srd_jax.measuring.measurement import Measurement, Method
from srd_jax.measuring.result import DEFAULT_LIMITS, Limits, Result, result_of
from srd_jax.support.errors import InputError, reason

Detect = Callable[[Micrograph, float], Maps]

# Levels of the probability that the outline's uncertainty is measured by.
_LEVELS = (0.5, 0.3, 0.7)
# A granum whose pixels are less probable is doubtful.
_DOUBTFUL = 0.6
# px from the border of the micrograph within which a granum touches it, at least one of the maps.
_BORDER = 2.0


class Analysed(NamedTuple):
    """The result of a micrograph, with what pictures need.

    Attributes:
      analysis: its numbers.
      crops: grana that have a direction, cut out and turned, by number.
    """

    analysis: Analysis
    crops: Mapping[int, Crop]


@dataclasses.dataclass(frozen=True)
class _Found:
    """A granum before its period is measured.

    Attributes:
      granum: with outline, direction and size.
      crop: turned; None where it can't be.
      prepared: for the method, or the reason why it can't be measured.
    """

    granum: Granum
    crop: Crop | None
    prepared: Any


def analyse_micrograph(
    micrograph: Micrograph,
    detect: Detect,
    method: Method[Any],
    threshold: float = THRESHOLD,
    limits: Limits = DEFAULT_LIMITS,
    masks: np.ndarray | None = None,
) -> Analysed:
    """Analyses one micrograph.

    Args:
      micrograph: to analyse.
      detect: (micrograph, px_per_nm) → `Maps`; unused where masks are given.
      method: measures the period, see `methods.make`.
      threshold: least probability of a granum's pixels.
      limits: of status ok.
      masks: (rows, columns) labels of grana that somebody drew, in place of the detector's.
    """
    if masks is None:
        found = [*_detected(micrograph, detect, method, threshold)]
    else:
        found = [*_drawn(micrograph, masks, method)]
    answers = method.measure_good([one.prepared for one in found])
    grana, crops = [], {}
    for one, answer in zip(found, answers, strict=True):
        grana.append(_measured(micrograph, one, answer, method, limits))
        if one.crop is not None:
            crops[one.granum.number] = one.crop
    rows, columns = micrograph.grey.shape
    analysis = Analysis(
        micrograph.name,
        rows,
        columns,
        micrograph.px_per_nm,
        micrograph.source,
        tuple(grana),
        strain.of_grana(grana),
        micrograph.notes,
    )
    return Analysed(analysis, crops)


def _detected(micrograph: Micrograph, detect: Detect, method: Method[Any], threshold: float):
    """Yields the grana that a detector finds."""
    if min(micrograph.grey.shape) < 8:
        return
    scale = micrograph.px_per_nm or estimate(micrograph, detect)
    maps = detect(micrograph, scale)
    found = instances(maps, threshold, micrograph.px_per_nm)
    levels = tuple(level + threshold - 0.5 for level in _LEVELS)
    for number, probability in enumerate(found.detection, 1):
        best, *others = outlines.outlines(maps, found.labels, number, levels)
        if best is None:
            continue
        rough = direction.of_maps(maps, found.labels == number)
        mask, box = outlines.rasterised(best, micrograph.grey.shape)
        if mask.any():
            edge = _BORDER + 1 / maps.scale
            yield _found(
                micrograph, number, best, others, mask, box, rough, float(probability), edge, method
            )


def _drawn(micrograph: Micrograph, masks: np.ndarray, method: Method[Any]):
    """Yields the grana of a label image."""
    for number, box in enumerate(ndimage.find_objects(masks.astype(np.int32)), 1):
        if box is None:
            continue
        mask = masks[box] == number
        outline = outlines.of_mask(mask, (box[0].start, box[1].start))
        if outline is not None and len(outline) > 2:
            yield _found(micrograph, number, outline, [], mask, box, None, None, _BORDER, method)


def _found(
    micrograph: Micrograph,
    number: int,
    outline: np.ndarray,
    others: list[np.ndarray | None],
    mask: np.ndarray,
    box: tuple[slice, slice],
    rough: Value | None,
    detection: float | None,
    edge: float,
    method: Method[Any],
) -> _Found:
    """Returns a granum with its direction and size, prepared for the method."""
    rows, columns = micrograph.grey.shape
    low, high = outline.min(0), outline.max(0)
    down, right = (values.mean() for values in np.nonzero(mask))
    crop, prepared, degrees = None, "no direction of lamellae can be seen", rough
    try:
        plain = cutting.cut(micrograph, mask, box)
        degrees = direction.refined(rough, orientation(plain.image, mask))
        if degrees is not None:
            crop = cutting.turned(plain, degrees.value)
            prepared = method.prepare(crop)
    except InputError as error:
        prepared = reason(error, micrograph.name)
    sizes = morphometry.with_uncertainty(outline, others, degrees)
    granum = Granum(
        number=number,
        status="error",
        reason="",
        outline=tuple((float(x), float(y)) for x, y in outline),
        x_px=float(box[1].start + right + 0.5),
        y_px=float(box[0].start + down + 0.5),
        detection=detection,
        touches_border=bool(
            (low < edge).any() or high[0] > columns - edge or high[1] > rows - edge
        ),
        direction_deg=degrees,
        **sizes,
    )
    return _Found(granum, crop, prepared)


def _measured(
    micrograph: Micrograph,
    found: _Found,
    answer: Measurement | str,
    method: Method[Any],
    limits: Limits,
) -> Granum:
    """Returns a granum with its period, layers and status."""
    granum, crop = found.granum, found.crop
    doubts = []
    if granum.touches_border:
        doubts.append("touches the border of the micrograph")
    if granum.detection is not None and granum.detection < _DOUBTFUL:
        doubts.append(f"detection {granum.detection:.2f} is below {_DOUBTFUL:g}")
    if isinstance(answer, str) or crop is None:
        text = "; ".join([str(answer), *doubts])
        return dataclasses.replace(granum, status="low_confidence", reason=text)
    result = result_of(
        micrograph.name,
        answer,
        micrograph.px_per_nm,
        method.field_rows,
        micrograph.source,
        limits,
        tilt(crop.image, crop.mask),
        doubts=doubts,
        rows=int(crop.mask.sum(axis=0).max()),
    )
    if result.period_px is None:
        return dataclasses.replace(granum, status="low_confidence", reason=result.reason)
    sd = result.sd_px if result.sd_px is not None else math.nan
    granum = dataclasses.replace(
        granum,
        status=result.status,
        reason=result.reason,
        period_px=Value(result.period_px, sd),
    )
    return _counted(granum, crop, result, limits)


def _counted(granum: Granum, crop: Crop, result: Result, limits: Limits) -> Granum:
    """Returns a granum with its layers, and its thylakoids where the period is accepted."""
    period = granum.period_px
    assert period is not None
    layers = Value(*count_layers(crop.image, crop.mask, period.value, period.sd))
    thylakoids = None
    nm, sd_nm = result.period_nm, result.sd_nm
    accepted = result.status == "ok" or (
        nm is not None
        and sd_nm is not None
        and sd_nm <= limits.sd_nm
        and limits.period_nm[0] <= nm <= limits.period_nm[1]
    )
    if accepted and granum.height_px is not None:
        thylakoids = round(granum.height_px.value / period.value)
    return dataclasses.replace(granum, layers=layers, thylakoids=thylakoids)
