"""Self-contained HTML pages: one look, tables, embedded pictures."""

import base64
import io
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jinja2
import matplotlib
from matplotlib.figure import Figure

# A header, and the function that returns the text of its cell from an item.
Column = tuple[str, Callable[[Any], str]]
Table = dict[str, Any]


def render(template: str, **values: Any) -> str:
    """Renders a page.

    Args:
      template: path within the package; it extends `page.html.jinja`.
      values: variables of the template.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("srd_jax", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(**values)


def table(
    caption: str,
    columns: Sequence[Column],
    items: Iterable[Any],
    groups: Sequence[tuple[str, int]] = (),
) -> Table:
    """Makes a table for the macro `table`, with one row for each item.

    Args:
      caption: above the table.
      columns: from left to right.
      items: from top to bottom.
      groups: headers above the columns after the first, each with the number that it spans.
    """
    rows = [[cell(item) for _, cell in columns] for item in items]
    headers = [header for header, _ in columns]
    return {"caption": caption, "columns": headers, "rows": rows, "groups": groups}


def text(value: float | None, digits: int = 2) -> str:
    """Formats a number for readers; None and NaN become a dash."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def percent(share: float | None) -> str:
    """Formats a share 0..1 in per cent; None becomes a dash."""
    return "–" if share is None else f"{100 * share:.1f} %"


def data_uri(kind: str, data: bytes) -> str:
    """Returns the data URI of a picture of a kind such as jpeg or svg+xml."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def svg(figure: Figure) -> bytes:
    """Renders a figure as SVG; the same data gives the same bytes."""
    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "srd"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()
