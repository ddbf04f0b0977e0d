"""Writes the results: grana.csv, micrographs.csv, summary.json and report.html."""

import dataclasses
import json
import pathlib
from collections.abc import Sequence

from srd_jax.evaluation.micrographs import plots, tables
from srd_jax.evaluation.micrographs.cases import Case, Compared
from srd_jax.evaluation.micrographs.pictures import COLOURS
from srd_jax.evaluation.micrographs.run import Shown
from srd_jax.evaluation.micrographs.scores import Scores, score
from srd_jax.evaluation.summary import flat
from srd_jax.support import page
from srd_jax.support.files import write_table, write_text
from srd_jax.support.version import __version__

FILES = ("grana.csv", "micrographs.csv", "summary.json", "report.html")

_TERMS = {
    "sure, possible": "certainty of an annotated or drawn granum; possible ones count neither as "
    "missing nor, where they are found, as wrong",
    "found": "matched by one found granum, one to one, with at least the IoU named above",
    "found as one": "held by a found granum together with grana that it touches, where the IoU "
    "with their union suffices",
    "precision": "right among the found grana, but for those in possible ones",
    "recall": "found among the sure grana",
    "F1": "harmonic mean of precision and recall",
    "IoU": "shared area of a true and a found granum over the area of both",
    "area": "the same counted by area instead of by granum; outside: share of the found area "
    "outside of sure and possible grana",
    "readable": "sure grana whose period is known",
    "doubted": "status low_confidence or error",
    "1 sd, 1.96 sd": "share of errors within so many stated sd, with its nominal value",
    "SRD": "stacking repeat distance, the period of the lamellae; per cent are of the true one",
}


@dataclasses.dataclass(frozen=True)
class About:
    """What was evaluated.

    Attributes:
      source: of the micrographs, in words.
      detector: its name.
      least: IoU from which on a found granum is a true one.
      bad: lines about annotations that couldn't be read.
    """

    source: str
    detector: str
    least: float
    bad: Sequence[str] = ()


def write(
    folder: pathlib.Path, about: About, compared: Sequence[Compared], shown: Sequence[Shown]
) -> Scores:
    """Writes all files, each whole or not at all, and returns the scores of all micrographs.

    Raises:
      InputError: a file can't be written.
    """
    grana, by_file, numbers, html = (folder / name for name in FILES)
    scores = score(compared)
    cases = [case for one in compared for case in one.cases]
    columns = [field.name for field in dataclasses.fields(Case)]
    write_table(grana, columns, (dataclasses.astuple(case) for case in cases))
    each = [(one, score([one])) for one in compared]
    rows = [{"file": one.file, **flat(found), "error": one.error} for one, found in each]
    rows.append({"file": "all", **flat(scores), "error": ""})
    write_table(by_file, list(rows[0]), (row.values() for row in rows))
    content = {
        **{name: value for name, value in dataclasses.asdict(about).items() if name != "bad"},
        "srd_jax": __version__,
        "all": scores,
        "micrographs": [{"file": one.file, "error": one.error, **found} for one, found in each],
    }
    write_text(numbers, json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n")
    write_text(html, _page(about, compared, cases, scores, shown))
    return scores


def _page(
    about: About,
    compared: Sequence[Compared],
    cases: Sequence[Case],
    scores: Scores,
    shown: Sequence[Shown],
) -> str:
    plot = plots.found_against_true(cases)
    return page.render(
        "evaluation/micrographs/report.html.jinja",
        source=about.source,
        detector=about.detector,
        least=f"{about.least:g}",
        version=__version__,
        count=len(compared),
        files=tables.files(compared),
        counting=tables.one_to_one(scores),
        errors=tables.errors(scores),
        plot_source=page.data_uri("svg+xml", page.svg(plot)),
        shown=[_shown(one) for one in shown],
        colours=COLOURS,
        worst=tables.worst(cases),
        failures=tables.failures(compared, about.bad),
        terms=_TERMS,
    )


def _shown(one: Shown) -> dict[str, str]:
    found = score([one.compared])["detection"]
    words = ("sure", "found", "found_as_one", "missing", "wrong")
    return {
        "name": one.compared.file,
        "picture": page.data_uri("jpeg", one.jpeg),
        "text": ", ".join(f"{found[word]} {word.replace('_', ' ')}" for word in words),
    }
