"""Compares the grana found on a micrograph with its true ones, granum by granum."""

import dataclasses
import math
from collections.abc import Iterable

import numpy as np

from srd_jax.analysis.granum import Analysis, Granum, Value
from srd_jax.evaluation.micrographs.areas import (
    Area,
    Grid,
    Region,
    grid,
    moved,
    overlap,
    rasterise,
    union,
)
from srd_jax.evaluation.micrographs.cases import (
    AS_ONE,
    FOUND,
    MISSING,
    POSSIBLE,
    WRONG,
    Case,
    Compared,
    Pixels,
)
from srd_jax.evaluation.micrographs.matching import match
from srd_jax.evaluation.micrographs.sizes import size
from srd_jax.evaluation.micrographs.truth import SURE, Annotated, TrueGranum
from srd_jax.support.errors import InputError


def compare(annotated: Annotated, analysis: Analysis, least: float = 0.5) -> Compared:
    """Compares a micrograph; where it couldn't be analysed, all of its sure grana are missing.

    Args:
      annotated: the truth.
      analysis: what was found.
      least: IoU from which on a found granum is a true one.

    Raises:
      InputError: the annotations are of another size.
    """
    rows, columns = _shape(annotated, analysis)
    on = grid(rows, columns)
    regions = [rasterise(one.area, on) for one in annotated.grana]
    # An information strip that was cut off has no grana.
    true = [one for one, region in zip(annotated.grana, regions, strict=True) if region.size]
    regions = [region for region in regions if region.size]
    found = [rasterise(_outline(one), on) for one in analysis.grana]
    sure = [one.certainty == SURE for one in true]
    result = match(regions, sure, found, least)
    paired = {i: (j, iou) for i, j, iou in result.pairs} | {i: (j, None) for i, j in result.merged}
    cases = []
    for i, one in enumerate(true):
        found_one, iou = paired.get(i, (None, None))
        granum = None if found_one is None else analysis.grana[found_one]
        case = _case(annotated.name, analysis.px_per_nm, one, _centre(regions[i], on))
        case = dataclasses.replace(
            case,
            outcome=_outcome(sure[i], granum, iou),
            iou=iou,
            cut=one.cut or _cut(regions[i], on),
        )
        if granum is not None:
            case = _with_found(case, granum)
        cases.append(_with_sizes(case, one, granum, rows, columns) if granum and iou else case)
    for outcome, places in ((WRONG, result.wrong), (POSSIBLE, result.ignored)):
        cases += [
            _with_found(_case(annotated.name, analysis.px_per_nm, None, None, outcome), granum)
            for granum in (analysis.grana[place] for place in places)
        ]
    pixels = _pixels(regions, sure, found, [rasterise(one, on) for one in annotated.striped])
    return Compared(annotated.name, tuple(cases), pixels, analysis.error)


def in_picture(annotated: Annotated, analysis: Analysis) -> Annotated:
    """Returns annotations of a whole file with the coordinates of its picture below a strip."""
    above, stated = analysis.strips[0], annotated.size
    if not above or (stated is not None and stated[0] == analysis.rows):
        return annotated
    grana = [dataclasses.replace(one, area=moved(one.area, -above)) for one in annotated.grana]
    striped = [moved(one, -above) for one in annotated.striped]
    return dataclasses.replace(annotated, grana=tuple(grana), striped=tuple(striped))


def _shape(annotated: Annotated, analysis: Analysis) -> tuple[int, int]:
    """Returns rows and columns of the micrograph, of the annotations where it couldn't be read."""
    rows, columns = analysis.rows, analysis.columns
    if not rows or not columns:
        return annotated.size or _extent([one.area for one in annotated.grana])
    stated = annotated.size
    # An information strip may have been cut off.
    if stated is not None and (stated[1] != columns or stated[0] < rows):
        raise InputError(
            f"{annotated.annotations}: states {stated[0]} x {stated[1]} px (rows x columns) for "
            f"{annotated.name}; accepted: the size of the micrograph, {rows} x {columns} px"
        )
    return rows, columns


def _extent(areas: Iterable[Area]) -> tuple[int, int]:
    """Returns rows and columns within which areas lie, at least one."""
    ends = [(1.0, 1.0)]
    for area in areas:
        ends += [tuple(one.max(0)) for one in area.polygons]
        if area.mask is not None:
            rows, columns = area.mask.shape
            ends.append((area.corner[1] + columns, area.corner[0] + rows))
    columns, rows = np.ceil(np.max(ends, axis=0))
    return int(rows), int(columns)


