"""Analyses one micrograph: finds its grana, turns, measures and counts each."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np

from srd_jax.analysis import candidates, cutting, direction, morphometry, strain
from srd_jax.analysis.candidates import Candidate, Detect
from srd_jax.analysis.granum import Analysis, Granum, Value
from srd_jax.analysis.instances import THRESHOLD
from srd_jax.analysis.working_scale import estimate
from srd_jax.imaging.crop import Crop
from srd_jax.imaging.micrographs.micrograph import Micrograph
from srd_jax.measuring.lamellae.counting import count_layers
from srd_jax.measuring.measurement import Measurement, Method
from srd_jax.measuring.result import DEFAULT_LIMITS, Limits, Result, result_of
from srd_jax.support.errors import InputError, reason, unexpected

# Grana that are prepared before they are measured; each takes some MB.
_AT_ONCE = 32

_Made = TypeVar("_Made")


class Analysed(NamedTuple):
    """The result of a micrograph, with what pictures need.

    Attributes:
      analysis: its numbers.
      crops: grana that have a direction, cut out and turned, by number.
      measurements: of their periods, by number; of those that could be measured.
    """

    analysis: Analysis
    crops: Mapping[int, Crop]
    measurements: Mapping[int, Measurement]


class _Prepared(NamedTuple):
    """A granum before its period is measured.

    Attributes:
      granum: with outline, direction and size.
      doubts: why it isn't to be trusted, whatever its period.
      notes: facts about it.
      crop: turned; None where it can't be.
      prepared: for the method, or the reason why it can't be measured.
      given: the period that a person set, which isn't measured; None where it is.
    """

    granum: Granum
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    crop: Crop | None
    prepared: Any
    given: Measurement | None


def analyse_micrograph(
    micrograph: Micrograph,
    detect: Detect | None,
    method: Method[Any],
    threshold: float = THRESHOLD,
    limits: Limits = DEFAULT_LIMITS,
    masks: np.ndarray | None = None,
) -> Analysed:
    """Analyses one micrograph.

    A granum that touches the border, is tiny or doubtful, or whose period can't be read, is
    low_confidence with the reason; what could be measured of it is kept.

    Args:
      micrograph: to analyse.
      detect: (micrograph, px_per_nm) → `Maps`; unused where masks are given, and may then be None.
      method: measures the period, see `methods.make`.
      threshold: least probability of a granum's pixels.
      limits: of status ok.
      masks: (rows, columns) labels of grana that somebody drew, in place of the detector's.

    Raises:
      InputError: the masks aren't labels of the micrograph's shape, the detector can't read the
        micrograph, or the device's memory doesn't suffice.
    """
    notes, found = micrograph.notes, iter(())
    if masks is not None:
        found = candidates.drawn(micrograph, np.asarray(masks))
    elif detect is not None:
        scale = micrograph.px_per_nm
        if scale is None:
            scale, note = estimate(micrograph, detect)
            notes = (*notes, note)
        found = candidates.detected(micrograph, detect, scale, threshold)
    grana, crops, measurements = measure(micrograph, found, method, threshold, limits)
    rows, columns = micrograph.grey.shape
    analysis = Analysis(
        file=micrograph.name,
        rows=rows,
        columns=columns,
        px_per_nm=micrograph.px_per_nm,
        px_per_nm_source=micrograph.source,
        strips=micrograph.strips,
        grana=tuple(grana),
        strain=strain.of_grana(grana),
        notes=notes,
    )
    return Analysed(analysis, crops, measurements)


def measure(
    micrograph: Micrograph,
    found: Iterable[Candidate],
    method: Method[Any],
    threshold: float = THRESHOLD,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[list[Granum], dict[int, Crop], dict[int, Measurement]]:
    """Turns, measures and counts grana that are outlined; returns them as `Analysed` has them.

    Args:
      found: the grana; for the other arguments see `analyse_micrograph`.

    Raises:
      InputError: the device's memory doesn't suffice.
    """
    grana, crops, measurements = [], {}, {}
    ready = (_prepared(micrograph, one, method, threshold) for one in found)
    for batch in _batches(ready, _AT_ONCE):
        answers = _answers(micrograph.name, method, [one.prepared for one in batch])
        for one, measured in zip(batch, answers, strict=True):
            answer = one.given or measured
            grana.append(_measured(micrograph, one, answer, method, limits))
            if one.crop is not None:
                crops[one.granum.number] = one.crop
            if isinstance(answer, Measurement):
                measurements[one.granum.number] = answer
    return grana, crops, measurements


def _answers(name: str, method: Method[Any], prepared: list[Any]) -> list[Measurement | str]:
    """Measures grana; if one of them breaks the method, each alone.

    Raises:
      InputError: the device's memory doesn't suffice.
    """
    try:
        return method.measure_good(prepared)
    except InputError:
        raise
    except Exception:
        return [_or_reason(name, lambda one=one: method.measure_good([one])[0]) for one in prepared]


def _batches(items: Iterable[_Made], size: int) -> Iterator[list[_Made]]:
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch


def _or_reason(name: str, function: Callable[[], _Made]) -> _Made | str:
    """Returns what a function makes of a granum, or the reason why it can't."""
    try:
        return function()
    except InputError as error:
        return reason(error, name)
    except Exception as error:
        return f"could not be measured ({unexpected(error)})"


