"""Writes the tables and the page of an analysis, from the results of all micrographs."""

from collections.abc import Mapping, Sequence

from srd_jax.analysis.output import summary, table, workbook
from srd_jax.analysis.output.folder import Folder
from srd_jax.analysis.output.summary import Summary
from srd_jax.analysis.output.table import Named, header
from srd_jax.analysis.output.workbook import Sheet
from srd_jax.analysis.report.report import report
from srd_jax.support.files import write_table, write_text


def write(folder: Folder, micrographs: Sequence[Named], origin: Mapping[str, str]) -> list[Summary]:
    """Writes all tables and the page, each whole or not at all; returns the summary.

    Args:
      folder: with the pictures of the micrographs.
      micrographs: in the order of the tables.
      origin: versions, weights and options, in words.

    Raises:
      InputError: a file can't be written.
    """
    summaries = summary.summarise(micrographs)
    grana, files = header(table.GRANA), header(table.MICROGRAPHS)
    write_table(folder.grana, grana, table.grana_rows(micrographs))
    write_table(folder.micrographs, files, table.micrograph_rows(micrographs))
    write_table(folder.summary, list(summary.COLUMNS), summary.rows(summaries))
    meanings = [
        *(("grana", column.name, column.meaning) for column in table.GRANA),
        *(("summary", *one) for one in summary.COLUMNS.items()),
        *(("micrographs", column.name, column.meaning) for column in table.MICROGRAPHS),
    ]
    sheets = {
        "grana": Sheet(grana, table.grana_rows(micrographs)),
        "summary": Sheet(list(summary.COLUMNS), summary.rows(summaries)),
        "micrographs": Sheet(files, table.micrograph_rows(micrographs)),
        "columns": Sheet(("sheet", "column", "meaning"), meanings),
    }
    workbook.write(folder.workbook, sheets)
    write_text(folder.report, report(folder, micrographs, summaries, origin))
    return summaries
