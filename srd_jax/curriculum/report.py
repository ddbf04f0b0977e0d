"""The report of a curriculum: one HTML page of all stages, and their figures as a CSV file."""

import io
import pathlib
from collections.abc import Sequence

from PIL import Image

from srd_jax.curriculum.record import StageRecord, read_stage
from srd_jax.curriculum.tables import candidates, confidence, figures, lessons, wrote
from srd_jax.support import page
from srd_jax.support.errors import InputError, one_line
from srd_jax.support.files import write_table, write_text
from srd_jax.support.version import __version__
from srd_jax.tasks.period.scores import MAE
from srd_jax.training import curves

REPORT = "report.html"

_PICTURE_WIDTH = 1400  # px

TERMS = {
    "period": "stacking repeat distance: mean distance of neighbouring thylakoids in a granum",
    "px of the frame": "px of the image that the network reads, to which a crop is rescaled "
    "(476 rows where all of them are shown)",
    "MAE": "mean absolute error of the period, px of the frame",
    "validation": "images that training doesn't use, measured with averaged parameters; for a "
    "finished stage that of the parameters it hands on, before that the lowest so far",
    "training": "MAE over the last epochs of training, by the parameters of each step",
    "reference": "validation MAE of the same stage of the reference (lecture “Putting it all "
    "together” of GRANA's authors), reached on its own crops, which aren't public; ratio: "
    "validation over reference, below 1 is better",
    "handed over": "parameters taken as they are (copied), begun as a copy of another part, times "
    "a factor (cloned), or drawn at random (new)",
    "sd": "standard deviation that the network predicts for its own error, calibrated",
    "calibration": "sd → scale · sd^exponent, in px of the frame, fitted on validation images or "
    "taken over from the stage before; 1 and 1 leave the sd as it is",
    "candidates": "parameters kept at some epochs of a stage that holds nothing out, and their "
    "average; nll: of known periods; agreement: that of the candidates' median period on crops "
    "without known periods; the lowest sum (score) is chosen",
    "attention": "how much each place of an image counts for an answer; each head looks by itself, "
    "head 1 in red, head 2 in green; brightness is the root of the share of the head's maximum",
}


def write_report(workdir: pathlib.Path, stages: Sequence[str]) -> None:
    """Writes report.html and stages.csv, of the stages that there are as far as they have come.

    Args:
      workdir: of the curriculum, which holds the stages' own.
      stages: their names, in order.

    Raises:
      InputError: a file of a stage is damaged, or a file can't be written.
    """
    records = [read_stage(workdir / name) for name in stages]
    rows = [wrote(record) for record in records]
    write_table(workdir / "stages.csv", list(rows[0]), (row.values() for row in rows))
    write_text(workdir / REPORT, report(records))


def report(records: Sequence[StageRecord]) -> str:
    """Returns the page of some stages, in order.

    Raises:
      InputError: a picture can't be read, or a metric isn't a number.
    """
    return page.render(
        "curriculum/report.html.jinja",
        sentences=sentences(records),
        version=__version__,
        figures=figures(records),
        lessons=lessons(records),
        curves=_curves(records),
        confidence=confidence([one for one in records if "calibration" in one.summary]),
        candidates=[candidates(one) for one in records if one.candidates],
        pictures={
            one.name: [(_image_name(path), _picture(path)) for path in one.pictures]
            for one in records
            if one.pictures
        },
        terms=TERMS,
    )


def sentences(records: Sequence[StageRecord]) -> list[str]:
    """Returns what the page shows, whether the stages beat the reference, and what is missing."""
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
    """Returns the curves of all stages as the address of a picture, empty without any."""
    rows = [curves.StageRows(one.name, one.rows, one.reference_mae) for one in records if one.rows]
    return page.data_uri("svg+xml", page.svg(curves.stages_figure(rows, MAE))) if rows else ""


def _image_name(path: pathlib.Path) -> str:
    """Returns the name of the image that a picture shows, such as "validation image 003"."""
    return path.name.partition(".")[0].replace("_", " image ")


def _picture(path: pathlib.Path) -> str:
    """Returns a picture as the address of a JPEG for the screen.

    Raises:
      InputError: it can't be read.
    """
    file = io.BytesIO()
    try:
        with Image.open(path) as picture:
            small = picture.convert("RGB")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({one_line(error)}); accepted: a PNG") from None
    small.thumbnail((_PICTURE_WIDTH, 10 * _PICTURE_WIDTH))
    small.save(file, "JPEG", quality=85)
    return page.data_uri("jpeg", file.getvalue())
