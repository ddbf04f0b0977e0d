"""HTML pages that need no other file: one look, tables, pictures as data."""

import base64
import io
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import jinja2
import matplotlib
from matplotlib.figure import Figure

# A header, and what a row says below it.
Column = tuple[str, Callable[[Any], str]]
Table = dict[str, Any]


def render(template: str, **values: Any) -> str:
    """Returns a page.

    Args:
      template: its path within the package; it extends `page.html.jinja`.
      values: what the template names.
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
    """Returns a table of a row an item; groups are headers over so many columns after the first."""
    rows = [[cell(item) for _, cell in columns] for item in items]
    headers = [header for header, _ in columns]
    return {"caption": caption, "columns": headers, "rows": rows, "groups": groups}


def text(value: float | None, digits: int = 2) -> str:
    """Returns a number as readers see it, a dash for None or NaN."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def percent(share: float | None) -> str:
    """Returns a share 0..1 in per cent, a dash for None."""
    return "–" if share is None else f"{100 * share:.1f} %"


def data_uri(kind: str, data: bytes) -> str:
    """Returns a picture as the address of itself; its kind is such as jpeg or svg+xml."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def svg(figure: Figure) -> bytes:
    """Returns a figure as an SVG file, the same for the same data."""
    file = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "srd"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()
