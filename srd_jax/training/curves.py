"""Draws learning curves: a task's score, the loss and the learning rate over the training."""

import dataclasses
import os
import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import Locator, LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from srd_jax.support.errors import InputError
from srd_jax.support.files import PNG_TEXT, whole_file
from srd_jax.training.task import Score

_NOTHING: Mapping[str, str] = types.MappingProxyType({})

# Colours of Okabe and Ito, which differ with every kind of colour vision, and in print.
_BLUE, _ORANGE, _GREEN, _PURPLE = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
_GREY = "#333333"
# Of columns beside the validation curve, such as a mean sd.
_BESIDE = {"color": _PURPLE, "linewidth": 1.0, "linestyle": "-."}
_REFERENCE: dict[str, Any] = {"color": _GREY, "lw": 1.0, "ls": "--", "zorder": 3}
_LOSSES = {
    "train_loss": ("training loss", {"color": _ORANGE, "linewidth": 1.2}),
    "val_loss": ("validation loss", {"color": _BLUE, "linewidth": 1.6}),
}


def write_curves(
    path: str | os.PathLike[str],
    rows: Sequence[Mapping[str, Any]],
    score: Score,
    reference: float | None = None,
    beside: Mapping[str, str] = _NOTHING,
) -> None:
    """Writes the learning curves as a PNG of 1120 × 960 px; see `curves_figure`.

    Raises:
      InputError: see `curves_figure`, or the file can't be written.
    """
    figure = curves_figure(rows, score, reference, beside)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", metadata=PNG_TEXT)


