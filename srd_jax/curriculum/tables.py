"""Makes the tables of a curriculum's report: each has a caption, headers, and rows of text."""

from collections.abc import Callable, Sequence
from typing import Any

from srd_jax.curriculum.record import StageRecord
from srd_jax.support.page import Column, Table, table, text
from srd_jax.synthetic.config import GranaConfig, StripesConfig
from srd_jax.tasks.period.config import LOSSES, CropsConfig, MaskedStripesConfig, PeriodConfig

_STAGE: Column = ("stage", lambda one: one.name)
_NONE = "–"


def results(records: Sequence[StageRecord]) -> Table:
    """Returns the length of each stage's training, and its MAE beside the reference's."""
    columns: list[Column] = [
        _STAGE,
        ("epochs", lambda one: f"{one.epochs:,}"),
        ("images", lambda one: f"{one.images:,}"),
        ("time", lambda one: duration(one.seconds)),
        ("validation", lambda one: text(one.val_mae)),
        ("reference", lambda one: text(one.reference_mae)),
        ("ratio", lambda one: text(one.ratio)),
        ("training", lambda one: text(one.train_mae)),
    ]
    groups = [("trained", 3), ("MAE of the period, px of the frame", 4)]
    return table("How far each stage came", columns, records, groups)


def settings(records: Sequence[StageRecord]) -> Table:
    """Returns the state, images, frame, loss and first parameters of each stage."""

    def configured(words: Callable[[PeriodConfig], str]) -> Callable[[StageRecord], str]:
        return lambda one: _NONE if one.config is None else words(one.config)

    columns: list[Column] = [
        _STAGE,
        ("state", lambda one: one.state),
        ("trains on", configured(_trains_on)),
        ("frame, px", configured(_frame)),
        ("loss", configured(_loss)),
        ("handed over", _handed_over),
    ]
    return table("What each stage is taught, and with which parameters it starts", columns, records)


def confidence(records: Sequence[StageRecord]) -> Table:
    """Returns MAE by predicted sd, and the calibration, of finished stages with an sd."""

    def by_sd(index: int) -> Callable[[StageRecord], str]:
        def show(one: StageRecord) -> str:
            rows = one.summary["by_sd"]
            return f"{text(rows[index]['mae'])} ({rows[index]['count']})" if rows else _NONE

        return show

    def calibration(name: str) -> Column:
        return name, lambda one: text(one.summary["calibration"][name])

    # A stage that holds nothing out has no rows.
    rows = next((one.summary["by_sd"] for one in records if one.summary["by_sd"]), [])
    limits = [row["sd_below"] for row in rows]
    columns = [
        ("all" if limit is None else f"sd < {limit:g} px", by_sd(index))
        for index, limit in enumerate(limits)
    ]
    groups = [("MAE, px of the crop (and number of validation images)", len(limits))]
    groups = [*(groups if limits else []), ("calibration", 2)]
    columns = [_STAGE, *columns, calibration("scale"), calibration("exponent")]
    return table("Error by predicted sd, px of the crop", columns, records, groups)


def candidates(record: StageRecord) -> Table:
    """Returns the candidates of a stage, with the columns and order of candidates.csv."""

    def cell(name: str) -> Column:
        return name, lambda row: _short(row[name])

    columns = [cell(name) for name in record.candidates[0]]
    return table(f"Candidates of {record.name}", columns, record.candidates)


def _short(cell: str) -> str:
    """Returns the text of a CSV file's cell, with at most four decimal places."""
    try:
        return f"{float(cell):.4f}" if "." in cell else cell
    except ValueError:
        return cell


def csv_row(record: StageRecord) -> dict[str, Any]:
    """Returns the row of a stage in stages.csv, with exact numbers and None for unknown ones."""
    config, summary = record.config, record.summary
    return {
        "stage": record.name,
        "state": record.state,
        "trains_on": None if config is None else _trains_on(config),
        "frame_rows": None if config is None else config.frame[0],
        "frame_columns": None if config is None else config.frame[1],
        "loss": None if config is None else config.loss.name,
        "epochs": record.epochs,
        "images": record.images,
        "seconds": record.seconds,
        "val_mae": record.val_mae,
        "last_val_mae": summary.get("last_val_mae"),
        "train_mae": record.train_mae,
        "reference_mae": record.reference_mae,
        "ratio": record.ratio,
        "handed_over": _handed_over(record),
    }


def _trains_on(config: PeriodConfig) -> str:
    """Returns the training images of a run, in words."""
    source = config.source
    if isinstance(source, StripesConfig):
        return f"synthetic stripes, {_stripes(source)}"
    if isinstance(source, GranaConfig):
        return f"grana drawn anew for each step, periods {_span(source.frame_period)}"
    data = config.data
    crops = f"crops in {data.dir}" if data.dir else f"{data.images} drawn grana"
    share = data.validation_share
    kept = f"{100 * share:.0f} % of them held out" if share else "none of them held out"
    if isinstance(source, MaskedStripesConfig):
        return f"synthetic stripes, {_stripes(source.stripes)}, in the masks of {crops}; {kept}"
    assert isinstance(source, CropsConfig)
    return f"{crops}, changed at random; {kept}"


def _stripes(source: StripesConfig) -> str:
    words = f"periods {_span(source.period)}"
    if not source.noise_sd[1]:
        return f"{words}, clean"
    fewest, most = source.clean_rectangles
    low, high = source.noise_sd
    return f"{words}, noise of sd {low:g} to {high:g} but for {fewest} to {most} receptive fields"


def _span(periods: tuple[float, float]) -> str:
    return f"{periods[0]:g} to {periods[1]:g} px"


def _frame(config: PeriodConfig) -> str:
    rows, columns = config.frame
    # The numbers stay on one line even in a narrow column.
    return f"{rows}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{columns}"


def _loss(config: PeriodConfig) -> str:
    """Returns the loss of a run, in words."""
    return LOSSES[config.loss.name].format(ramp=config.loss.ramp_epochs)


def _handed_over(record: StageRecord) -> str:
    """Returns the origin of a stage's first parameters, in words."""
    start = record.start
    if not start:
        return "nothing: from scratch" if record.rows else _NONE
    parts = [f"{start['copied']} {start['parameters']} parameters of {start['from']} copied"]
    for part, source, scale in start["cloned"]:
        factor = "" if scale == 1 else f" × {scale:g}"
        parts.append(f"{part} cloned from {source}{factor}")
    parts += [f"{part} new" for part in start["new"]]
    return f"{'; '.join(parts)} (step {start['step']})"


def duration(seconds: float | None) -> str:
    """Returns a duration for readers, or a dash for None."""
    if seconds is None:
        return _NONE
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
