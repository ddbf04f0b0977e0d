"""Plots the errors of found grana."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from srd_jax.evaluation.cases import column
from srd_jax.evaluation.micrographs.cases import FOUND, Case

_COLOUR, _FAINT = "#0072B2", "0.6"
_OK = "ok"


def found_against_true(cases: Sequence[Case]) -> Figure:
    """Plots period, layers and direction error of the grana that were found; ok ones are filled."""
    figure = Figure(figsize=(9.3, 3.2), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    period, layers, direction = figure.subplots(1, 3)
    paired = [case for case in cases if case.outcome == FOUND]
    _equal(period, paired, "period_px", "period, px of the micrograph")
    _equal(layers, paired, "layers", "layers")
    errors = column(paired, "direction_error_deg")
    errors = errors[np.isfinite(errors)]
    reach = max(float(np.abs(errors).max(initial=0)), 5.0)
    direction.hist(errors, bins=np.linspace(-reach, reach, 31).tolist(), color=_COLOUR)
    direction.set(xlabel="error of the direction, °", ylabel="grana")
    for axes in (period, layers, direction):
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
    return figure


def _equal(axes: Axes, cases: Sequence[Case], field: str, label: str) -> None:
    """Plots found over true values, and the line on which they are equal."""
    for ok, face in ((False, "none"), (True, _COLOUR)):
        chosen = [case for case in cases if (case.status == _OK) == ok]
        x, y = column(chosen, f"true_{field}"), column(chosen, field)
        axes.scatter(x, y, s=14, facecolors=face, edgecolors=_COLOUR, linewidths=0.8)
    ends = [0.0, max(*axes.get_xlim(), *axes.get_ylim())]
    axes.plot(ends, ends, color=_FAINT, linewidth=0.8)
    axes.set(xlim=ends, ylim=ends, xlabel=f"true {label}", ylabel=f"found {label}")
    axes.set_box_aspect(1)
