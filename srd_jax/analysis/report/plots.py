"""Plots quantities of grana by group, and the period against the direction of the lamellae."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.projections.polar import PolarAxes

from srd_jax.analysis.granum import Analysis
from srd_jax.analysis.output import outlines
from srd_jax.analysis.output.quantities import QUANTITIES, significant
from srd_jax.analysis.output.summary import groups, values
from srd_jax.analysis.output.table import Named

# Colours of Okabe and Ito, distinct for all kinds of colour vision and in print.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_INK, _FAINT = "0.25", "0.6"
_PLOTTED = ("area_nm2", "perimeter_nm", "gsi", "diameter_nm", "height_nm", "srd_nm")
_LEAST = 3  # values from which a violin is drawn
_MANY = 300  # more points of a panel are drawn as pixels, to keep the page small
_JITTER = 0.16


def violins(micrographs: Sequence[Named]) -> Figure | None:
    """Plots six quantities: violins, quartiles, a point for each granum, means of micrographs.

    Each group has a violin of its own; without groups all grana have one.

    Returns:
      None where no quantity of any granum is known.
    """
    names = groups(micrographs)
    sets = {name: [one for one in micrographs if one.group == name] for name in names} or {
        "": list(micrographs)
    }
    plotted = [one for one in QUANTITIES if one.name in _PLOTTED]
    plotted = [one for one in plotted if any(map(len, values(micrographs, one)))]
    if not plotted:
        return None
    rows = -(-len(plotted) // 3)
    figure = empty_figure(3, rows)
    panels = figure.subplots(rows, 3, squeeze=False).flat
    for axes, quantity in itertools.zip_longest(panels, plotted):
        if quantity is None:
            axes.set_axis_off()
            continue
        for place, some in enumerate(sets.values()):
            violin(axes, place, values(some, quantity), COLOURS[place % len(COLOURS)])
        shown = [name if len(name) <= 14 else f"{name[:13]}…" for name in sets]
        axes.set_xticks(range(len(sets)), shown, rotation=30 if len(sets) > 3 else 0)
        axes.set(ylabel=quantity.label, xlim=(-0.6, len(sets) - 0.4))
    return styled(figure)


def violin(
    axes: Axes,
    place: int,
    by_micrograph: list[list[float]],
    colour: str,
    ids: Sequence[str] = (),
) -> None:
    """Draws the values of a group: grana as points, micrographs as diamonds.

    Args:
      axes: to draw on.
      place: of the group.
      by_micrograph: values.
      colour: of the group.
      ids: of the points in an SVG, as many as values; without, they have none.
    """
    every = np.array(list(itertools.chain.from_iterable(by_micrograph)))
    if not len(every):
        return
    if len(every) >= _LEAST and np.ptp(every) > 1e-9 * np.abs(every).max():
        drawn: dict[str, Any] = axes.violinplot(every, [place], widths=0.8, showextrema=False)
        for one in drawn["bodies"]:
            one.set(facecolor=colour, edgecolor="none", alpha=0.25)
        low, middle, high = np.percentile(every, (25, 50, 75))
        axes.vlines(place, low, high, color=_INK, linewidth=4)
        axes.plot(place, middle, "o", color="white", markersize=3.5, zorder=4)
    # Even steps of the golden ratio spread points without chance.
    steps = (np.arange(len(every)) * (math.sqrt(5) - 1) / 2) % 1.0
    places = place + _JITTER * (2 * steps - 1)
    for name, x, y in zip(ids, places, every, strict=bool(ids)):
        axes.scatter([x], [y], s=9, color=colour, alpha=0.6, linewidths=0, gid=name)
    if not ids:
        axes.scatter(
            places, every, s=9, color=colour, alpha=0.6, linewidths=0, rasterized=len(every) > _MANY
        )
    means = [float(np.mean(some)) for some in by_micrograph if some]
    if len(means) > 1:
        axes.scatter(
            [place + 0.3] * len(means), means, s=18, marker="D", facecolors="none", edgecolors=_INK,
            linewidths=0.8, rasterized=len(means) > _MANY,
        )  # fmt: skip
    axes.hlines(every.mean(), place - 0.25, place + 0.25, color=_INK, linewidth=1.2)


def strains(micrographs: Sequence[Named]) -> Figure:
    """Plots the period against the direction of the lamellae, a polar panel for each micrograph.

    A direction stands on both sides, as it has no sense. Dashed: the period before compression.

    Args:
      micrographs: with a strain.
    """
    columns = min(3, len(micrographs))
    rows = -(-len(micrographs) // columns)
    figure = empty_figure(columns, rows)
    panels = figure.subplots(rows, columns, squeeze=False, subplot_kw={"projection": "polar"}).flat
    for axes, named in itertools.zip_longest(panels, micrographs):
        if named is None:
            axes.set_axis_off()
        else:
            _polar(axes, named)
    return styled(figure)


def _polar(axes: PolarAxes, named: Named) -> None:
    analysis = named.analysis
    strain, scale = analysis.strain, analysis.px_per_nm or 1.0
    assert strain is not None
    original = period_before(analysis)
    for status in ("low_confidence", "ok"):
        chosen = [
            (granum.direction_deg.value, granum.period_px.value / scale)
            for granum in analysis.grana
            if granum.status == status and granum.direction_deg and granum.period_px
        ]
        angles = np.radians([direction for direction, _ in chosen])
        periods = [period for _, period in chosen]
        colour = tuple(part / 255 for part in outlines.COLOURS[status])
        for turn in (0.0, math.pi):
            axes.scatter(angles + turn, periods, s=16, color=colour, zorder=3)
    if original is not None:
        turns = np.linspace(0, 360, 361)
        fitted = [original / scale * strain.factor(turn) for turn in turns]
        axes.plot(np.radians(turns), fitted, color=_INK, linewidth=1.2)
        axes.plot(np.radians(turns), [original / scale] * len(turns), "--", color=_FAINT, lw=0.9)
    axes.set_thetagrids(range(0, 360, 45), labels=[f"{turn % 180}°" for turn in range(0, 360, 45)])
    axes.set_ylim(0, None)
    unit = "nm" if analysis.px_per_nm else "px"
    sure = "" if significant(strain) else ", not significant"
    amount, axis = strain.amount, strain.axis_deg
    size = f"{100 * amount.value:.1f} ± {100 * amount.sd:.1f} % along {axis.value:.0f}°"
    axes.set_title(f"{named.name[:28]}\n{size}{sure} ({unit})", pad=14)


def period_before(analysis: Analysis) -> float | None:
    """Returns the mean period of the ok grana before compression, px; None without any."""
    strain = analysis.strain
    if strain is None:
        return None
    found = [
        granum.period_px.value / strain.factor(granum.direction_deg.value)
        for granum in analysis.grana
        if granum.status == "ok" and granum.period_px and granum.direction_deg
    ]
    return float(np.mean(found)) if found else None


def empty_figure(columns: float, rows: float) -> Figure:
    """Returns a figure for panels in columns and rows."""
    figure = Figure(figsize=(3.1 * columns, 3.0 * rows), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def styled(figure: Figure) -> Figure:
    """Styles all panels alike."""
    for axes in figure.axes:
        if axes.name != "polar":
            axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8, color=_INK, labelcolor=_INK)
        axes.title.set_fontsize(8)
        axes.xaxis.label.set_fontsize(9)
        axes.yaxis.label.set_fontsize(9)
    return figure
