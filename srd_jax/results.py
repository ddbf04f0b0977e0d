"""Results of a prediction as a CSV file, a table on the terminal, and overlays."""

import csv
import dataclasses
import os
import pathlib
from collections.abc import Sequence

import rich.console
import rich.markup
import rich.table

from srd_jax.files import whole_file
from srd_jax.geometry import Geometry
from srd_jax.predict import Measured, Row
from srd_jax.visualize import overlay_picture, spread

COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
# Longer tables scroll out of sight; the CSV holds every row.
TABLE_ROWS = 50

_STYLES = {"ok": "green", "low_confidence": "yellow", "error": "red"}


def write_csv(path: str | os.PathLike[str], rows: Sequence[Row]) -> None:
    """Writes one line a row, whole or not at all; what isn't known is left empty.

    Raises:
      InputError: the file cannot be written.
    """
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows([_text(getattr(row, name)) for name in COLUMNS] for row in rows)


def _text(value: str | float | None) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return "" if value is None else str(value)


def print_table(
    console: rich.console.Console, rows: Sequence[Row], truth: dict[str, float] | None = None
) -> None:
    """Prints the rows as a table.

    Args:
      console: where to.
      rows: of the results.
      truth: known periods by file name, px of the crop, for a column beside the measured ones.
    """
    table = rich.table.Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("file", overflow="fold")
    headers = ["period px", "sd px", "period nm", "sd nm"]
    for header in [*(["true px"] if truth else []), *headers]:
        table.add_column(header, justify="right")
    table.add_column("status")
    table.add_column("reason", overflow="fold")
    for row in rows[:TABLE_ROWS]:
        name = pathlib.Path(row.file).name
        known = [_short(truth.get(name))] if truth else []
        values = [_short(v) for v in (row.period_px, row.sd_px, row.period_nm, row.sd_nm)]
        status = f"[{_STYLES[row.status]}]{row.status}[/]"
        table.add_row(name, *known, *values, status, rich.markup.escape(row.reason))
    console.print(table)
    if len(rows) > TABLE_ROWS:
        console.print(f"and {len(rows) - TABLE_ROWS} more")


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def write_overlay(folder: pathlib.Path, root: pathlib.Path, one: Measured, field: Geometry) -> None:
    """Writes the overlay of a measured crop to FOLDER/path from root/NAME.overlay.png.

    Args:
      folder: of the overlays.
      root: folder above all inputs, so that files of one name in two folders stay apart.
      one: measurement with attention; an error has no picture.
      field: geometry of the network.

    Raises:
      InputError: the file cannot be written.
    """
    crop, measurement, row = one.crop, one.measurement, one.row
    if crop is None or measurement is None or measurement.attention is None:
        return
    caption = f"{pathlib.Path(row.file).name}\nperiod {_short(row.period_px)} px"
    if row.sd_px is not None:
        caption += f", sd {_short(row.sd_px)} px"
    if row.period_nm is not None:
        caption += f" = {_short(row.period_nm)} nm"
    caption += f" ({row.status})" + (f"\n{row.reason}" if row.reason else "")
    heads = spread(measurement.attention[0], field.receptive_field, field.stride)
    relative = pathlib.Path(row.file).resolve().relative_to(root)
    overlay_picture(
        folder / relative.parent / f"{relative.name}.overlay.png",
        crop.image,
        crop.mask,
        heads,
        measurement.box,
        caption,
        row.period_px,
    )


def common_root(paths: Sequence[pathlib.Path]) -> pathlib.Path:
    """Returns the deepest folder above all files."""
    return pathlib.Path(os.path.commonpath([path.resolve().parent for path in paths]))
