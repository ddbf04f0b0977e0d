"""Plots an evaluation; each method has one colour and one marker in all plots."""

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from srd_jax.evaluation.cases import Case, column
from srd_jax.evaluation.summary import Summary
from srd_jax.tasks.period.scores import LEVELS, MISTAKE

# Colours of Okabe and Ito, distinct for all kinds of colour vision and in print.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_MARKERS = "osD^vP"
_INK, _FAINT = "0.25", "0.6"
_LEAST_PERCENT, _LEAST_PX = 0.1, 0.01  # smaller errors are drawn here, on logarithmic axes
_MANY = 2000  # more points of a panel are drawn as pixels, to keep the page small

TRAITS = {
    "layers": "layers in the granum",
    "contrast": "contrast of the lamellae",
    "noise": "noise over lamellae",
    "true_px": "true period (px of the crop)",
}


def styles(methods: Sequence[str]) -> dict[str, dict[str, str]]:
    """Returns colour and marker of each method by name."""
    looks = zip(itertools.cycle(_COLOURS), itertools.cycle(_MARKERS), strict=False)
    return {
        name: {"color": colour, "marker": marker}
        for name, (colour, marker) in zip(methods, looks, strict=False)
    }


def true_against_measured(cases: Sequence[Case], methods: Sequence[str]) -> Figure:
    """Plots measured over true periods, a panel for each method; ok cases are filled."""
    rows = -(-len(methods) // 3)
    figure = _figure(3, rows)
    grid = figure.subplots(rows, 3, sharex=True, sharey=True, squeeze=False).flat
    periods = np.concatenate([column(cases, "true_px"), column(cases, "period_px")])
    periods = periods[np.isfinite(periods)]
    ends = np.array([periods.min() / 1.15, periods.max() * 1.15])
    looks = styles(methods)
    for axes, name in itertools.zip_longest(grid, methods):
        if name is None:
            axes.set_axis_off()
            continue
        axes.fill_between(ends, (1 - MISTAKE) * ends, (1 + MISTAKE) * ends, color="0.93", lw=0)
        for factor, line in ((1, "-"), (2, "--"), (0.5, "--")):
            axes.plot(ends, factor * ends, line, color=_FAINT, linewidth=0.8)
        for status, face in (("low_confidence", "none"), ("ok", looks[name]["color"])):
            chosen = [case for case in cases if (case.method, case.status) == (name, status)]
            x, y = column(chosen, "true_px"), column(chosen, "period_px")
            _dots(axes, x, y, looks[name], facecolors=face)
        axes.set(xscale="log", yscale="log", xlim=ends, ylim=ends, title=name)
        axes.set_box_aspect(1)
        _plain(axes, "xy")
    figure.supxlabel("true period (px of the crop)", fontsize=9)
    figure.supylabel("measured period (px of the crop)", fontsize=9)
    return _finished(figure)


def distribution(cases: Sequence[Case], methods: Sequence[str]) -> Figure:
    """Plots the share of crops with an error of at most x per cent, a line for each method."""
    figure = _figure(3, 0.8)
    axes = figure.subplots()
    looks = styles(methods)
    for name in methods:
        own = [case for case in cases if case.method == name]
        sizes = np.abs(column(own, "error_percent"))
        sizes = np.sort(np.maximum(sizes[np.isfinite(sizes)], _LEAST_PERCENT))
        share = 100 * np.arange(1, len(sizes) + 1) / len(own)
        x, y = [_LEAST_PERCENT, *sizes, 1e3], [0, *share, *share[-1:], *([0] * (not len(share)))]
        axes.step(x, y, where="post", color=looks[name]["color"], label=name, linewidth=1.6)
    axes.axvline(100 * MISTAKE, color=_FAINT, linewidth=0.8, linestyle="--")
    axes.set(xscale="log", xlim=(_LEAST_PERCENT, 200), ylim=(0, 101))
    axes.set(xlabel="absolute error (% of the true period)", ylabel="crops (%)")
    _plain(axes, "x")
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    return _finished(figure)


def error_by_traits(cases: Sequence[Case], summaries: Sequence[Summary]) -> Figure:
    """Plots the error over each trait: points for crops, a line for the means of bins."""
    figure = _figure(3, 2)
    grid = figure.subplots(2, 2, sharey=True)
    panels = grid.ravel()
    looks = styles([one["method"] for one in summaries])
    for axes, (field, label) in zip(panels, TRAITS.items(), strict=True):
        for one in summaries:
            name = one["method"]
            own = [case for case in cases if case.method == name and case.period_px is not None]
            sizes = np.maximum(np.abs(column(own, "error_percent")), _LEAST_PERCENT)
            _dots(axes, column(own, field), sizes, looks[name], facecolors="none", alpha=0.45)
            bins = one["percent_by"][field]
            mean = [max(row["mae"], _LEAST_PERCENT) for row in bins]
            axes.plot([row["mean"] for row in bins], mean, **looks[name], label=name, markersize=5)
        axes.axhline(100 * MISTAKE, color=_FAINT, linewidth=0.8, linestyle="--")
        values = column(cases, field)
        values = values[np.isfinite(values)]
        axes.set(xscale="log", yscale="log", xlabel=label)
        axes.set(xlim=(values.min() / 1.1, values.max() * 1.1), ylim=(_LEAST_PERCENT / 1.1, None))
        _plain(axes, "xy")
    for axes in grid[:, 0]:
        axes.set_ylabel("absolute error (% of the period)")
    figure.legend(
        *panels[0].get_legend_handles_labels(),
        frameon=False,
        fontsize=8,
        ncols=4,
        loc="outside upper center",
    )
    return _finished(figure)


def confidence(cases: Sequence[Case], summaries: Sequence[Summary]) -> Figure:
    """Plots the reliability diagram, and errors over predicted sds.

    Args:
      cases: of all methods.
      summaries: of the methods that predict an sd.
    """
    figure = _figure(3, 1.15)
    reliability, spread = figure.subplots(1, 2)
    looks = styles(list(dict.fromkeys(case.method for case in cases)))
    reliability.plot([0, 1], [0, 1], color=_FAINT, linewidth=0.8)
    for one in summaries:
        name = one["method"]
        observed = [row["observed"] for row in one["sd"]["reliability"]]
        reliability.plot(LEVELS, observed, **looks[name], label=name, markersize=3.5)
        own = [case for case in cases if case.method == name and case.sd_px is not None]
        sd = np.maximum(column(own, "sd_px"), _LEAST_PX)
        size = np.maximum(np.abs(column(own, "error_px")), _LEAST_PX)
        _dots(spread, sd, size, looks[name], facecolors="none")
        span = np.array([sd.min() / 1.3, sd.max() * 1.3])
        for factor, line in ((1, "-"), (2, "--")):
            spread.plot(span, factor * span, line, color=_FAINT, linewidth=0.8)
    reliability.set(xlim=(0, 1), ylim=(0, 1), xlabel="nominal coverage", ylabel="observed coverage")
    reliability.set_box_aspect(1)
    reliability.legend(frameon=False, fontsize=8, loc="upper left")
    spread.set(xscale="log", yscale="log")
    spread.set(xlabel="predicted sd (px of the crop)", ylabel="absolute error (px of the crop)")
    _plain(spread, "xy")
    return _finished(figure)


def _figure(columns: float, rows: float) -> Figure:
    figure = Figure(figsize=(3.1 * columns, 3.0 * rows), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _dots(axes: Axes, x: np.ndarray, y: np.ndarray, look: dict[str, str], **more) -> None:
    axes.scatter(
        x,
        y,
        s=16,
        marker=look["marker"],
        edgecolors=look["color"],
        linewidths=0.8,
        rasterized=len(x) > _MANY,
        **more,
    )


def _plain(axes: Axes, which: str) -> None:
    """Writes plain numbers on logarithmic axes."""
    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())


def _finished(figure: Figure) -> Figure:
    """Styles all panels alike."""
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8, color=_INK, labelcolor=_INK)
        axes.title.set_fontsize(9)
        axes.xaxis.label.set_fontsize(9)
        axes.yaxis.label.set_fontsize(9)
    return figure
