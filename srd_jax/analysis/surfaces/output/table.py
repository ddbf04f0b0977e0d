"""The table of fits: a row a region."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from srd_jax.analysis.surfaces.answer import Answer
from srd_jax.support.csv_files import harmless

# Names and meanings.
COLUMNS = {
    "file": "path of the micrograph",
    "region": "whole, box or mask, with its number",
    "x0": "left edge of the region, px of the file",
    "y0": "upper edge",
    "x1": "right edge, exclusive",
    "y1": "lower edge, exclusive",
    "status": "ok, low_confidence or error",
    "reason": "why it isn't ok",
    "type": "G gyroid, D diamond, P primitive, I-WP, L lonsdaleite",
    "a_nm": "edge of the unit cell (D: of Fd-3m, twice that of Pn-3m; L: hexagonal); empty without "
    "a scale",
    "a_nm_sd": "its standard deviation",
    "a_px": "the same edge in px of the file",
    "a_px_sd": "its standard deviation",
    "fraction": "volume fraction of the smaller channel; I-WP and L: of that with f above c",
    "fraction_sd": "its standard deviation",
    "level": "c of the level set f = c at that fraction",
    "zone": "nearest axis of low indices along the beam; empty for L",
    "off_zone_deg": "angle of the axis to it",
    "axis_x": "with axis_y and axis_z: direction of the crystal along the beam, a unit vector in "
    "the triangle [001]-[101]-[111] or its mirror image",
    "axis_y": "likewise",
    "axis_z": "likewise",
    "axis_sd_deg": "root mean square of the angle by which the axis may be off",
    "in_plane_deg": "as --in-plane of srd surfaces render, which shows the same orientation with "
    "--hkl AXIS_X AXIS_Y AXIS_Z; 0 to 180",
    "in_plane_sd_deg": "its standard deviation",
    "direction_deg": "where the crystal's [-101], projected, points in the picture, from right "
    "towards down, 0 to 180; in the zone [110] it is the family's [1-10]",
    "ncc": "normalised cross-correlation of picture and simulation",
    "cells": "area that was fitted, in cells' faces",
    "alternatives": "type, a in px and NCC of what else was fitted, the best first",
    "nm_per_px": "scale; empty if it isn't known",
}


def rows(found: Sequence[tuple[str, Answer]]) -> Iterator[list[str | float | None]]:
    """Yields the row of each answer, with the file's name before it, in the order of COLUMNS."""
    for file, one in found:
        values = {"file": harmless(file), **_values(one)}
        yield [_finite(values.get(name)) for name in COLUMNS]


def _finite(value: Any) -> str | float | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _values(one: Answer) -> dict[str, Any]:
    """Returns what is known, by column."""
    values: dict[str, Any] = dict(zip(("x0", "y0", "x1", "y1"), one.box, strict=True))
    values |= {
        "region": one.region,
        "status": one.status,
        "reason": "; ".join(one.reasons),
        "nm_per_px": one.nm_per_px,
    }
    best, sds = one.best, one.uncertainty
    if best is None or sds is None:
        return values
    scale = math.nan if one.nm_per_px is None else one.nm_per_px
    return values | {
        "type": best.kind,
        "a_nm": best.cell_px * scale,
        "a_nm_sd": best.cell_px * scale * sds.relative_cell,
        "a_px": best.cell_px,
        "a_px_sd": best.cell_px * sds.relative_cell,
        "fraction": best.fraction,
        "fraction_sd": sds.fraction,
        "level": one.level,
        "zone": best.view.zone,
        "off_zone_deg": best.view.off_zone_deg,
        **dict(zip(("axis_x", "axis_y", "axis_z"), best.view.axis, strict=True)),
        "axis_sd_deg": one.axis_sd_deg,
        "in_plane_deg": best.view.in_plane_deg,
        "direction_deg": best.view.direction_deg,
        "in_plane_sd_deg": math.degrees(sds.in_plane),
        "ncc": best.ncc,
        "cells": one.cells,
        "alternatives": "; ".join(
            f"{other.kind} {other.cell_px:.1f} px {other.ncc:.3f}" for other in one.alternatives
        ),
    }
