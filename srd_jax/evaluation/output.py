"""Writes the files of an evaluation: results.csv, summary.csv, summary.json, report.html."""

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence

from srd_jax.evaluation.cases import Case, Shown
from srd_jax.evaluation.report import report
from srd_jax.evaluation.summary import Summary, flat
from srd_jax.support.files import write_table, write_text
from srd_jax.support.version import __version__

FILES = ("results.csv", "summary.csv", "summary.json", "report.html")


def write(
    folder: pathlib.Path,
    source: str,
    cases: Sequence[Case],
    shown: Mapping[str, Sequence[Shown]],
    summaries: Sequence[Summary],
) -> None:
    """Writes all files, each whole or not at all; makes the folder if needed.

    Args:
      folder: of the files.
      source: of the crops, in words.
      cases: rows of results.csv.
      shown: worst cases by method, for the report.
      summaries: rows of summary.csv.

    Raises:
      InputError: a file can't be written.
    """
    results, table, numbers, page = (folder / name for name in FILES)
    columns = [field.name for field in dataclasses.fields(Case)]
    write_table(results, columns, (dataclasses.astuple(case) for case in cases))
    rows = [flat(one) for one in summaries]
    # A method without sd has fewer numbers.
    header = list(dict.fromkeys(key for row in rows for key in row))
    write_table(table, header, ([row.get(key) for key in header] for row in rows))
    about = {"source": source, "srd_jax": __version__, "methods": list(summaries)}
    write_text(numbers, json.dumps(about, indent=1, allow_nan=False, ensure_ascii=False) + "\n")
    write_text(page, report(source, __version__, cases, shown, summaries))
