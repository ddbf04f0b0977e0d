"""Cases: each crop as measured by each method, beside its true period."""

import dataclasses
import heapq
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from srd_jax.evaluation import traits
from srd_jax.imaging.annotations import Bad
from srd_jax.imaging.crop import Crop
from srd_jax.imaging.dataset import Granum
from srd_jax.imaging.orientation import tilt
from srd_jax.imaging.preparation import FRAME, MAX_ROWS
from srd_jax.measuring.measurement import Measurement, Method
from srd_jax.measuring.result import DEFAULT_LIMITS, Limits, result_of
from srd_jax.support.errors import InputError, one_line

STATUSES = ("ok", "low_confidence", "failed")


@dataclasses.dataclass(frozen=True)
class Case:
    """One crop and one method; lengths in px of the crop, None if not known.

    Attributes:
      name: of the crop.
      method: name of the method.
      true_px: true period.
      period_px: measured period; None if the method failed.
      sd_px: predicted standard deviation, by methods that predict one.
      quality: 0..1, by methods that give one.
      error_px: measured minus true period.
      error_percent: the same in per cent of the true period.
      status: ok, low_confidence or failed.
      reason: why the status isn't ok, or what is missing.
      layers: height of the granum over the true period, see `traits.height`.
      contrast: of the lamellae, see `traits.contrast`.
      noise: relative to the lamellae, see `traits.noise`.
      px_per_nm: scale.
      frame_scale: px of the network's frame per px of the crop, vertically.
    """

    name: str
    method: str
    true_px: float | None
    period_px: float | None
    sd_px: float | None
    quality: float | None
    error_px: float | None
    error_percent: float | None
    status: str
    reason: str
    layers: float | None = None
    contrast: float | None = None
    noise: float | None = None
    px_per_nm: float | None = None
    frame_scale: float | None = None


@dataclasses.dataclass(frozen=True)
class Shown:
    """A case with granum and measurement, for a picture."""

    case: Case
    granum: Granum
    measurement: Measurement


def evaluate(
    grana: Iterable[Granum],
    methods: Mapping[str, Method],
    worst: int = 6,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[list[Case], dict[str, list[Shown]]]:
    """Measures grana by all methods; a crop that a method can't measure is a failed case.

    Only the images of the worst cases are kept in memory.

    Args:
      grana: with their true periods.
      methods: by name.
      worst: number of cases kept with their images for each method.
      limits: of status ok.

    Returns:
      The cases, crop by crop and method by method; and for each method its cases with the greatest
      errors in per cent, greatest first.

    Raises:
      InputError: the device's memory doesn't suffice.
    """
    cases: list[Case] = []
    shown: dict[str, list[Shown]] = {name: [] for name in methods}
    grana = iter(grana)
    size = max(method.batch_size for method in methods.values())
    while part := list(itertools.islice(grana, size)):
        crops = [Crop(one.image, one.mask, one.px_per_nm, "") for one in part]
        found = {name: _measure(method, crops) for name, method in methods.items()}
        for index, granum in enumerate(part):
            blank = _blank(granum)
            degrees = tilt(granum.image, granum.mask)
            rows = int(granum.mask.sum(axis=0).max())
            for name, method in methods.items():
                answer = found[name][index]
                unmeasured = dataclasses.replace(blank, method=name)
                case = _case(unmeasured, answer, method, limits, degrees, rows)
                cases.append(case)
                if isinstance(answer, Measurement) and case.error_percent is not None:
                    shown[name].append(Shown(case, granum, answer))
        shown = {name: heapq.nlargest(worst, seen, _size) for name, seen in shown.items()}
    return cases, shown


def _size(one: Shown) -> float:
    return abs(one.case.error_percent or 0.0)


def _measure(method: Method, crops: Sequence[Crop]) -> list[Measurement | str]:
    """Returns the measurement of each crop, or the reason why there is none."""
    prepared = []
    for crop in crops:
        try:
            prepared.append(method.prepare(crop))
        except InputError as error:
            prepared.append(one_line(error))
    return method.measure_good(prepared)


def _blank(granum: Granum) -> Case:
    """Returns the case of a granum that no method has measured."""
    return Case(
        name=granum.name,
        method="",
        true_px=granum.period_px,
        period_px=None,
        sd_px=None,
        quality=None,
        error_px=None,
        error_percent=None,
        status="failed",
        reason="",
        layers=traits.height(granum.mask) / granum.period_px,
        contrast=traits.contrast(granum.image, granum.mask, granum.period_px),
        noise=traits.noise(granum.image, granum.mask, granum.period_px),
        px_per_nm=granum.px_per_nm,
        frame_scale=FRAME[0] / min(len(granum.mask), MAX_ROWS),
    )


def unread(bad: Iterable[Bad], methods: Iterable[str]) -> list[Case]:
    """Returns the failed cases of lines of annotations whose granum cannot be read, by method."""
    named = [(one.name or f"row {one.number}", one.reason) for one in bad]
    blank = Case("", "", None, None, None, None, None, None, "failed", "")
    return [
        dataclasses.replace(blank, name=name, method=method, reason=reason)
        for name, reason in named
        for method in methods
    ]


def _case(
    blank: Case,
    answer: Measurement | str,
    method: Method,
    limits: Limits,
    tilt_deg: float | None,
    rows: int,
) -> Case:
    """Returns a case with the answer of a method, and the status that `srd predict` would give."""
    if isinstance(answer, str):
        return dataclasses.replace(blank, reason=answer)
    result = result_of(
        blank.name,
        answer,
        blank.px_per_nm,
        method.field_rows,
        "given",
        limits,
        tilt_deg,
        rows=rows,
    )
    if result.status == "error":
        return dataclasses.replace(blank, reason=result.reason)
    assert blank.true_px is not None
    error = answer.period_px - blank.true_px
    return dataclasses.replace(
        blank,
        period_px=answer.period_px,
        sd_px=answer.sd_px,
        quality=answer.quality,
        error_px=error,
        error_percent=100 * error / blank.true_px,
        status=result.status,
        reason=result.reason,
    )


def column(cases: Iterable[Any], field: str) -> np.ndarray:
    """Returns the values of a field as float64 (cases,), NaN if not known."""
    values = (getattr(case, field) for case in cases)
    return np.array([math.nan if value is None else value for value in values], np.float64)