def curves_figure(
    rows: Sequence[Mapping[str, Any]],
    score: Score,
    reference: float | None = None,
    beside: Mapping[str, str] = _NOTHING,
) -> Figure:
    """Draws a score in one panel, and the loss and the learning rate in a panel below it.

    Where a row lacks a value (no key, None or empty text), its neighbours are joined; a NaN leaves
    a gap. The score's axis is logarithmic if all values are positive, the axes of loss and learning
    rate if their values also span a decade.

    Args:
      rows: rows of metrics.csv, as numbers or as text: epoch or else step, and any of train_NAME,
        val_NAME, val_NAME_raw of the score, train_loss, val_loss, learning_rate.
      score: the score to draw.
      reference: value of the score that is drawn as a dashed line.
      beside: labels of further columns in the score's unit, by column.

    Returns:
      The figure, on an Agg canvas.

    Raises:
      InputError: no row has anything to draw, or a value isn't a number.
    """
    curves = _curves(score) | {name: (label, _BESIDE) for name, label in beside.items()}
    axis_name = "epoch" if any(_is_given(row.get("epoch")) for row in rows) else "step"
    figure = Figure(figsize=(7.0, 6.0), dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    error_axes, loss_axes = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    for axes, table in ((error_axes, curves), (loss_axes, _LOSSES)):
        _draw(axes, rows, axis_name, table)
    if not (error_axes.lines or loss_axes.lines):
        known = ", ".join((*curves, *_LOSSES))
        raise InputError(f"metrics: no row of {len(rows)} has a {axis_name} and any of {known}")
    if reference is not None:
        label = f"reference, {reference:.3g} {score.unit}".rstrip()
        error_axes.axhline(reference, label=label, **_REFERENCE)
    _mark_best(error_axes, rows, axis_name, score)
    error_axes.set_ylabel(_label(score))
    if score.best == "min" and _spread_factor(error_axes) > 0:
        error_axes.set_yscale("log")
    loss_axes.set_ylabel("loss")
    if _spread_factor(loss_axes) >= 10:
        loss_axes.set_yscale("log")
    loss_axes.set_xlabel(axis_name)
    whole = MaxNLocator(8, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
    loss_axes.xaxis.set_major_locator(whole)
    _draw_learning_rate(loss_axes, rows, axis_name)
    for axes in (error_axes, loss_axes):
        _finish(axes)
    return figure


@dataclasses.dataclass(frozen=True)
class StageRows:
    """The metrics of one stage of a curriculum.

    Attributes:
      name: of the stage.
      rows: see `curves_figure`, with images.
      reference: value of the score, None where it isn't known.
    """

    name: str
    rows: Sequence[Mapping[str, Any]]
    reference: float | None = None


def stages_figure(stages: Sequence[StageRows], score: Score) -> Figure:
    """Draws the score of all stages, one after the other, over the number of images.

    A stage without rows is left out. The reference is a dashed line as long as its stage.

    Args:
      stages: in order.
      score: the score to draw.

    Returns:
      The figure, on an Agg canvas.

    Raises:
      InputError: no stage has anything to draw, or a value isn't a number.
    """
    figure = Figure(figsize=(9.0, 4.2), dpi=160, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    ends = [0.0]
    curves = _curves(score)
    shown = (f"train_{score.name}", score.validation)
    drawn = [stage for stage in stages if _last_image(stage.rows, shown)]
    if not drawn:
        raise InputError(f"metrics: none of {len(stages)} stages has images and their errors")
    for stage in drawn:
        for key in shown:
            label, style = curves[key]
            images, values = _series(stage.rows, "images", key)
            marker = "o" if images.size == 1 else None
            axes.plot(ends[-1] + images, values, label=label, marker=marker, **style)
        ends.append(ends[-1] + _last_image(stage.rows, shown))
        if stage.reference is not None:
            axes.plot(ends[-2:], [stage.reference] * 2, label="reference", **_REFERENCE)
    _name_stages(axes, [stage.name for stage in drawn], np.array(ends))
    axes.set(xlabel="images since the first stage began", ylabel=_label(score), xlim=(0, ends[-1]))
    if score.best == "min" and _spread_factor(axes) > 0:
        axes.set_yscale("log")
    for end in ends[1:-1]:
        axes.axvline(end, color="0.8", linewidth=0.8)
    _finish(axes)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    return figure


def _curves(score: Score) -> dict[str, tuple[str, dict[str, Any]]]:
    """Returns the label and style of each column of a score, in drawing order."""
    raw = {"color": _BLUE, "linewidth": 0.6, "alpha": 0.5}
    return {
        f"train_{score.name}": ("training", {"color": _ORANGE, "linewidth": 0.8}),
        f"{score.validation}_raw": ("validation, raw parameters", raw),
        score.validation: ("validation, averaged parameters", {"color": _BLUE, "linewidth": 1.6}),
    }


def _label(score: Score) -> str:
    return f"{score.words} ({score.unit})" if score.unit else score.words


def _last_image(rows: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> float:
    """Returns the number of images at the last row that has one of some keys, or 0."""
    ends = [_series(rows, "images", key)[0] for key in keys]
    return float(np.concatenate(ends).max(initial=0))


def _name_stages(axes: Axes, names: Sequence[str], ends: np.ndarray) -> None:
    """Writes the stages' names above their parts of the axis, tilted if a part is too short."""
    widths = np.diff(ends) / ends[-1]
    tilted = any(width < 0.012 * len(name) for width, name in zip(widths, names, strict=True))
    top = axes.secondary_xaxis("top")
    top.set_xticks(
        (ends[1:] + ends[:-1]) / 2,
        names,
        rotation=30 if tilted else 0,
        ha="left" if tilted else "center",
    )
    top.tick_params(length=0)
    top.spines["top"].set_visible(False)


def _is_given(value: Any) -> bool:
    return value is not None and value != ""


def _series(
    rows: Sequence[Mapping[str, Any]], axis_name: str, key: str
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the abscissae and the values of a key, each (points,), of rows that have both.

    Raises:
      InputError: a value isn't a number.
    """
    points = []
    for number, row in enumerate(rows, start=1):
        pair: tuple[Any, Any] = (row.get(axis_name), row.get(key))
        if not all(map(_is_given, pair)):
            continue
        try:
            points.append([float(value) for value in pair])
        except (TypeError, ValueError) as error:
            raise InputError(
                f"metrics row {number}: {axis_name} and {key} are {pair[0]!r} and {pair[1]!r}; "
                "both must be numbers"
            ) from error
    table = np.array(points).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _draw(
    axes: Axes, rows: Sequence[Mapping[str, Any]], axis_name: str, table: Mapping[str, tuple]
) -> None:
    """Draws each series of a table that has values in the rows."""
    for key, (label, style) in table.items():
        x, y = _series(rows, axis_name, key)
        if x.size:
            # A line through a single point is invisible without a marker.
            axes.plot(x, y, label=label, marker="o" if x.size == 1 else None, **style)


def _spread_factor(axes: Axes) -> float:
    """Returns the largest over the smallest finite value drawn, or 0 if one isn't positive."""
    values = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.lines] or [[]])
    values = values[np.isfinite(values)]
    return values.max() / values.min() if values.size and values.min() > 0 else 0.0


def _mark_best(axes: Axes, rows: Sequence[Mapping[str, Any]], axis_name: str, score: Score) -> None:
    x, y = _series(rows, axis_name, score.validation)
    if not np.isfinite(y).any():
        return
    best = int(np.nanargmin(score.cost(y)))
    value = f"{y[best]:.3g} {score.unit}".rstrip()
    label = f"best, {value} at {axis_name} {x[best]:g}"
    axes.plot(x[best], y[best], "o", color=_BLUE, markersize=5, markeredgecolor="w", label=label)


def _draw_learning_rate(loss_axes: Axes, rows: Sequence[Mapping[str, Any]], axis_name: str) -> None:
    x, y = _series(rows, axis_name, "learning_rate")
    if not x.size:
        return
    axes = loss_axes.twinx()
    marker = "." if x.size == 1 else None
    axes.plot(x, y, color=_GREEN, linewidth=1.0, linestyle=":", marker=marker)
    axes.set_ylabel("learning rate (dotted)", color=_GREEN)
    axes.tick_params(axis="y", colors=_GREEN, direction="in", which="both")
    axes.spines["top"].set_visible(False)
    if _spread_factor(axes) >= 10:
        axes.set_yscale("log")
    else:
        axes.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))


def _finish(axes: Axes) -> None:
    """Styles a panel: plain numbers, a light grid, a legend."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(direction="in", which="both")
    axes.grid(color="0.9", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.margins(x=0.02)
    if axes.get_yscale() == "log":
        axes.yaxis.set_major_locator(_log_locator(*axes.get_ylim()))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    # The stages of a curriculum share labels; the legend shows each label once.
    handles, labels = axes.get_legend_handles_labels()
    if shown := dict(zip(labels, handles, strict=True)):
        axes.legend(shown.values(), shown.keys(), frameon=False, fontsize=9)


def _log_locator(low: float, high: float) -> Locator:
    """Returns a locator with a handful of ticks for a logarithmic axis of any length."""
    if high < 2 * low:
        return MaxNLocator(5, steps=[1, 2, 5, 10])
    if high < 10 * low:
        return LogLocator(subs=(1, 2, 3, 4, 6, 8))
    return LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,))
