"""Writes tables into one file for spreadsheets (Office Open XML)."""

import dataclasses
import datetime
import pathlib
from collections.abc import Iterable, Mapping, Sequence

from srd_jax.analysis.output.table import Cell
from srd_jax.support.files import whole_file
from srd_jax.support.terminal import printable

# One date for all files, so that the same tables give the same bytes; no time zone, no day.
_DATE = datetime.datetime(2000, 1, 1)
_WIDEST, _LONGEST_CELL = 40, 32_767  # characters


@dataclasses.dataclass(frozen=True)
class Sheet:
    """A table: header and rows."""

    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def write(path: pathlib.Path, sheets: Mapping[str, Sheet], digits: int = 6) -> None:
    """Writes sheets in order, with a frozen header and a filter.

    Args:
      path: of the file, .xlsx.
      sheets: by name.
      digits: significant digits of floats, as in CSV files.

    Raises:
      InputError: the file can't be written.
    """
    import xlsxwriter

    # Texts are never formulas or links, whatever they begin with.
    plain = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "constant_memory": True,
    }
    with whole_file(path) as temporary:
        book = xlsxwriter.Workbook(str(temporary), plain)
        book.set_properties({"created": _DATE})
        bold = book.add_format({"bold": True, "bottom": 1})
        for name, sheet in sheets.items():
            page = book.add_worksheet(name)
            page.freeze_panes(1, 0)
            for column, title in enumerate(sheet.header):
                page.set_column(column, column, min(len(title) + 3, _WIDEST))
            page.write_row(0, 0, sheet.header, bold)
            last = 0
            for last, row in enumerate(sheet.rows, 1):
                for column, cell in enumerate(row):
                    if isinstance(cell, str):
                        # Names of files needn't be Unicode.
                        page.write_string(last, column, printable(cell)[:_LONGEST_CELL])
                    elif cell is not None:
                        whole = isinstance(cell, int)
                        page.write_number(
                            last, column, cell if whole else float(f"{cell:.{digits}g}")
                        )
            page.autofilter(0, 0, max(last, 1), len(sheet.header) - 1)
        book.close()