def _prepared(
    micrograph: Micrograph, one: Candidate, method: Method[Any], threshold: float
) -> _Prepared:
    """Returns a granum with its direction and size, prepared for the method."""

    def turned() -> tuple[Value | None, Crop | None, float]:
        plain = cutting.cut(micrograph, one.mask, one.box)
        degrees = one.direction
        if degrees is None:
            degrees = direction.combined(one.rough, direction.of_pixels(plain, one.period_px))
        if degrees is None:
            return None, None, 0.0
        astray = direction.astray(plain, one.period_px, degrees.value)
        return degrees, cutting.turned(plain, degrees.value), astray

    found = _or_reason(micrograph.name, turned)
    nothing = one.direction or one.rough, None, 0.0
    degrees, crop, astray = nothing if isinstance(found, str) else found
    given = None
    if isinstance(found, str):
        prepared = found
    elif crop is None:
        prepared = "no direction of lamellae can be seen"
    elif one.period is not None:
        prepared = "the period is given"
        box = (0, crop.mask.shape[0], 0, crop.mask.shape[1])
        given = Measurement(one.period.value, one.period.sd, None, 1.0, box)
    else:
        prepared = _or_reason(micrograph.name, lambda: method.prepare(crop))
    down, right = (values.mean() for values in np.nonzero(one.mask))
    granum = Granum(
        number=one.number,
        status="low_confidence",
        reason="",
        outline=tuple((float(x), float(y)) for x, y in one.outline),
        x_px=float(one.box[1].start + right + 0.5),
        y_px=float(one.box[0].start + down + 0.5),
        detection=one.detection,
        touches_border=one.touches_border,
        direction_deg=degrees,
    )
    sizes = morphometry.with_uncertainty(one.outline, one.others, degrees)
    granum = dataclasses.replace(granum, **sizes)
    doubts = (*one.doubts, *candidates.doubts(granum, astray, micrograph.px_per_nm, threshold))
    return _Prepared(granum, doubts, one.notes, crop, prepared, given)


def _measured(
    micrograph: Micrograph,
    found: _Prepared,
    answer: Measurement | str,
    method: Method[Any],
    limits: Limits,
) -> Granum:
    """Returns a granum with its period, layers and status."""
    granum, crop = found.granum, found.crop
    if isinstance(answer, str) or crop is None:
        text = "; ".join([str(answer), *found.doubts, *found.notes])
        return dataclasses.replace(granum, reason=text)
    doubts = found.doubts
    area, period = granum.area_px2, answer.period_px
    if micrograph.px_per_nm is None and area is not None and period > 0:
        periods2 = area.value / period**2
        if periods2 < candidates.TINY_PERIODS2:
            doubts += (
                f"area of {periods2:.0f} squared periods is below {candidates.TINY_PERIODS2:g}",
            )
    result = result_of(
        micrograph.name,
        answer,
        micrograph.px_per_nm,
        None if found.given else method.field_rows,
        micrograph.source,
        limits,
        _tilt(crop, answer.period_px),
        found.notes,
        doubts,
        int(crop.mask.sum(axis=0).max()),
    )
    if result.period_px is None:
        text = "; ".join([result.reason, *doubts, *found.notes])
        return dataclasses.replace(granum, reason=text)
    sd = result.sd_px if result.sd_px is not None else math.nan
    granum = dataclasses.replace(
        granum,
        status=result.status,
        reason=result.reason,
        period_px=Value(result.period_px, sd),
    )
    return _counted(micrograph.name, granum, crop, result, limits)


def _tilt(crop: Crop, period_px: float) -> float | None:
    """Returns the direction of a turned crop's lamellae of a period; None where it isn't clear."""
    if not 1 < period_px < max(crop.mask.shape):
        return None
    found = direction.of_pixels(crop, period_px)
    if found is None or found.sd > candidates.UNSURE_DIRECTION:
        return None
    return (found.value + 90) % 180 - 90


def _counted(name: str, granum: Granum, crop: Crop, result: Result, limits: Limits) -> Granum:
    """Returns a granum with its layers, and its thylakoids where the period is accepted."""
    period = result.period_px
    assert period is not None
    counted = _or_reason(
        name, lambda: Value(*count_layers(crop.image, crop.mask, period, result.sd_px))
    )
    if isinstance(counted, str):
        text = "; ".join(filter(None, [granum.reason, f"layers: {counted}"]))
        granum = dataclasses.replace(granum, reason=text)
    else:
        granum = dataclasses.replace(granum, layers=counted)
    nm, sd_nm = result.period_nm, result.sd_nm
    accepted = result.status == "ok" or (
        nm is not None
        and sd_nm is not None
        and sd_nm <= limits.sd_nm
        and limits.period_nm[0] <= nm <= limits.period_nm[1]
    )
    if not accepted or granum.height_px is None:
        return granum
    return dataclasses.replace(granum, thylakoids=round(granum.height_px.value / period))
