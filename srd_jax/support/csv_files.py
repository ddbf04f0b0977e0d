"""Reads CSV files as spreadsheets and statistics programs leave them, and the numbers in them."""

import codecs
import csv
import io
import os
import pathlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from srd_jax.support.errors import InputError

DELIMITERS = (",", ";", "\t", "|")

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

# Characters without width, which come along when text is copied from a page.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))

# Lines among which the header is looked for: a title, a comment or Excel's `sep=` may stand above.
_ABOVE = 20

_SHOWN = 200  # characters of a header in a message

_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
# One mark before three digits: of decimals or of thousands.
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}", re.ASCII)


@dataclass(frozen=True)
class Table:
    """The content of a CSV file.

    Attributes:
      header: names of the columns, in small letters, with _ for spaces; "" for none.
      rows: number of the line and its cells, for each line below the header that isn't empty.
      delimiter: between the cells.
    """

    header: list[str]
    rows: list[tuple[int, list[str]]]
    delimiter: str


def read_table(path: str | os.PathLike[str], needed: Sequence[Sequence[str]]) -> Table:
    """Reads a CSV file: UTF-8, UTF-16 or Windows' Latin letters; cells apart by , ; tab or |.

    Args:
      path: of the file.
      needed: sets of columns, of which a header must hold one.

    Raises:
      InputError: the file can't be read, isn't such a text, or no line of the first 20 holds the
        columns needed; the message doesn't say what is accepted.
    """
    try:
        content = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error
    text = _decoded(path, content)
    first: list[str] | None = None
    for delimiter in DELIMITERS:
        rows = _rows(text, delimiter)
        if first is None and rows is not None:
            first = rows[0][1] if rows else []
        for place, (_, cells) in enumerate((rows or [])[:_ABOVE]):
            names = [_column(cell) for cell in cells]
            if any(set(columns) <= set(names) for columns in needed):
                return Table(names, (rows or [])[place + 1 :], delimiter)
    if first is None:
        raise InputError(f"{path}: isn't such a file (its quotation marks are no pairs)")
    found = ", ".join(first)[:_SHOWN] or "none"
    raise InputError(f"{path}: has the columns {found}")


def _decoded(path: str | os.PathLike[str], content: bytes) -> str:
    """Returns the text of a file without byte order mark and end mark.

    Raises:
      InputError: it holds bytes of no text.
    """
    encoding = next((code for mark, code in _MARKS.items() if content.startswith(mark)), "utf-8")
    if encoding == "utf-8" and content.count(0) > len(content) // 3:
        encoding = "utf-16-le" if content[1] == 0 else "utf-16-be"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if b"\0" in content:
            raise InputError(f"{path}: isn't such a file (it isn't text)") from None
        text = content.decode("cp1252", "replace")
    # DOS ended texts by Ctrl-Z.
    return text.removeprefix("\ufeff").rstrip("\x1a \t\r\n")


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]] | None:
    """Returns number and cells of each line that isn't empty; None if its quotes are no pairs."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(lines.line_num, [_cell(cell) for cell in cells]) for cells in lines]
    except csv.Error:
        return None
    return [(number, cells) for number, cells in rows if any(cells)]


def _cell(text: str) -> str:
    return text.translate(_INVISIBLE).replace("\u00a0", " ").replace("\u202f", " ").strip()


def _column(cell: str) -> str:
    """Returns the name of a column; the header of NumPy's files begins with #."""
    return re.sub(r"[\s_-]+", "_", cell.lstrip("# ").casefold())


def ambiguous(cells: Iterable[str], delimiter: str) -> set[str]:
    """Returns the cells of a file whose comma or point may be one of thousands, as in 1,298.

    Such a mark is a decimal one if another number of the file shows that it is, or, for a point or
    between semicolons, if none shows the other one.

    Args:
      cells: with numbers, of the whole file.
      delimiter: of the file.
    """
    cells = [cell for cell in cells if _NUMBER.fullmatch(cell)]
    either = {cell for cell in cells if _EITHER.fullmatch(cell)}
    shown = {mark for cell in cells if cell not in either for mark in ".," if mark in cell}
    commas = "," in shown or delimiter == ";"
    return {
        cell
        for cell in either
        if ("," in cell and ("." in shown or not commas)) or ("." in cell and "," in shown)
    }


def number(text: str) -> float | None:
    """Returns a number in plain digits with a decimal point or comma; None for another text."""
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else None


def harmless(text: str) -> str:
    """Returns a text for a cell that no spreadsheet takes for a formula: after an apostrophe.

    Formulas begin with = + - @, a tab or a carriage return (OWASP, CSV Injection).
    """
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
