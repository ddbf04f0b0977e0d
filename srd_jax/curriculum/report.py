"""Writes the report of a curriculum: an HTML page and a CSV file of all stages."""

import io
import pathlib
from collections.abc import Sequence

from PIL import Image

from srd_jax.curriculum.record import StageRecord, read_stage
from srd_jax.curriculum.tables import candidates, confidence, csv_row, results, settings
from srd_jax.support import page
from srd_jax.support.errors import InputError, one_line
from srd_jax.support.files import write_table, write_text
from srd_jax.support.version import __version__
from srd_jax.tasks.period.scores import MAE
from srd_jax.training import curves

REPORT = "report.html"

_FIGURE_WIDTH = 1400  # px

_TERMS = {
    "period": "stacking repeat distance: mean distance of neighbouring thylakoids in a granum",
    "px of the frame": "px of the image that the network reads, to which a crop is rescaled "
    "(476 rows where all of them are shown)",
    "MAE": "mean absolute error of the period, px of the frame",
    "validation": "MAE on images that training doesn't use, by averaged parameters: those that a "
    "finished stage hands on, or the best so far of an unfinished one",
    "training": "MAE over the last epochs of training, by the parameters of each step",
    "reference": "validation MAE of the same stage of the reference (lecture “Putting it all "
    "together” of GRANA's authors), reached on its own crops, which aren't public; ratio: "
    "validation over reference, below 1 is better",
    "handed over": "parameters taken as they are (copied), copied from another part and multiplied "
    "by a factor (cloned), or drawn at random (new)",
    "sd": "standard deviation that the network predicts for its own error, calibrated",
    "calibration": "sd → scale · sd^exponent, in px of the frame, fitted on validation images or "
    "taken over from the stage before; 1 and 1 leave the sd as it is",
    "candidates": "parameters kept at some epochs of a stage that holds nothing out, and their "
    "average; nll: negative log likelihood of known periods; agreement: the same of the "
    "candidates' median period on crops without known periods; the lowest sum (score) is chosen",
    "attention": "weight of each place of an image in a prediction; each head has its own, head 1 "
    "in red, head 2 in green; brightness is the root of the share of the head's maximum",
}


def write_report(workdir: pathlib.Path, stages: Sequence[str]) -> None:
    """Writes report.html and stages.csv, with all stages as far as they are trained.

    Args:
      workdir: of the curriculum, which holds the workdirs of the stages.
      stages: names of the stages, in order.

    Raises:
      InputError: a file of a stage is damaged, or a file can't be written.
    """
    records = [read_stage(workdir / name) for name in stages]
    rows = [csv_row(record) for record in records]
    write_table(workdir / "stages.csv", list(rows[0]), (row.values() for row in rows))
    write_text(workdir / REPORT, _page(records))


def _page(records: Sequence[StageRecord]) -> str:
    """Returns the HTML page of stages, in order.

    Raises:
      InputError: a figure can't be read, or a metric isn't a number.
    """
    return page.render(
        "curriculum/report.html.jinja",
        sentences=sentences(records),
        version=__version__,
        results=results(records),
        settings=settings(records),
        curves=_curves(records),
        confidence=confidence([one for one in records if "calibration" in one.summary]),
        candidates=[candidates(one) for one in records if one.candidates],
        attention={
            one.name: [(_image_name(path), _figure(path)) for path in one.figures]
            for one in records
            if one.figures
        },
        terms=_TERMS,
    )


def sentences(records: Sequence[StageRecord]) -> list[str]:
    """Returns sentences on the page's topic, the comparison with the reference, and open stages."""
    judged = [one for one in records if one.summary and one.ratio is not None]
    worse = [one.name for one in judged if one.ratio is not None and one.ratio >= 1]
    if not judged:
        verdict = "no stage that can be compared with the reference is finished yet"
    else:
        names = ", ".join(one.name for one in judged)
        verdict = (
            f"of the finished stages that can be compared with the reference ({names}), "
            f"{len(judged) - len(worse) if worse else 'all'} have a lower validation error than it"
            + (f", but not {', '.join(worse)}" if worse else "")
        )
    missing = [f"{one.name} ({one.state})" for one in records if not one.summary]
    first = (
        "This page shows how a network was trained step by step to measure the period of the "
        f"lamellae in grana, in {len(records)} stages: {verdict}."
    )
    return [first, *([f"Still to come: {', '.join(missing)}."] if missing else [])]


def _curves(records: Sequence[StageRecord]) -> str:
    """Returns the curves of all stages as a data URI, which is empty without metrics."""
    rows = [curves.StageRows(one.name, one.rows, one.reference_mae) for one in records if one.rows]
    return page.data_uri("svg+xml", page.svg(curves.stages_figure(rows, MAE))) if rows else ""


def _image_name(path: pathlib.Path) -> str:
    """Returns the name of the image in a figure, such as "validation image 003"."""
    return path.name.partition(".")[0].replace("_", " image ")


def _figure(path: pathlib.Path) -> str:
    """Returns a figure as the data URI of a JPEG, small enough for the screen.

    Raises:
      InputError: it can't be read.
    """
    file = io.BytesIO()
    try:
        with Image.open(path) as figure:
            small = figure.convert("RGB")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({one_line(error)}); accepted: a PNG") from None
    small.thumbnail((_FIGURE_WIDTH, 10 * _FIGURE_WIDTH))
    small.save(file, "JPEG", quality=85)
    return page.data_uri("jpeg", file.getvalue())
