"""Draws and tabulates the domains of a micrograph."""

import io
import math
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from srd_jax.analysis.surfaces.answer import Answer
from srd_jax.analysis.surfaces.domains import Domain
from srd_jax.support.csv_files import harmless
from srd_jax.support.files import PNG_TEXT

# Names and meanings.
COLUMNS = {
    "file": "path of the micrograph",
    "domain": "number, the largest first",
    "windows": "that show it",
    "type": "G gyroid, D diamond, P primitive, I-WP, L lonsdaleite",
    "a_nm": "median edge of the unit cell over the windows; empty without a scale",
    "a_nm_sd": "scatter over the windows, or the sd of a fit where that is larger",
    "a_px": "the same edge in px of the file",
    "a_px_sd": "its scatter likewise",
    "zone": "nearest axis of low indices along the beam; empty for L",
    "off_zone_deg": "angle of the axis to it",
    "axis_x": "with axis_y and axis_z: direction of the crystal along the beam",
    "axis_y": "likewise",
    "axis_z": "likewise",
    "in_plane_deg": "as --in-plane of srd surfaces render",
    "direction_deg": "where the crystal's [-101], projected, points, from right towards down",
    "spread_deg": "root mean square angle of the windows' orientations to the best one's",
}
_LONGEST_PX = 1400  # of a drawn micrograph
_TINT = 0.4
# Corners of the triangle of axes, and where each colour is pure.
_CORNERS = {"[001]": (0, 0, 1), "[110]": (1, 0, 1), "[111]": (1, 1, 1)}


def rows(
    file: str, found: Sequence[Domain], nm_per_px: float | None
) -> Iterator[list[str | float | None]]:
    """Yields the row of each domain of a micrograph, in the order of COLUMNS."""
    for one in found:
        cell = one.cell_px, one.cell_sd_px
        scaled = [None, None] if nm_per_px is None else [value * nm_per_px for value in cell]
        off = one.view.off_zone_deg
        yield [
            harmless(file), one.number, len(one.windows), one.kind, *scaled, *cell, one.view.zone,
            off if math.isfinite(off) else None, *one.view.axis, one.view.in_plane_deg,
            one.view.direction_deg, one.spread_deg,
        ]  # fmt: skip


def colour(axis: ArrayLike) -> np.ndarray:
    """Returns the colour of an axis, (3,) RGB 0..1: red at [001], green at [110], blue at [111].

    It is the usual key of orientation maps: shares of the corners' axes in the axis, the largest 1.
    """
    # Coordinates in the basis of the corners (0, 0, 1), (0, 1, 1), (1, 1, 1).
    x, y, z = np.sort(np.abs(axis))
    shares = np.clip([z - y, (y - x) * math.sqrt(2), x * math.sqrt(3)], 0, None)
    return np.sqrt(shares / max(shares.max(), 1e-9))


def picture(
    grey: np.ndarray,
    answers: Sequence[Answer],
    found: Sequence[Domain],
    nm_per_px: float | None,
    above: int = 0,
) -> bytes:
    """Returns a PNG: the micrograph with its domains in the colours of their axes, and the key.

    Args:
      grey: (rows, columns) of the micrograph.
      answers: of the windows.
      found: domains.
      nm_per_px: None if it isn't known.
      above: rows of the file above the micrograph.
    """
    step = max(1, math.ceil(max(grey.shape) / _LONGEST_PX))
    rows_, columns = grey.shape
    figure = Figure(figsize=(11, 11 * rows_ / columns * 0.82 + 0.3), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes, key = figure.subplots(1, 2, width_ratios=[6, 1])
    low, high = np.percentile(grey[::step, ::step], (1, 99))
    axes.imshow(
        grey[::step, ::step],
        cmap="gray",
        vmin=low,
        vmax=max(high, low + 1e-6),
        extent=(0, columns, rows_ + above, above),
    )
    for one in answers:
        axes.add_patch(_outline(one, "0.6", fill=False))
    for domain in found:
        for i in domain.windows:
            axes.add_patch(_outline(answers[i], colour(domain.view.axis), fill=True))
        _label(axes, domain, [answers[i] for i in domain.windows], nm_per_px)
    axes.set(xlabel="px", ylabel="px")
    _draw_key(key)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata=PNG_TEXT)
    return stream.getvalue()


def _outline(one: Answer, tint, fill: bool) -> Rectangle:
    """Returns the middle half of a window, which doesn't overlap those of its neighbours."""
    x0, y0, x1, y1 = one.box
    width, height = (x1 - x0) / 2, (y1 - y0) / 2
    at = x0 + width / 2, y0 + height / 2
    if fill:
        return Rectangle(at, width, height, facecolor=(*tint, _TINT), edgecolor="none")
    return Rectangle(at, width, height, fill=False, edgecolor=tint, linewidth=0.3)


def _label(axes, domain: Domain, windows: Sequence[Answer], nm_per_px: float | None) -> None:
    """Writes number, axis and cell of a domain, and draws the crystal's [-101] as a line."""
    middles = np.array([[(b[0] + b[2]) / 2, (b[1] + b[3]) / 2] for b in (w.box for w in windows)])
    centre = middles.mean(axis=0)
    x, y = middles[np.argmin(np.linalg.norm(middles - centre, axis=1))]
    scale, unit = (1.0, "px") if nm_per_px is None else (nm_per_px, "nm")
    zone = domain.view.zone or "L"
    off = "" if domain.view.off_zone_deg < 3 else f" {domain.view.off_zone_deg:.0f}° off"
    words = f"{domain.number}: {domain.kind} {zone}{off}\n{domain.cell_px * scale:.1f} {unit}"
    axes.text(
        x, y, words, ha="center", va="center", fontsize=8, color="black",
        bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5},
    )  # fmt: skip
    half = (windows[0].box[2] - windows[0].box[0]) / 2
    angle = math.radians(domain.view.direction_deg)
    along = half * np.array([math.cos(angle), math.sin(angle)])
    axes.plot([x - along[0], x + along[0]], [y - along[1], y + along[1]], color="yellow", lw=1.2)


def _draw_key(axes) -> None:
    """Draws the triangle of axes in its colours."""
    grid = np.linspace(0, 1, 60)
    points, colours = [], []
    for x in grid:
        for y in grid[grid <= x]:
            axis = np.array([y, x, 1.0])
            axis = axis / np.linalg.norm(axis)
            points.append(axis[:2] / (1 + axis[2]))  # stereographic
            colours.append(colour(axis))
    x, y = np.array(points).T
    axes.scatter(y, x, c=np.array(colours), s=6, marker="s", linewidths=0)
    for name, place in _CORNERS.items():
        axis = np.sort(np.array(place, float) / np.linalg.norm(place))
        axes.annotate(name, (axis[1] / (1 + axis[2]), axis[0] / (1 + axis[2])), fontsize=8)
    axes.set_aspect("equal")
    axes.set_title("axis along the beam;\nline: [-101]", fontsize=8)
    axes.axis("off")