def _outline(granum: Granum) -> Area:
    points = np.array(granum.outline, np.float64).reshape(-1, 2)
    return Area((points,) if len(points) > 2 else ())


def _outcome(sure: bool, granum: Granum | None, iou: float | None) -> str:
    if not sure:
        return POSSIBLE
    if granum is None:
        return MISSING
    return AS_ONE if iou is None else FOUND


def _centre(region: Region, on: Grid) -> tuple[float, float]:
    down, right = np.nonzero(region.mask)
    return (
        float(region.left + right.mean() + 0.5) / on.scale,
        float(region.top + down.mean() + 0.5) / on.scale,
    )


def _cut(region: Region, on: Grid) -> bool:
    """Tells whether a region reaches the border of the micrograph."""
    rows, columns = region.mask.shape
    ends = region.top + rows == on.rows or region.left + columns == on.columns
    return min(region.top, region.left) == 0 or ends


def _case(
    file: str,
    px_per_nm: float | None,
    true: TrueGranum | None,
    centre: tuple[float, float] | None,
    outcome: str = MISSING,
) -> Case:
    x, y = centre or (None, None)
    blank = Case(file, outcome, x_px=x, y_px=y, px_per_nm=px_per_nm)
    if true is None:
        return blank
    return dataclasses.replace(
        blank,
        true=true.name,
        true_direction_deg=true.direction_deg,
        true_period_px=true.period_px,
        true_layers=true.layers,
    )


def _with_found(case: Case, granum: Granum) -> Case:
    """Returns a case with the numbers of a found granum; errors only where it is one of its own."""
    direction, period, layers = granum.direction_deg, granum.period_px, granum.layers
    numbers = {
        "number": granum.number,
        "status": granum.status,
        "reason": granum.reason,
        "detection": granum.detection,
        "direction_deg": _value(direction),
        "direction_sd_deg": _sd(direction),
        "period_px": _value(period),
        "period_sd_px": _sd(period),
        "layers": _value(layers),
        "layers_sd": _sd(layers),
    }
    if case.true is None:
        numbers |= {"x_px": granum.x_px, "y_px": granum.y_px}
    case = dataclasses.replace(case, **numbers)
    if case.iou is None:
        return case
    return dataclasses.replace(
        case,
        direction_error_deg=turn_between(case.direction_deg, case.true_direction_deg),
        period_error_percent=_percent(case.period_px, case.true_period_px),
        layers_error=_difference(case.layers, case.true_layers),
    )


def _with_sizes(case: Case, true: TrueGranum, granum: Granum, rows: int, columns: int) -> Case:
    """Returns a case with the errors of area, height and diameter, but of a cut granum."""
    known = None if case.cut else size(true.area, (rows, columns), case.true_direction_deg)
    if known is None:
        return case
    return dataclasses.replace(
        case,
        area_error_percent=_percent(_value(granum.area_px2), known.area_px2),
        height_error_percent=_percent(_value(granum.height_px), known.height_px),
        diameter_error_percent=_percent(_value(granum.diameter_px), known.diameter_px),
    )


def turn_between(first: float | None, second: float | None) -> float | None:
    """Returns the turn from the second to the first direction of lines, degrees, -90..90."""
    difference = _difference(first, second)
    return None if difference is None else (difference + 90) % 180 - 90


def _value(one: Value | None) -> float | None:
    return None if one is None or not math.isfinite(one.value) else one.value


def _sd(one: Value | None) -> float | None:
    return None if one is None or not math.isfinite(one.sd) else one.sd


def _difference(found: float | None, true: float | None) -> float | None:
    return None if found is None or true is None else found - true


def _percent(found: float | None, true: float | None) -> float | None:
    difference = _difference(found, true)
    return None if difference is None or not true else 100 * difference / true


def _pixels(
    true: list[Region], sure: list[bool], found: list[Region], striped: list[Region]
) -> Pixels:
    certain = union(one for one, is_sure in zip(true, sure, strict=True) if is_sure)
    either, every, stripes = union(true), union(found), union(striped)
    right = overlap(every, certain)
    return Pixels(
        sure=certain.size,
        found=every.size,
        right=right,
        possible=overlap(every, either) - right,
        striped=stripes.size,
        on_striped=overlap(every, stripes),
    )
